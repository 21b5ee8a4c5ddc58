// What hosts say to each other in a run: one union for data-parallel programs (member.ts), one for
// scheduled ones (relay.ts). Bytes of rows travel as the packets' payloads (src/store/wire).
//
//   client ── batch {epoch, clock} ──▶ owner      deltas, in parts, the last one marked
//   client ── ask ──▶ owner                       rows that a read misses
//   client ── drop ──▶ owner                      rows that its cache has given up
//   client ◀── values {clock, includes} ── owner  rows, in parts, the last one marked
//   host ── table ──▶ everyone                    a table that was created while the run lasts
//   host ── fault ──▶ everyone                    a run that fails on one host ends on all
//
//   rank 0 ── work, end ──▶ rank of the worker    what the scheduler hands out
//   host ── shared ──▶ host                       bytes of spaces (src/program/spaces.ts)
//   host ── flush ──▶ host, ◀── flushed ──        what was shared before it is in place
//   host ── report ──▶ rank 0                     the partial result of a worker
import type { Created } from '../program/created/tables.ts';
import type { Fault } from '../base/errors.ts';

type Body =
  | {
      readonly kind: 'batch';
      readonly epoch: number;
      /** Clocks that the sender has finished, with this batch. */
      readonly clock: number;
      readonly last: boolean;
      /** The sender has changed nothing, in the rows of any owner. */
      readonly silent: boolean;
    }
  | {
      readonly kind: 'values';
      readonly clock: number;
      readonly includes: number;
      readonly answers: readonly number[];
      readonly last: boolean;
      /** The last values of the run: everyone has finished. */
      readonly final: boolean;
    }
  | {
      readonly kind: 'ask';
      readonly id: number;
      readonly table: number;
      readonly required: number;
      /** All rows of the table that the owner has; else the payload names them (i32). */
      readonly whole: boolean;
    }
  /** The index-th table that was created in this run: sent to all by all, before its rows. */
  | { readonly kind: 'table'; readonly index: number; readonly created: Created }
  /** The sender's cache has given up the rows (i32) of the payload. */
  | { readonly kind: 'drop'; readonly table: number }
  | { readonly kind: 'fault'; readonly fault: Fault };

/** A message of run `run` of the job: a host may be ahead of another by one. */
export type PeerMessage = Body & { readonly run: number };
export type PeerMessageBody = Body;

export type RelayMessageBody =
  | {
      readonly kind: 'shared';
      /** [space, from, bytes] in threes; the payload has their bytes, one behind the other. */
      readonly parts: readonly number[];
    }
  | { readonly kind: 'flush' | 'flushed'; readonly worker: number }
  | {
      readonly kind: 'work';
      readonly worker: number;
      readonly clock: number;
      readonly work: unknown;
    }
  | {
      readonly kind: 'report';
      readonly worker: number;
      readonly clock: number;
      readonly partial: unknown;
      readonly pushMs: number;
    }
  | { readonly kind: 'end'; readonly clocks: number };

export type RelayMessage = RelayMessageBody & { readonly run: number };
