// The mini-batch step of mlr and the columns it declares (assembly/models/softmax.ts).
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allClose, floats, onEveryBuild, permutation, prngOf } from './helpers/lab.ts';
import { same, type Lab } from './helpers/lab.ts';
import { pairsOf, placeRows, randomRows, type SampleRows } from './helpers/samples.ts';
import { gamma } from './oracle/rounding.ts';

onEveryBuild('mlr_sgd_step: −rate · G − share · decay · W, by list and in order', (lab) => {
  const [rate, share] = [Math.fround(0.3), Math.fround(0.05)];
  for (const padded of [4, 8, 12, 16, 20, 68]) {
    for (const rows of [0, 1, 7]) {
      for (const listed of [false, true]) {
        lab.reset();
        const prng = prngOf(padded + rows);
        const decay = floats(50, prng).map(Math.abs);
        const list = permutation(50, prng).subarray(0, rows);
        const w = floats(rows * padded, prng);
        const g = floats(rows * padded, prng);
        const delta = lab.output(g);
        const listAt = listed ? lab.input(list) : 0;
        const [decayAt, wAt] = [lab.input(decay), lab.input(w)];
        lab.kernels.mlr_sgd_step(rows, padded * 4, rate, share, listAt, decayAt, wAt, delta);
        const parts = Array.from(g, (value, at) => {
          const row = Math.floor(at / padded);
          return [-rate * value, -share * decay[listed ? list[row]! : row]! * w[at]!] as const;
        });
        const bound = parts.map(([a, b]) => gamma(3) * (Math.abs(a) + Math.abs(b)));
        allClose(
          lab.f32(delta, g.length),
          parts.map(([a, b]) => a + b),
          bound,
          `${rows} × ${padded}`,
        );
        lab.check(`${rows} × ${padded}`);
      }
    }
  }
});

/** What a batch reads, as maps have it: columns in order of appearance. */
function declared(rows: SampleRows) {
  const places = new Map<number, number>();
  const positions = rows.pixels.map((_, i) =>
    pairsOf(rows, i).map(([column]) => {
      if (!places.has(column)) places.set(column, places.size);
      return places.get(column)!;
    }),
  );
  return { list: [...places.keys()], positions };
}

function runBatchColumns(lab: Lab, rows: SampleRows) {
  lab.reset();
  const { directory } = placeRows(lab, rows, 'csr');
  const count = rows.pixels.length;
  const { list, positions } = declared(rows);
  const entries = positions.flat().length;
  const marks = lab.output(new Int32Array(rows.columns).fill(-1));
  const [listAt, positionsAt] = [lab.output(list.length * 4), lab.output(entries * 4)];
  const out = lab.output(count * 16);
  const distinct = lab.kernels.batch_columns(count, directory, marks, listAt, positionsAt, out);
  lab.check(`${count} rows of ${rows.columns}`);
  const cells = lab.i32(out, count * 4);
  const before = lab.i32(directory, count * 4);
  const row = (i: number) => [...lab.i32(cells[4 * i]!, cells[4 * i + 2]!)];
  return {
    distinct,
    list: [...lab.i32(listAt, list.length)],
    positions: rows.pixels.map((_, i) => row(i)),
    rest: [...cells].filter((_, at) => at % 4 !== 0),
    restBefore: [...before].filter((_, at) => at % 4 !== 0),
    marks: lab.i32(marks, rows.columns),
  };
}

onEveryBuild('batch_columns: distinct columns, positions in their list, marks restored', (lab) => {
  for (const columns of [1, 3, 16, 67, 400]) {
    for (const count of [0, 1, 2, 9]) {
      const rows = randomRows({ count, columns, classes: 3, seed: columns + count });
      const want = declared(rows);
      const got = runBatchColumns(lab, rows);
      const label = `${count} rows of ${columns}`;
      assert.is(got.distinct, want.list.length, label);
      assert.equal(got.list, want.list, label);
      assert.equal(got.positions, want.positions, label);
      assert.equal(got.rest, got.restBefore, `${label}: values, length and target are the row’s`);
      same(got.marks, new Int32Array(columns).fill(-1), `${label}: marks are as before`);
    }
  }
});

onEveryBuild(
  'batch_columns: the gradient over the list is the gradient over all columns',
  (lab) => {
    const rows = randomRows({ count: 7, columns: 40, classes: 5, seed: 3 });
    const weights = floats(40 * 8, prngOf(8)).map((value, at) => (at % 8 < 5 ? value : 0));
    const { list } = declared(rows);
    const step = (narrow: boolean) => {
      lab.reset();
      const { code, directory, scale } = placeRows(lab, rows, 'csr');
      const out = lab.output(7 * 16);
      const marks = lab.output(new Int32Array(40).fill(-1));
      const [listAt, positions] = [lab.output(40 * 4), lab.output(7 * 40 * 4)];
      const narrowWeights = list.flatMap((j) => [...weights.subarray(8 * j, 8 * j + 8)]);
      lab.kernels.batch_columns(7, directory, marks, listAt, positions, out);
      const columns = narrow ? list.length : 40;
      const w = lab.input(narrow ? Float32Array.from(narrowWeights) : weights);
      const g = lab.output(new Float32Array(columns * 8));
      const work = lab.output(32);
      const place = narrow ? out : directory;
      lab.kernels.mlr_gradient(code, 7, place, columns, scale, 5, 32, 0, w, g, work);
      return lab.f32(g, columns * 8);
    };
    const all = step(false);
    const wanted = list.flatMap((j) => [...all.subarray(8 * j, 8 * j + 8)]);
    same(step(true), wanted, 'rows of the list');
  },
);

test.run();
