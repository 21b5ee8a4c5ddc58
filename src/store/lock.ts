// Readers-writer lock over two shared cells: readers snapshot tables, a writer folds its deltas in,
// so the deltas of a clock become visible together or not at all. Held for a copy or an addition,
// never across user code.
//
//   lock cell: −1 writer, 0 free, n readers        unlocked cell: futex, bumped at every release
import type { Arena } from '../memory/arena.ts';
import { controlIndex, controlLine } from '../memory/layout.ts';
import { limits } from '../base/limits.ts';
import { Stopped, type Control } from './control.ts';

export type TableLock = {
  read<T>(section: () => T): T;
  write<T>(section: () => T): T;
};

export function openLock(arena: Arena, control: Control): TableLock {
  const { i32 } = arena;
  const cell = controlIndex(controlLine.lock);
  const unlocked = controlIndex(controlLine.unlocked);

  const acquire = (attempt: (now: number) => number | undefined): void => {
    for (;;) {
      const seen = Atomics.load(i32, unlocked);
      const now = Atomics.load(i32, cell);
      const next = attempt(now);
      if (next === undefined) {
        if (control.stopped()) throw new Stopped();
        Atomics.wait(i32, unlocked, seen, limits.gateWaitMs);
      } else if (Atomics.compareExchange(i32, cell, now, next) === now) return;
    }
  };
  const release = (change: number): void => {
    Atomics.add(i32, cell, change);
    Atomics.add(i32, unlocked, 1);
    Atomics.notify(i32, unlocked);
  };

  return {
    read(section) {
      acquire((now) => (now >= 0 ? now + 1 : undefined));
      try {
        return section();
      } finally {
        release(-1);
      }
    },
    write(section) {
      acquire((now) => (now === 0 ? -1 : undefined));
      try {
        return section();
      } finally {
        release(1);
      }
    },
  };
}
