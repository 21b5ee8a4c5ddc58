// The machines of a member: a client and a shard, or what tests put in their places.
import { Client, type ClientConfig } from '../ps/client.ts';
import { Shard, type ShardConfig } from '../ps/shard.ts';

/** What of its machines a member needs: tests put broken ones in their place. */
export type ClientLike = Pick<Client, 'step' | 'addTable' | 'oldest' | 'toString'>;
export type ShardLike = Pick<
  Shard,
  'step' | 'addTable' | 'pushes' | 'finished' | 'slowest' | 'toString'
>;
export type Machines = {
  readonly client: (config: ClientConfig) => ClientLike;
  readonly shard: (config: ShardConfig) => ShardLike;
};

export const machines: Machines = {
  client: (config) => new Client(config),
  shard: (config) => new Shard(config),
};
