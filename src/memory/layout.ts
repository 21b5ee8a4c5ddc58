// The address map of a host's one shared WebAssembly memory. Allocated at its full size at start
// (pages are lazy) and never grown; every thread instantiates the same kernels over it.
//
//   0        ┌─────────────────────────┐
//            │ constants of kernels    │  data segments: ours below 32 KiB, a user's up to 64 KiB
//   64 KiB   ├─────────────────────────┤
//            │ control lines           │  one 64-byte line per word: no two writers share a line
//   96 KiB   ├─────────────────────────┤
//            │ rings                   │  three per actor: limits.ringBytes each
//            ├─────────────────────────┤
//            │ scratch                 │  one per thread: limits.scratchBytes each
//            ├─────────────────────────┤
//            │ arena                   │  data blocks, tables, delta logs: bump-allocated
//   4 GiB    └─────────────────────────┘
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';

const LINE_BYTES = 64;
const CONTROL_AT = 64 * 1024;
const CONTROL_BYTES = 32 * 1024;
const ringsPerThread = 3;

/** Lines of the control page, by line number. A line holds 16 i32 cells; cell 0 is the word. */
export const controlLine = {
  /** 0 run · 1 stop asked for · 2 an actor failed. Written by the supervisor. */
  stop: 0,
  /** First free byte of the arena, in units of 16 bytes. Any thread allocates by atomic add. */
  arena: 1,
  /** Futex that every clock tick bumps; gates wait on it. */
  tick: 2,
  /** Readers-writer lock of the tables: −1 writer, n readers. */
  lock: 3,
  /** Futex that bumps when the lock is released. */
  unlocked: 4,
  /** Clocks of the other hosts that the own shard has. */
  shardClock: 5,
  /** Takes numbers for the events of a recorded run, in the order in which they happen. */
  ticket: 6,
  /** First of `actorsMax` lines: finished clocks of actor a, workers first, then the scheduler. */
  clocks: 64,
  /** First of `actorsMax` lines: pushes finished but not yet folded (bsp's middle gate). */
  pushed: 144,
  /** First of `actorsMax` lines: what an actor is doing and how often it made progress. */
  state: 224,
  /**
   * First of `actorsMax` lines: how many wants of worker a were granted; cell 1: its prefetches
   * that are under way, a bit each.
   */
  granted: 304,
  /** First of `limits.tablesMax` lines: clocks of the other hosts that reads of a table see. */
  tableClocks: 384,
} as const;

/** The workers, the scheduler and the mailbox. */
export const actorsMax = limits.workersMax + 2;
assert(controlLine.clocks + actorsMax <= controlLine.pushed, 'an actor has a line for its clock');
assert(controlLine.pushed + actorsMax <= controlLine.state, 'and one for its pushes');
assert(controlLine.state + actorsMax <= controlLine.granted, 'and one for its state');
assert(controlLine.granted + actorsMax <= controlLine.tableClocks, 'and one for its wants');
assert(
  (controlLine.tableClocks + limits.tablesMax) * LINE_BYTES <= CONTROL_BYTES,
  'the control page holds its lines',
);

export type Layout = {
  readonly threadCount: number;
  readonly bytes: number;
  readonly ringsAt: number;
  readonly scratchAt: number;
  readonly arenaAt: number;
};

/** Index into an Int32Array over the whole memory of cell `cell` of control line `line`. */
export function controlIndex(line: number, cell = 0): number {
  return (CONTROL_AT + line * LINE_BYTES) / 4 + cell;
}

/** The map for `threadCount` threads that need scratch and rings: workers, scheduler, loaders. */
export function planLayout(threadCount: number, bytes: number = limits.memoryBytes): Layout {
  assert(threadCount >= 1, 'a host has threads');
  assert(bytes <= limits.memoryBytes, 'wasm32 addresses 4 GiB');
  const ringsAt = CONTROL_AT + CONTROL_BYTES;
  const scratchAt = ringsAt + ringsPerThread * threadCount * limits.ringBytes;
  const arenaAt = scratchAt + threadCount * limits.scratchBytes;
  assert(arenaAt < bytes, 'the arena has room');
  return { threadCount, bytes, ringsAt, scratchAt, arenaAt };
}

/** inbox: scheduler → worker · reports: worker → scheduler · events: actor → supervisor. */
export type Ring = 'inbox' | 'reports' | 'events';
const ringOrder: readonly Ring[] = ['inbox', 'reports', 'events'];

/** Byte offset of a ring of actor `thread`. */
export function ringAt(layout: Layout, thread: number, ring: Ring): number {
  assert(thread < layout.threadCount, 'the thread is on the map');
  return layout.ringsAt + (ringsPerThread * thread + ringOrder.indexOf(ring)) * limits.ringBytes;
}

/** Private scratch of `thread`: [at, at + limits.scratchBytes). */
export function scratchAt(layout: Layout, thread: number): number {
  assert(thread < layout.threadCount, 'the thread is on the map');
  return layout.scratchAt + thread * limits.scratchBytes;
}
