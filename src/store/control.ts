// The shared control words of a host, as verbs: clocks, the stop word, and the waits on them.
// Every wait ends early when the run is stopped, and wakes at least every `gateWaitMs`.
import { limits } from '../base/limits.ts';
import type { Arena } from '../memory/arena.ts';
import { actorsMax, controlIndex, controlLine } from '../memory/layout.ts';

/** Why a run ends before its time. */
const stopReason = { none: 0, asked: 1, failed: 2 } as const;

/** What an actor is doing, for the watchdog and for messages about it. */
export const activity = {
  idle: 0,
  waitingForClocks: 1,
  pushing: 2,
  folding: 3,
  waitingForWork: 4,
  scheduling: 5,
  starting: 6,
} as const;
export type Activity = keyof typeof activity;

/** Thrown through an actor's loop when the run was stopped; never reaches a user. */
export class Stopped extends Error {}

export type Control = ReturnType<typeof openControl>;

export function openControl(arena: Arena, workers: number) {
  const { i32 } = arena;
  const stopCell = controlIndex(controlLine.stop);
  const tickCell = controlIndex(controlLine.tick);
  const word = (line: number, worker: number) => controlIndex(line + worker);

  const minimum = (line: number): number => {
    let least = Infinity;
    for (let worker = 0; worker < workers; worker++) {
      least = Math.min(least, Atomics.load(i32, word(line, worker)));
    }
    return least;
  };

  const wake = (): void => {
    Atomics.add(i32, tickCell, 1);
    Atomics.notify(i32, tickCell);
  };

  const stopped = (): boolean => Atomics.load(i32, stopCell) !== stopReason.none;

  return {
    workers,
    stopped,
    wake,
    stop(reason: keyof typeof stopReason): void {
      Atomics.compareExchange(i32, stopCell, stopReason.none, stopReason[reason]);
      wake();
    },
    /** Clears clocks and the stop word. Only between runs. */
    reset(): void {
      for (let actor = 0; actor < actorsMax; actor++) {
        const lines = [controlLine.clocks, controlLine.pushed, controlLine.state];
        for (const line of [...lines, controlLine.granted]) {
          Atomics.store(i32, word(line, actor), 0);
          Atomics.store(i32, word(line, actor) + 1, 0);
        }
      }
      for (let table = 0; table < limits.tablesMax; table++) {
        Atomics.store(i32, word(controlLine.tableClocks, table), 0);
      }
      Atomics.store(i32, controlIndex(controlLine.shardClock), 0);
      Atomics.store(i32, controlIndex(controlLine.ticket), 0);
      Atomics.store(i32, controlIndex(controlLine.lock), 0);
      Atomics.store(i32, stopCell, stopReason.none);
    },
    minClock: () => minimum(controlLine.clocks),
    minPushed: () => minimum(controlLine.pushed),
    /** Clocks that the workers of this host have finished, together: moves when deltas come. */
    foldedClocks(): number {
      let sum = 0;
      for (let worker = 0; worker < workers; worker++) {
        sum += Atomics.load(i32, word(controlLine.clocks, worker));
      }
      return sum;
    },
    clock: (actor: number) => Atomics.load(i32, word(controlLine.clocks, actor)),
    /** Publishes that `actor` has finished `clock` clocks. */
    setClock(actor: number, clock: number): void {
      Atomics.store(i32, word(controlLine.clocks, actor), clock);
      wake();
    },
    setPushed(worker: number, pushes: number): void {
      Atomics.store(i32, word(controlLine.pushed, worker), pushes);
      wake();
    },
    /** Clocks of the other hosts that the rows of this host have in them. */
    shardClock: () => Atomics.load(i32, controlIndex(controlLine.shardClock)),
    /** Wakes nobody yet, as the two below: `wake` when all is said. */
    setShardClock(clock: number): void {
      Atomics.store(i32, controlIndex(controlLine.shardClock), clock);
    },
    /** Clocks of the other hosts that the cached rows of `table` have in them. */
    tableClock: (table: number) => Atomics.load(i32, word(controlLine.tableClocks, table)),
    setTableClock(table: number, clock: number): void {
      Atomics.store(i32, word(controlLine.tableClocks, table), clock);
    },
    /** How many of a worker's wants were granted, in whatever order. */
    granted: (worker: number) => Atomics.load(i32, word(controlLine.granted, worker)),
    grant(worker: number): void {
      Atomics.add(i32, word(controlLine.granted, worker), 1);
    },
    /** Prefetches of a worker that are under way, a bit each. */
    prefetching: (worker: number) => Atomics.load(i32, word(controlLine.granted, worker) + 1),
    beginPrefetch(worker: number, slot: number): void {
      Atomics.or(i32, word(controlLine.granted, worker) + 1, 1 << slot);
    },
    /** Nobody waits for a prefetch: no wake. */
    endPrefetch(worker: number, slot: number): void {
      Atomics.and(i32, word(controlLine.granted, worker) + 1, ~(1 << slot));
    },
    /** The futex that every change bumps, for who waits without blocking. */
    tick: { cell: tickCell, now: () => Atomics.load(i32, tickCell) },
    /** Publishes what `thread` does now; each change counts as progress. */
    setActivity(thread: number, now: Activity): void {
      const cell = word(controlLine.state, thread);
      Atomics.store(i32, cell, activity[now]);
      Atomics.add(i32, cell + 1, 1);
    },
    /** Progress in the middle of an activity. @throws Stopped when the run is stopped. */
    poll(thread: number): void {
      Atomics.add(i32, word(controlLine.state, thread) + 1, 1);
      if (stopped()) throw new Stopped();
    },
    /** What `thread` does, and a count that moves whenever it makes progress. */
    activityOf(thread: number): { readonly now: Activity; readonly steps: number } {
      const cell = word(controlLine.state, thread);
      const code = Atomics.load(i32, cell);
      const names = Object.keys(activity) as Activity[];
      return { now: names[code] ?? 'idle', steps: Atomics.load(i32, cell + 1) };
    },
    /**
     * Blocks the calling worker thread until `ready()`; it is asked again after every wake.
     * @throws Stopped when the run is stopped meanwhile.
     */
    waitUntil(ready: () => boolean): void {
      for (;;) {
        const seen = Atomics.load(i32, tickCell); // before `ready`: a wake after it is not missed
        if (stopped()) throw new Stopped();
        if (ready()) return;
        Atomics.wait(i32, tickCell, seen, limits.gateWaitMs);
      }
    },
  };
}
