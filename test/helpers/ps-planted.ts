// Planted bugs of the parameter server: clients and shards that do one thing wrong, around the real
// ones. The checkers have to find each of them, or they check nothing.
import type { ClientLike, Machines, ShardLike } from '../../src/cluster/machines.ts';
import {
  Client,
  type ClientConfig,
  type ClientInput,
  type ClientOutput,
} from '../../src/ps/client.ts';
import { Shard, type ShardConfig, type ShardInput, type ShardOutput } from '../../src/ps/shard.ts';

type ClientStep = (input: ClientInput) => readonly ClientOutput[];
type ShardStep = (input: ShardInput) => readonly ShardOutput[];
type Push = Extract<ShardOutput, { kind: 'push' }>;

function clientWith(step: (client: Client, config: ClientConfig) => ClientStep): Machines {
  return {
    shard: (config) => new Shard(config),
    client(config): ClientLike {
      const client = new Client(config);
      return {
        step: step(client, config),
        addTable: () => client.addTable(),
        get oldest() {
          return client.oldest;
        },
        toString: () => client.toString(),
      };
    },
  };
}

/** `changed` takes what the shard says, also of its own accord. */
function shardWith(
  make: (
    shard: Shard,
    config: ShardConfig,
  ) => { step?: ShardStep; changed?: (outputs: readonly ShardOutput[]) => readonly ShardOutput[] },
): Machines {
  return {
    client: (config) => new Client(config),
    shard(config): ShardLike {
      const shard = new Shard(config);
      const { step, changed = (outputs) => outputs } = make(shard, config);
      return {
        step: (input) => changed((step ?? ((same) => shard.step(same)))(input)),
        addTable: (table) => shard.addTable(table),
        pushes: () => changed(shard.pushes()),
        get finished() {
          return shard.finished;
        },
        get slowest() {
          return shard.slowest;
        },
        toString: () => shard.toString(),
      };
    },
  };
}

const eachPush = (change: (push: Push) => Push) => (outputs: readonly ShardOutput[]) =>
  outputs.map((output) => (output.kind === 'push' ? change(output) : output));

/** Reads that wait for a clock are answered one clock before it. */
export const answersEarly = shardWith((shard) => ({
  step: (input) =>
    shard.step(input.kind === 'ask' ? { ...input, required: input.required - 1 } : input),
}));

/** A push says that it has the clocks of the fastest of the others, not of the slowest. */
export const takesTheFastest = shardWith((shard, { size }) => {
  const clocks = new Array<number>(size).fill(0);
  const fastest = (but: number) => Math.max(0, ...clocks.filter((_, rank) => rank !== but));
  return {
    step(input) {
      if (input.kind === 'batch' && input.last) clocks[input.from] = input.clock;
      return shard.step(input);
    },
    changed: eachPush((push) =>
      push.clock < 0 ? push : { ...push, clock: Math.max(push.clock, fastest(push.to)) },
    ),
  };
});

/** Every tenth batch is applied twice, as after a connection that came back. */
export const appliesTwice = shardWith((shard) => {
  let count = 0;
  return {
    step: (input) =>
      shard.step(input).flatMap((output) => {
        const twice = output.kind === 'apply' && ++count % 10 === 0;
        return twice ? [output, output] : [output];
      }),
  };
});

/** Every third confirmation of batches gets lost: the push says what was confirmed before. */
export const losesConfirmations = shardWith((_, { size }) => {
  const confirmed = new Array<number>(size).fill(0);
  let count = 0;
  return {
    changed: eachPush((push) => {
      const lost = ++count % 3 === 0 && !push.final;
      const includes = lost ? (confirmed[push.to] ?? 0) : push.includes;
      confirmed[push.to] = includes;
      return { ...push, includes };
    }),
  };
});

/** Values replace own deltas that are not in them. */
export const forgetsReplay = clientWith(
  (client) => (input) =>
    client
      .step(input)
      .map((output) => (output.kind === 'install' ? { ...output, replay: [] } : output)),
);

/** A batch is released when the one before it is confirmed. */
export const releasesEarly = clientWith(
  (client) => (input) =>
    client
      .step(input)
      .map((output) =>
        output.kind === 'release' ? { ...output, epoch: output.epoch + 1 } : output,
      ),
);

/** The first part of a batch counts as all of it. */
export const countsHalves = shardWith((shard) => {
  const open = new Set<number>();
  return {
    step(input) {
      if (input.kind !== 'batch') return shard.step(input);
      const { from, last } = input;
      const isFirst = !open.has(from);
      if (last) open.delete(from);
      else open.add(from);
      return isFirst ? shard.step({ ...input, last: true }) : [{ kind: 'apply', from }];
    },
  };
});

/** The rows of one table that were changed are never pushed to rank 1, but at the end. */
export const forgetsDirtyRows = shardWith(() => ({
  changed: eachPush((push) =>
    push.to === 1 && !push.final ? { ...push, rows: push.rows.slice(1) } : push,
  ),
}));

/** Batches of an ordered run are applied as they come, the own one when all are here. */
export const appliesOnArrival = shardWith((shard, { rank }) => ({
  step: (input) =>
    shard
      .step(input)
      .map((output) =>
        output.kind === 'hold' && output.from !== rank ? { ...output, kind: 'apply' } : output,
      ),
}));
