// assembly/models/mf.ts: the block update, its error and predictions, against float64.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, close, floats, integers, onEveryBuild, permutation } from './helpers/lab.ts';
import { prngOf, type Lab } from './helpers/lab.ts';
import { mfBlock, score, type Block } from './oracle/mf.ts';
import { gamma, U32, U64 } from './oracle/rounding.ts';

const itemCount = 24;
const userCount = 30;

type Shape = { K: number; bias: boolean; slices: number; lengths: readonly number[] };

/** Runs of the given lengths, each of another user; values and rows of usual size. */
function blockOf({ K, bias, slices, lengths }: Shape, seed: number): Block {
  const prng = prngOf(seed);
  const row = (constant: number) => {
    const values = [...floats(K, prng)].map((value) => value / 4);
    if (bias) values[constant] = 1;
    return values;
  };
  const numbers = (n: number, scale: number) =>
    Array.from({ length: n }, () => Math.fround(scale * (0.1 + prng.uniform())));
  const order = permutation(userCount, prng);
  const runs = lengths.map((length, run) => {
    const items = permutation(itemCount, prng);
    const ratings = Array.from(
      floats(length, prng),
      (value, j) => [items[j % itemCount]!, value] as const,
    );
    return { user: order[run]!, ratings };
  });
  return {
    ...{ K, bias, slices, runs, eta: Math.fround(0.05) },
    users: Array.from({ length: userCount }, () => row(1)),
    items: Array.from({ length: itemCount }, () => row(0)),
    ...{ yUser: numbers(userCount, 0.1), yBias: numbers(userCount, 0.3) },
    ...{ base: numbers(itemCount, 1), decay: numbers(itemCount, 2) },
    decayBias: numbers(itemCount, 1),
  };
}

function place(lab: Lab, block: Block) {
  lab.reset();
  const ratings = block.runs.flatMap((run) => run.ratings);
  const runs = block.runs.flatMap((run) => [run.user, run.ratings.length]);
  return {
    runs: lab.input(Int32Array.from(runs)),
    ix: lab.input(Uint16Array.from(ratings, ([item]) => item)),
    values: lab.input(Float32Array.from(ratings, ([, value]) => value)),
    users: lab.output(Float32Array.from(block.users.flat())),
    items: lab.output(Float32Array.from(block.items.flat())),
    count: ratings.length,
  };
}

/** Steps above the base that stand for a block's values, when it is coded. */
type Code = { readonly scale: number; readonly base: number; readonly steps: Uint8Array };

function runBlock(lab: Lab, block: Block, coding?: Code) {
  const at = place(lab, block);
  const code = coding ? lab.input(Float32Array.of(coding.scale, coding.base, 0, 0)) : 0;
  if (coding) at.values = lab.input(coding.steps);
  const numbers = [block.yUser, block.yBias, block.base, block.decay, block.decayBias];
  const [yUser, yBias, base, decay, decayBias] = numbers.map((values) =>
    lab.input(Float32Array.from(values)),
  ) as [number, number, number, number, number];
  const loss = lab.kernels.mf_block(
    ...([block.runs.length, block.K * 4, block.slices, block.bias ? 1 : 0] as const),
    ...([itemCount, block.eta, at.runs, at.ix, at.values, at.users, at.items] as const),
    ...([yUser, yBias, base, decay, decayBias, code] as const),
  );
  lab.check(`K=${block.K}`);
  return {
    loss,
    users: lab.f32(at.users, userCount * block.K),
    items: lab.f32(at.items, itemCount * block.K),
  };
}

function checkBlock(lab: Lab, block: Block, label: string): void {
  const got = runBlock(lab, block);
  const want = mfBlock(block);
  for (const side of ['users', 'items'] as const) {
    const wanted = want[side].flat();
    const bound = wanted.map(({ error }) => error);
    // A bound that grew beyond use would let anything pass.
    assert.ok(Math.max(...bound) < 2e-5, `${label}: the bound says something`);
    allClose(
      got[side],
      wanted.map(({ value }) => value),
      bound,
      `${label} ${side}`,
    );
  }
  close(got.loss, want.loss.value, want.loss.error, `${label} loss`);
}

for (const bias of [false, true]) {
  onEveryBuild(`mf_block: runs of 1…9 ratings, K = 4, 8, 32, 36 (bias ${bias})`, (lab) => {
    for (const K of [4, 8, 32, 36]) {
      for (let length = 1; length <= 9; length++) {
        const block = blockOf({ K, bias, slices: 1, lengths: [length] }, 10 * K + length);
        checkBlock(lab, block, `K=${K}, one run of ${length}`);
      }
      for (const slices of [1, 2, 3, 7]) {
        const block = blockOf({ K, bias, slices, lengths: [3, 1, 9, 4, 2, 5] }, K + slices);
        checkBlock(lab, block, `K=${K}, ${slices} slices`);
      }
    }
  });
}

onEveryBuild('mf_block: the constant lanes stay 1, rows of others are only decayed', (lab) => {
  const block = blockOf({ K: 8, bias: true, slices: 2, lengths: [5, 6, 7] }, 3);
  const { users, items } = runBlock(lab, block);
  for (let row = 0; row < userCount; row++) assert.is(users[row * 8 + 1], 1, `user ${row}`);
  for (let row = 0; row < itemCount; row++) assert.is(items[row * 8], 1, `item ${row}`);
  const met = new Set(block.runs.map((run) => run.user));
  block.users.forEach((row, user) => {
    if (met.has(user)) return;
    assert.equal(
      [...users.subarray(user * 8, user * 8 + 8)],
      row,
      `user ${user} has no rating here`,
    );
  });
});

onEveryBuild('mf_block: an item that a batch holds twice gets both updates', (lab) => {
  const block = blockOf({ K: 8, bias: true, slices: 1, lengths: [4, 4] }, 8);
  const twice = block.runs.map(({ user, ratings }) => ({
    user,
    ratings: ratings.map(([item, value], j) => [j === 2 ? ratings[0]![0] : item, value] as const),
  }));
  checkBlock(lab, { ...block, runs: twice }, 'twice');
});

onEveryBuild('mf_block: no runs only decay the items, once a slice', (lab) => {
  for (const bias of [false, true]) {
    checkBlock(lab, blockOf({ K: 12, bias, slices: 3, lengths: [] }, 4), `bias ${bias}`);
  }
});

onEveryBuild('mf_block, mf_block_error: coded values are the same bits as plain ones', (lab) => {
  const [scale, base] = [Math.fround(0.41), Math.fround(-2.3)];
  for (const length of [1, 2, 3, 4, 5, 9]) {
    const block = blockOf({ K: 12, bias: true, slices: 2, lengths: [length, 7] }, length);
    const steps = integers(length + 7, 256, prngOf(length));
    let next = 0;
    const runs = block.runs.map(({ user, ratings }) => ({
      user,
      ratings: ratings.map(([item]) => {
        return [item, Math.fround(Math.fround(steps[next++]! * scale) + base)] as const;
      }),
    }));
    const plain = runBlock(lab, { ...block, runs });
    const coded = runBlock(lab, { ...block, runs }, { scale, base, steps: Uint8Array.from(steps) });
    assert.is(coded.loss, plain.loss);
    assert.equal([...coded.users], [...plain.users]);
    assert.equal([...coded.items], [...plain.items]);
    const at = place(lab, { ...block, runs });
    const code = lab.input(Float32Array.of(scale, base, 0, 0));
    const bytes = lab.input(Uint8Array.from(steps));
    const error = (values: number, place_: number) =>
      lab.kernels.mf_block_error(2, 48, at.runs, at.ix, values, at.users, at.items, place_);
    assert.is(error(bytes, code), error(at.values, 0));
  }
});

onEveryBuild('mf_codable: star ratings are, others are not', (lab) => {
  const check = (ratings: number[], minimum: number, step: number) => {
    lab.reset();
    return lab.kernels.mf_codable(
      ratings.length,
      lab.input(Float32Array.from(ratings)),
      minimum,
      step,
    );
  };
  assert.is(check([0.5, 5, 3.5, 1], 0.5, 0.5), 1);
  assert.is(check([1, 2, 5, 3], 1, 1), 1);
  assert.is(check([1, 2, 5, 3.5], 1, 1), 0);
  assert.is(check([0, 255], 0, 1), 1);
  assert.is(check([0, 256], 0, 1), 0);
  assert.is(check([1, 1.3, 2.7], 1, 0.5), 0);
});

onEveryBuild('mf_block_error: Σ (v − p·q)² in f64, rows standing still', (lab) => {
  for (const K of [4, 8, 12, 32, 36, 64]) {
    for (let length = 0; length <= 9; length++) {
      const block = blockOf({ K, bias: true, slices: 1, lengths: [length, 3] }, K + length);
      const at = place(lab, block);
      const { runs, ix, values, users, items } = at;
      const got = lab.kernels.mf_block_error(2, K * 4, runs, ix, values, users, items, 0);
      let want = 0;
      let size = 0;
      for (const { user, ratings } of block.runs) {
        for (const [item, value] of ratings) {
          const [p, q] = [block.users[user]!, block.items[item]!];
          const reach = Math.abs(value) + score(p.map(Math.abs), q.map(Math.abs));
          want += (value - score(p, q)) ** 2;
          size += reach ** 2;
        }
      }
      // An error e is off by γ reach in either computation; e² by twice that times the reach.
      close(got, want, 4 * gamma(K + at.count + 2, U64) * size, `K=${K} n=${at.count}`);
      lab.check(`K=${K}`);
    }
  }
});

/** Predictions as the kernel's comment has them. */
function predicted(
  block: Block,
  places: { user: Int32Array; item: Int32Array; userRow: Int32Array; itemRow: Int32Array },
  unit: { mean: number; scale: number; low: number; high: number },
): number[] {
  return Array.from(places.user, (u, j) => {
    const i = places.item[j]!;
    const p = block.users[places.userRow[u] ?? -1];
    const q = block.items[places.itemRow[i] ?? -1];
    let s = 0;
    if (p && q) s = score(p, q);
    else if (block.bias) s = p?.[0] ?? q?.[1] ?? 0;
    return Math.min(Math.max(unit.mean + unit.scale * s, unit.low), unit.high);
  });
}

onEveryBuild(
  'mf_predict: p·q, the known side’s bias, or the mean; clipped; sums of errors',
  (lab) => {
    const unit = { mean: 3.5, scale: 1.25, low: 3.1, high: 3.9 };
    for (const K of [4, 8, 36]) {
      for (const bias of [false, true]) {
        for (const count of [0, 1, 2, 5, 40]) {
          lab.reset();
          const prng = prngOf(K + count);
          const block = blockOf({ K, bias, slices: 1, lengths: [] }, K);
          const unknown = (id: number) => (id % 5 === 4 ? -1 : id);
          const user = integers(count, userCount, prng).map(unknown);
          const item = integers(count, itemCount, prng).map(unknown);
          const value = floats(count, prng).map((v) => 3.5 + v);
          const [userRow, itemRow] = [permutation(userCount, prng), permutation(itemCount, prng)];
          const out = lab.output(count * 4);
          const sums = lab.output(Float64Array.of(10, 20));
          const inputs = [user, item, value, userRow, itemRow].map((part) => lab.input(part));
          const rows = [block.users, block.items].map((side) =>
            lab.input(Float32Array.from(side.flat())),
          );
          const [u, i, v, ur, ir] = inputs as [number, number, number, number, number];
          const [p, q] = rows as [number, number];
          const run = (outAt: number, sumsAt: number) =>
            lab.kernels.mf_predict(
              ...([
                count,
                K * 4,
                bias ? 1 : 0,
                unit.mean,
                unit.scale,
                unit.low,
                unit.high,
              ] as const),
              ...([u, i, v, ur, ir, p, q, outAt, sumsAt] as const),
            );
          run(out, 0);
          run(0, sums);
          const want = predicted(block, { user, item, userRow, itemRow }, unit);
          const label = `K=${K} bias=${bias} n=${count}`;
          // f64 arithmetic: what remains is one rounding to f32, half an ulp and a bit.
          allClose(
            lab.f32(out, count),
            want,
            want.map((x) => 1.001 * U32 * x),
            label,
          );
          const errors = want.map((x, j) => value[j]! - x);
          const squares = errors.reduce((total, e) => total + e * e, 10);
          const absolutes = errors.reduce((total, e) => total + Math.abs(e), 20);
          const [gotSquares, gotAbsolutes] = lab.f64(sums, 2);
          const bound = gamma(4 * (K + count + 10), U64) * 4;
          close(gotSquares!, squares, bound * (squares + count), `${label}: squares`);
          close(gotAbsolutes!, absolutes, bound * (absolutes + count), `${label}: absolutes`);
          lab.check(label);
        }
      }
    }
  },
);

test.run();
