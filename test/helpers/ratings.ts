// Ratings for kernel tests, in chunks as a parser makes them, and the steps that sort them into
// blocks, called as the model calls them.
import { prngOf, type Lab } from './lab.ts';

export type Rating = { readonly user: number; readonly item: number; readonly value: number };

export type RatingSet = {
  readonly users: number;
  readonly items: number;
  readonly chunks: readonly (readonly Rating[])[];
};

/** Skewed as ratings are: low ids have most. Values tell the place in the input. */
export function randomRatings(users: number, items: number, sizes: readonly number[]): RatingSet {
  const prng = prngOf(users + items + sizes.length);
  const skewed = (n: number) => Math.floor(n * prng.uniform() ** 2);
  let number = 0;
  const chunks = sizes.map((size) =>
    Array.from({ length: size }, () => ({
      ...{ user: skewed(users), item: skewed(items), value: number++ },
    })),
  );
  return { users, items, chunks };
}

export type Order = {
  readonly order: Int32Array;
  readonly rank: Int32Array;
  readonly part: Int32Array;
  readonly starts: Int32Array;
};

/** mf_order over the given counts. */
export function runOrder(lab: Lab, counts: Int32Array, G: number, seed: number) {
  const n = counts.length;
  const [order, rank, part] = [0, 1, 2].map(() => lab.output(n * 4)) as [number, number, number];
  const starts = lab.output((G + 1) * 4);
  lab.kernels.mf_order(n, G, seed, lab.input(counts), order, rank, part, starts);
  const at = { order, rank, part, starts };
  const values: Order = {
    ...{ order: lab.i32(order, n), rank: lab.i32(rank, n), part: lab.i32(part, n) },
    starts: lab.i32(starts, G + 1),
  };
  return { at, values };
}

export type Run = { user: number; items: number[]; values: number[] };

/** counts → order → partition → count, lay out, place: the runs of block [a][b]. */
export function buildBlocks(lab: Lab, ratings: RatingSet, G: number, unit: [number, number]) {
  lab.reset();
  const { kernels } = lab;
  const chunks = ratings.chunks.map((chunk) => ({
    count: chunk.length,
    user: lab.output(Int32Array.from(chunk, (r) => r.user)),
    item: lab.output(Int32Array.from(chunk, (r) => r.item)),
    value: lab.output(Float32Array.from(chunk, (r) => r.value)),
    ends: lab.output(G * 4),
    work: lab.output(12 * chunk.length + 4 * G),
  }));
  const n = lab.output(new Int32Array(ratings.users));
  const m = lab.output(new Int32Array(ratings.items));
  const sums = lab.output(new Float64Array(2));
  for (const c of chunks) kernels.mf_count(c.count, c.user, c.item, c.value, n, m, sums);
  const users = runOrder(lab, lab.i32(n, ratings.users), G, 7);
  const items = runOrder(lab, lab.i32(m, ratings.items), G, 9);
  for (const c of chunks) {
    kernels.mf_partition(
      ...([c.count, G, c.user, c.item, c.value, users.at.rank, items.at.rank] as const),
      ...([users.at.part, c.ends, c.work] as const),
    );
  }
  const partitioned = chunks.map((c) => ({
    user: lab.i32(c.user, c.count),
    item: lab.i32(c.item, c.count),
    value: lab.f32(c.value, c.count),
    ends: lab.i32(c.ends, G),
  }));
  const total = chunks.reduce((all, c) => all + c.count, 0);
  const [ix, values] = [lab.output(2 * total), lab.output(4 * total)];
  let first = 0;
  const blocks: Run[][][] = [];
  for (let a = 0; a < G; a++) {
    const firstUser = users.values.starts[a]!;
    const count = users.values.starts[a + 1]! - firstUser;
    const cells = lab.output(new Int32Array(count * G));
    const segments = chunks.map((c, i) => {
      const from = a === 0 ? 0 : partitioned[i]!.ends[a - 1]!;
      const place = (at: number) => at + 4 * from;
      const length = partitioned[i]!.ends[a]! - from;
      return { length, user: place(c.user), item: place(c.item), value: place(c.value) };
    });
    for (const s of segments) {
      kernels.mf_count_runs(s.length, G, firstUser, s.user, s.item, items.at.part, cells);
    }
    const laidOut = Array.from({ length: G }, (_, b) => {
      const runCount = kernels.mf_runs(count, G, b, cells);
      const runs = lab.output(8 * runCount);
      const begin = first;
      first += kernels.mf_lay_out(count, G, b, firstUser, first, cells, runs);
      return { begin, runs: lab.i32(runs, 2 * runCount) };
    });
    for (const s of segments) {
      kernels.mf_place(
        ...([s.length, G, firstUser, ...unit, 0, s.user, s.item, s.value] as const),
        ...([items.at.part, items.at.starts, cells, ix, values] as const),
      );
    }
    blocks.push(
      laidOut.map(({ begin, runs }) => readRuns(lab, runs, ix + 2 * begin, values + 4 * begin)),
    );
  }
  lab.check(`G=${G}`);
  const sumsOut = lab.f64(sums, 2);
  const counts = { n: lab.i32(n, ratings.users), m: lab.i32(m, ratings.items) };
  return { blocks, users: users.values, items: items.values, sums: sumsOut, counts, partitioned };
}

function readRuns(lab: Lab, runs: Int32Array, ix: number, values: number): Run[] {
  const read: Run[] = [];
  let done = 0;
  for (let at = 0; at < runs.length; at += 2) {
    const length = runs[at + 1]!;
    const items = [...lab.u16(ix + 2 * done, length)];
    read.push({ user: runs[at]!, items, values: [...lab.f32(values + 4 * done, length)] });
    done += length;
  }
  return read;
}
