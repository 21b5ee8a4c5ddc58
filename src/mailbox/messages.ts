// What travels in a host's mailboxes, one union per conversation, as MessagePack records.
//
//   scheduler ── Assignment ──▶ worker        what to update next
//   worker    ── Report     ──▶ scheduler     the partial result of one assignment
//   actor     ── Event      ──▶ supervisor    progress, log lines and phases of schedules
//   worker    ── Wanted     ──▶ mailbox       rows of other hosts that a read misses
//
// Of a scheduled program on several hosts all of it passes through the mailboxes:
//
//   scheduler ── Order ──▶ mailbox of rank 0 ══▶ mailbox of rank r ── Assignment ──▶ worker
//   scheduler ◀── Reported ── mailbox of rank 0 ◀══ mailbox of rank r ◀── Said ── worker
//
// Plain readonly data; arrays of numbers stay in shared memory and travel as byte offsets.
import { Decoder, Encoder } from '@msgpack/msgpack';
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { RingReader, RingWriter } from './ring.ts';

export type Assignment =
  | { readonly kind: 'work'; readonly clock: number; readonly work: unknown }
  | { readonly kind: 'end' };

export type Report = {
  readonly kind: 'report';
  readonly clock: number;
  readonly partial: unknown;
  /** Time that the push took. */
  readonly pushMs: number;
};

/** Bytes that other hosts are to have: [space, from, bytes] in threes (src/program/spaces.ts). */
export type Shared = {
  readonly kind: 'shared';
  /** A rank; −1: all others. */
  readonly to: number;
  readonly parts: readonly number[];
};

/** What a worker says to its mailbox: first what it shares, then that it is done. */
export type Said = Shared | Report;

/** What the scheduler says to its mailbox. Workers are numbered through all hosts. */
export type Order =
  | Shared
  | {
      readonly kind: 'work';
      readonly worker: number;
      readonly clock: number;
      readonly work: unknown;
    }
  | { readonly kind: 'end'; readonly clocks: number };

export type Reported = Omit<Report, 'kind'> & { readonly worker: number };

/** `count` row numbers (i32) at `at`, which stay there until the want is granted. */
export type Wanted = {
  readonly id: number;
  readonly table: number;
  readonly at: number;
  /** −1: all rows of the table. */
  readonly count: number;
  readonly required: number;
  /** Which of the worker's prefetches it is; undefined: it waits for these rows. */
  readonly prefetch?: number;
};

/** Numbers of a progress report: what the program chose to say. */
export type Progress = Readonly<Record<string, number>>;

/** A phase that a schedule has begun: what was picked, why, and what was turned down. */
export type ScheduleEvent = {
  readonly kind: 'schedule';
  readonly clock: number;
  readonly phase: number;
  /** Variables of the phase; `picked` has the first, `priorities` what they were picked by. */
  readonly size: number;
  readonly picked: readonly number[];
  readonly priorities: readonly number[];
  /** The first that conflicted with another, out of `turnedDown`. */
  readonly rejected: readonly {
    readonly variable: number;
    readonly because: number;
    readonly correlation: number;
    readonly where: 'phase' | 'flight';
  }[];
  readonly turnedDown: number;
  /** Phases since the last event, of which nothing was said. */
  readonly skipped: number;
};

export type Event =
  | { readonly kind: 'progress'; readonly clock: number; readonly values: Progress }
  | { readonly kind: 'log'; readonly line: string }
  | ScheduleEvent;

export type Sender<M> = { /** False when the mailbox is full. */ offer(message: M): boolean };
export type Receiver<M> = { take(): M | undefined };

/** Typed sending over a ring. */
export function sender<M>(ring: RingWriter): Sender<M> {
  const encoder = new Encoder();
  return {
    offer(message) {
      const record = encoder.encodeSharedRef(message);
      if (record.length > limits.messageBytesMax) {
        const rule = `a message is at most ${limits.messageBytesMax} bytes`;
        const remedy = 'put arrays into a shared buffer and send their place';
        throw new SystemError('ERR_LIMIT', `${rule}, got ${record.length}: ${remedy}`);
      }
      return ring.offer(record);
    },
  };
}

/** Typed receiving. Both ends are ours and of one version, so what decodes is an M. */
export function receiver<M>(ring: RingReader): Receiver<M> {
  const decoder = new Decoder();
  return {
    take() {
      const record = ring.take();
      return record === undefined ? undefined : (decoder.decode(record) as M);
    },
  };
}
