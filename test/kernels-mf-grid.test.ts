// assembly/models/mf-grid.ts: ratings into blocks of runs, and what is computed over them.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, floats, integers, onEveryBuild, permutation } from './helpers/lab.ts';
import { prngOf, same, type Lab } from './helpers/lab.ts';
import { buildBlocks, randomRatings, runOrder } from './helpers/ratings.ts';
import { gamma, sum, U32, U64 } from './oracle/rounding.ts';
import { shuffled } from './oracle/shuffle.ts';

const total = (values: Iterable<number>) => sum(values);

onEveryBuild('mf_count: ratings per user and item, Σ r and Σ r² added to what is there', (lab) => {
  for (const count of [0, 1, 2, 7, 67, 500]) {
    lab.reset();
    const prng = prngOf(count);
    const [users, items] = [integers(count, 11, prng), integers(count, 13, prng)];
    const values = floats(count, prng);
    const [n, m] = [new Int32Array(11).fill(2), new Int32Array(13).fill(3)];
    const [nAt, mAt, sums] = [lab.output(n), lab.output(m), lab.output(Float64Array.of(5, 6))];
    const [u, i, v] = [lab.input(users), lab.input(items), lab.input(values)];
    lab.kernels.mf_count(count, u, i, v, nAt, mAt, sums);
    users.forEach((user) => n[user]!++);
    items.forEach((item) => m[item]!++);
    same(lab.i32(nAt, 11), n, 'users');
    same(lab.i32(mAt, 13), m, 'items');
    const squares = total(Array.from(values, (value) => value * value));
    const sizes = [total(values.map(Math.abs)), squares];
    const bound = sizes.map((size, k) => gamma(count + 2, U64) * (size + 5 + k));
    allClose(lab.f64(sums, 2), [5 + total(values), 6 + squares], bound, `count=${count}`);
    lab.check(`count=${count}`);
  }
});

onEveryBuild(
  'mf_order: a seeded permutation and its inverse, cut into parts of equal weight',
  (lab) => {
    const sizes = [1, 2, 3, 17, 400].flatMap((n) => [1, 4, 16].map((G) => [n, G] as const));
    for (const [n, G] of sizes) {
      lab.reset();
      // Skewed: id 0 has as many as all others together could have.
      const counts = integers(n, 20, prngOf(n)).map((count, id) => (id === 0 ? 40 : count));
      const { values } = runOrder(lab, counts, G, 12345);
      lab.check(`n=${n} G=${G}`);
      const { order, rank, part, starts } = values;
      assert.equal([...order], shuffled(n, 12345).order, `n=${n}: the order of its seed`);
      same(
        rank,
        Int32Array.from(rank, (_, id) => order.indexOf(id)),
        'rank is its inverse',
      );
      assert.is(starts[0], 0);
      assert.is(starts[G], n);
      const all = total(counts);
      const largest = Math.max(...counts);
      for (let g = 0; g < G; g++) {
        const [from, to] = [starts[g]!, starts[g + 1]!];
        assert.ok(from <= to, 'starts ascend');
        for (let at = from; at < to; at++) assert.is(part[at], g, `rank ${at} lies in its part`);
        const weight = total(Array.from(order.subarray(from, to), (id) => counts[id]!));
        // A part begins at the first rank at or after its share: off by less than one count.
        const label = `n=${n} G=${G} part ${g}: ${weight} of ${all}`;
        assert.ok(Math.abs(weight - all / G) <= largest, label);
      }
    }
  },
);

onEveryBuild('mf_order: no ratings at all still make G parts', (lab) => {
  const { values } = runOrder(lab, new Int32Array(9), 3, 1);
  assert.is(values.starts[0], 0);
  assert.is(values.starts[3], 9);
  lab.check('no ratings');
});

for (const G of [1, 2, 3, 8]) {
  onEveryBuild(
    `mf grid: a permutation of the input, in its blocks, order kept (G = ${G})`,
    (lab) => {
      for (const sizes of [[0], [1], [40, 0, 7, 300], [500, 500]]) {
        const ratings = randomRatings(37, 23, sizes);
        const [mean, scale] = [3, 0.5];
        const { blocks, users, items, counts, sums } = buildBlocks(lab, ratings, G, [mean, scale]);
        const input = ratings.chunks.flat();
        // What the input says that run (user, b) holds, in input order.
        const wanted = new Map<string, [number, number][]>();
        for (const { user, item, value } of input) {
          const [u, i] = [users.rank[user]!, items.rank[item]!];
          const b = items.part[i]!;
          const run = `${users.part[u]} ${b} ${u}`;
          const entry: [number, number] = [
            i - items.starts[b]!,
            Math.fround((value - mean) * scale),
          ];
          wanted.set(run, [...(wanted.get(run) ?? []), entry]);
        }
        let seen = 0;
        blocks.forEach((row, a) =>
          row.forEach((runs, b) => {
            const order = runs.map((run) => run.user);
            assert.equal(
              order,
              [...new Set(order)].sort((x, y) => x - y),
              'users ascend, one run each',
            );
            for (const run of runs) {
              const got = run.items.map((item, j) => [item, run.values[j]!]);
              assert.equal(
                got,
                wanted.get(`${a} ${b} ${run.user}`),
                `block ${a} ${b}, ${run.user}`,
              );
              seen += got.length;
            }
          }),
        );
        assert.is(seen, input.length, 'no rating is lost or made up');
        assert.is(total(counts.n), input.length);
        assert.is(total(counts.m), input.length);
        assert.is(sums[0], total(input.map((r) => r.value)), 'small integers: exact');
      }
    },
  );
}

onEveryBuild('mf_partition: chunks sorted by user part, input order kept, ends right', (lab) => {
  const ratings = randomRatings(37, 23, [64, 0, 1, 200]);
  const { partitioned, users, items } = buildBlocks(lab, ratings, 4, [0, 1]);
  partitioned.forEach((chunk, c) => {
    const input = ratings.chunks[c]!;
    const rows = input.map((r) => [users.rank[r.user]!, items.rank[r.item]!, r.value]);
    const part = (row: number[]) => users.part[row[0]!]!;
    const want = [0, 1, 2, 3].map((g) => rows.filter((row) => part(row) === g));
    const got = Array.from(chunk.user, (u, j) => [u, chunk.item[j]!, chunk.value[j]!]);
    assert.equal(got, want.flat());
    const ends = want.map((_, g) => want.slice(0, g + 1).flat().length);
    assert.equal([...chunk.ends], ends);
  });
});

/** A block of 5 users and 6 items, ix and values in run order. */
function smallBlock(lab: Lab, lengths: readonly number[]) {
  const prng = prngOf(lengths.length + 1);
  const runs = lengths.flatMap((length, user) => (length === 0 ? [] : [user + 10, length]));
  const count = lengths.reduce((all, length) => all + length, 0);
  const ix = Uint16Array.from(integers(count, 6, prng));
  const values = floats(count, prng);
  const users = lengths.flatMap((length, user) => Array<number>(length).fill(user));
  const at = {
    runs: lab.input(Int32Array.from(runs)),
    ix: lab.input(ix),
    values: lab.input(values),
  };
  return { ...at, runCount: runs.length / 2, items: ix, reals: values, users };
}

onEveryBuild('mf_item_sums, mf_user_sums: sums of a block added in f64', (lab) => {
  for (const lengths of [[], [1], [3, 0, 9, 1, 4]]) {
    lab.reset();
    const block = smallBlock(lab, lengths);
    const rows = floats(6 * 8, prngOf(3));
    const before = Float64Array.from({ length: 6 }, (_, i) => i);
    const [itemSums, userSums] = [lab.output(before), lab.output(before)];
    const { runCount, runs, ix, values } = block;
    lab.kernels.mf_item_sums(runCount, runs, ix, values, itemSums, 0);
    const items = lab.input(rows);
    lab.kernels.mf_user_sums(runCount, 10, 32, runs, ix, values, items, userSums, 0);
    const wantItems = [...before];
    const wantUsers = [...before];
    block.reals.forEach((value, j) => {
      wantItems[block.items[j]!]! += value;
      wantUsers[block.users[j]!]! += value - rows[8 * block.items[j]! + 1]!;
    });
    // A difference of two f32 of size at most 2 is rounded once, to f32; the rest is f64.
    const bound = block.reals.length * (2 * U32 + gamma(20, U64) * 10);
    allClose(lab.f64(itemSums, 6), wantItems, gamma(20, U64) * 20, 'items');
    allClose(lab.f64(userSums, 6), wantUsers, bound, 'users');
    lab.check(lengths.join());
  }
});

const startOptions = { first: 2, last: 300, lanes: 12, seed: 99, spread: Math.fround(0.1) };

function startRows(lab: Lab, order: Int32Array, bias: boolean) {
  lab.reset();
  const { first, last, lanes, seed, spread } = startOptions;
  const counts = integers(order.length, 50, prngOf(4));
  const sums = Float64Array.from({ length: last - first }, (_, i) => i / 7 - 3);
  // Two lanes of padding after the 12: they are 0.
  const rows = lab.output((last - first) * 64);
  const base = rows - first * 64;
  const [orderAt, countsAt, sumsAt] = [lab.input(order), lab.input(counts), lab.input(sums)];
  lab.kernels.mf_start_rows(
    ...([first, last, 64, lanes, seed, spread, bias ? 1 : -1, 0, 5] as const),
    ...([orderAt, countsAt, sumsAt, base] as const),
  );
  lab.check('start rows');
  return { values: lab.f32(rows, (last - first) * 16), counts, sums };
}

onEveryBuild('mf_start_rows: N(0, spread²) in its first moments, biases shrunk to 0', (lab) => {
  const { first, last, lanes, spread } = startOptions;
  const order = permutation(300, prngOf(5));
  const plain = startRows(lab, order, false);
  const factors = [...plain.values].filter((_, at) => at % 16 < lanes);
  same(
    plain.values.filter((_, at) => at % 16 >= lanes),
    new Float32Array((last - first) * (16 - lanes)),
    'padding is 0',
  );
  const n = factors.length;
  const mean = total(factors) / n;
  const variance = total(factors.map((x) => (x - mean) ** 2)) / n;
  // The sum of four uniforms has kurtosis 2.7, so its variance is known to √(1.7 / n); 4 σ.
  close(mean, 0, (4 * spread) / Math.sqrt(n), 'mean');
  close(variance / spread ** 2, 1, 4 * Math.sqrt(1.7 / n), 'variance');
  const products = factors.map((x, at) => (at === 0 ? 0 : x * factors[at - 1]!));
  close(total(products) / n / spread ** 2, 0, 4 / Math.sqrt(n), 'neighbours are unrelated');
  assert.ok(Math.max(...factors) <= spread * 2 * Math.sqrt(3), 'no outliers');
  const biased = startRows(lab, order, true);
  for (let row = 0; row < last - first; row++) {
    assert.is(biased.values[16 * row + 1], 1, 'the constant lane');
    const count = biased.counts[order[row + first]!]!;
    const want = biased.sums[row]! / (count + 5);
    close(biased.values[16 * row]!, want, 1.001 * U32 * Math.abs(want), 'the bias');
    same(
      biased.values.subarray(16 * row + 2, 16 * row + 16),
      plain.values.subarray(16 * row + 2, 16 * row + 16),
      'the factors',
    );
  }
});

onEveryBuild('mf_start_rows: values belong to the id, whatever its rank', (lab) => {
  const { first, last } = startOptions;
  const orders = [6, 7].map((seed) => permutation(300, prngOf(seed)));
  const byId = orders.map((order) => {
    const { values } = startRows(lab, order, false);
    const row = (rank: number) => [
      ...values.subarray(16 * (rank - first), 16 * (rank - first) + 16),
    ];
    const ranks = Array.from({ length: last - first }, (_, i) => i + first);
    return new Map(ranks.map((rank) => [order[rank]!, row(rank)]));
  });
  for (const [id, row] of byId[0]!)
    if (byId[1]!.has(id)) assert.equal(byId[1]!.get(id), row, `${id}`);
});

onEveryBuild('mf_rates: steps and decays as their formula, users and items', (lab) => {
  const [lambda, c, meanCount, slices] = [0.02, 5, 12.5, 32];
  for (const items of [0, 1]) {
    for (const n of [0, 1, 9]) {
      lab.reset();
      const counts = integers(n, 40, prngOf(n));
      const order = permutation(n, prngOf(n + 1));
      const [base, y, yBias] = [0, 1, 2].map(() => lab.output(n * 4)) as [number, number, number];
      const [orderAt, countsAt] = [lab.input(order), lab.input(counts)];
      lab.kernels.mf_rates(
        ...([n, items, lambda, c, meanCount, slices, orderAt, countsAt, base, y, yBias] as const),
      );
      const want = Array.from(order, (id) => {
        const count = Math.max(1, counts[id]!);
        const step = items ? Math.min(1, Math.sqrt(meanCount / count)) : 1;
        const share = items ? slices : count;
        return [step, (step * (lambda * count + c)) / share, (step * c) / share];
      });
      [base, y, yBias].forEach((at, k) => {
        const wanted = want.map((row) => row[k]!);
        const bound = wanted.map((value) => 1.001 * U32 * value);
        allClose(lab.f32(at, n), wanted, bound, `n=${n} items=${items} output ${k}`);
      });
      lab.check(`n=${n}`);
    }
  }
});

onEveryBuild('mf_penalty: Σ count · ‖factors‖² without the skipped lanes', (lab) => {
  for (const lanes of [4, 8, 36]) {
    for (const skip of [0, 2]) {
      lab.reset();
      const n = 9;
      const rows = floats(n * lanes, prngOf(lanes));
      const counts = integers(n, 40, prngOf(2));
      const order = permutation(n, prngOf(3));
      const [orderAt, countsAt, rowsAt] = [lab.input(order), lab.input(counts), lab.input(rows)];
      const part = (first: number, last: number) =>
        lab.kernels.mf_penalty(first, last, lanes * 4, skip, orderAt, countsAt, rowsAt);
      const squares = (first: number, last: number) => {
        const values = Array.from(order.subarray(first, last), (id, i) => {
          const row = [...rows.subarray((first + i) * lanes + skip, (first + i + 1) * lanes)];
          return counts[id]! * total(row.map((x) => x * x));
        });
        return total(values);
      };
      for (const [first, last] of [
        [0, n],
        [2, 5],
        [4, 4],
      ] as const) {
        const wanted = squares(first, last);
        close(part(first, last), wanted, gamma(lanes + n + 2, U64) * wanted, `[${first}, ${last})`);
      }
      lab.check(`lanes=${lanes}`);
    }
  }
});

onEveryBuild('mf_export: rows back in id order, in the units of the ratings', (lab) => {
  const scale = 1.7;
  for (const [rank, skip, lanes] of [
    [4, 0, 4],
    [7, 2, 12],
    [32, 2, 36],
  ] as const) {
    for (const withBias of [false, true]) {
      lab.reset();
      const n = 11;
      const rows = floats(n * lanes, prngOf(rank));
      const order = permutation(n, prngOf(8));
      const out = lab.output(n * rank * 4);
      const biases = withBias ? lab.output(n * 4) : 0;
      const [orderAt, rowsAt] = [lab.input(order), lab.input(rows)];
      lab.kernels.mf_export(
        ...([n, lanes * 4, skip, rank, 1, scale, orderAt, rowsAt, out, biases] as const),
      );
      const ranks = Array.from({ length: n }, (_, id) => order.indexOf(id));
      const factors = ranks.flatMap((row) =>
        Array.from({ length: rank }, (_, k) => Math.sqrt(scale) * rows[row * lanes + skip + k]!),
      );
      const bound = (values: number[]) => values.map((value) => 1.001 * U32 * Math.abs(value));
      allClose(lab.f32(out, n * rank), factors, bound(factors), `rank=${rank}`);
      if (withBias) {
        const wanted = ranks.map((row) => scale * rows[row * lanes + 1]!);
        allClose(lab.f32(biases, n), wanted, bound(wanted), 'biases');
      }
      lab.check(`rank=${rank}`);
    }
  }
});

test.run();
