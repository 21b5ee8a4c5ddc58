// What a host sees of the other hosts: packets to and from ranks. Two things hold this promise: TCP
// connections under sessions (src/mailbox/tcp), and the simulator's network (src/sim).
//
//   Per pair of hosts packets arrive exactly once and in the order in which they were offered,
//   whatever connections do meanwhile, or that peer is reported lost, once.
import type { Fault } from '../base/errors.ts';

/** A small header (plain data, MessagePack on the wire) and raw bytes, which are never copied. */
export type Packet = { readonly header: unknown; readonly payload: Uint8Array };

export type NetworkListener = {
  /** The payload is the receiver's during the call only: what it keeps, it copies. */
  packet(from: number, packet: Packet): void;
  /** There is room again for a peer for which `hasRoom` was false. */
  room(to: number): void;
  /** The peer is gone for good. Nothing more arrives from it, nothing more can be sent to it. */
  lost(rank: number, fault: Fault): void;
};

/** Traffic of the link to one peer, since the start. */
export type LinkStatistics = {
  readonly rank: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  /** Times that a broken connection was replaced. */
  readonly reconnects: number;
};

export interface Network {
  readonly rank: number;
  readonly size: number;
  /**
   * Queues a packet. The payload belongs to the network from here on: it is not to be written
   * again, for it may have to be sent again.
   * @throws ERR_LIMIT when a sender did not ask `hasRoom` and ran past the hard limit.
   */
  send(to: number, packet: Packet): void;
  /** False while more than the soft limit waits for `to`: bulk senders hold back until `room`. */
  hasRoom(to: number): boolean;
  statistics(): readonly LinkStatistics[];
}
