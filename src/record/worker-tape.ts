// What a worker decides by what it finds in shared memory, other than under the table lock: which
// tables it asks other hosts for, with which adapted staleness. A recording writes it down, a
// replay does not look and takes what is written.
//
//   tape = for each push: tables asked for (bits) · staleness + 1     for each clock: check sum
import { ByteReader, ByteWriter, diverged } from './bytes.ts';

export type Asked = {
  /** Bit i: table i was asked for. */
  readonly tables: number;
  /** The adapted bound; −1 without one. */
  readonly staleness: number;
};

export type WorkerTape = {
  /** A replay: it waits for nothing, and says before it takes the table lock. */
  readonly plays: boolean;
  ask(find: () => Asked): Asked;
  /** A sample of the deltas of a clock. */
  check(clock: number, sum: number): void;
  /** What was recorded. */
  bytes(): Uint8Array;
};

export function recordWorker(): WorkerTape {
  const writer = new ByteWriter();
  return {
    plays: false,
    ask(find) {
      const asked = find();
      writer.write(asked.tables >>> 0);
      writer.write(asked.staleness + 1);
      return asked;
    },
    check: (_, sum) => writer.write(sum),
    bytes: () => writer.bytes(),
  };
}

/** `name` says whose tape it is: rank 1, worker 0. */
export function playWorker(bytes: Uint8Array, name: string): WorkerTape {
  const reader = new ByteReader(bytes);
  const next = (): number => {
    const value = reader.read();
    if (value === undefined) throw diverged(name, 'it does more than was recorded');
    return value;
  };
  return {
    plays: true,
    ask() {
      const tables = next() | 0;
      return { tables, staleness: next() - 1 };
    },
    check(clock, sum) {
      const recorded = next();
      if (recorded === sum) return;
      throw diverged(`${name}, clock ${clock + 1}`, 'its deltas differ from the recorded ones');
    },
    bytes: () => bytes,
  };
}
