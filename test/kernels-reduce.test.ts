// assembly/linalg/reduce.ts against plain arithmetic.
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { floats, integers, onEveryBuild, prngOf, same } from './helpers/lab.ts';
import type { Reducer } from '../src/store/reduce.ts';
import { newCell, takeIn } from './oracle/reducers.ts';

const rows = 9;
const cases: readonly (readonly [string, Reducer])[] = [
  ['rows_add_nonnegative', 'nonnegative'],
  ['rows_add_shrunk', { softThreshold: 0.125 }],
  ['rows_add_revised', { adaRevision: { initialStep: 0.5 } }],
];

for (const [name, reducer] of cases) {
  onEveryBuild(`${name}: rows in the order of the list, one named twice too`, (lab) => {
    for (const columns of [4, 8, 20]) {
      lab.reset();
      const rowBytes = columns * 4;
      const stateBytes = 16 + 4 * rowBytes;
      const cells = Array.from({ length: rows }, () => Array.from({ length: columns }, newCell));
      const table = lab.output(new Float32Array(rows * columns));
      const states = lab.output(new Uint8Array(rows * stateBytes));
      for (let clock = 0; clock < 3; clock++) {
        const prng = prngOf(columns + clock);
        const count = 1 + prng.below(12);
        const list = integers(count, rows, prng);
        const deltas = floats(count * columns, prng);
        deltas[0] = 0;
        const seen = new Set<number>();
        list.forEach((row, i) => {
          const delta = deltas.subarray(i * columns, (i + 1) * columns);
          takeIn(reducer, cells[row]!, delta, !seen.has(row));
          seen.add(row);
        });
        const rest = [lab.input(list), lab.input(deltas), table] as const;
        const { rows_add_nonnegative, rows_add_shrunk, rows_add_revised } = lab.kernels;
        const bad = {
          rows_add_nonnegative: () => rows_add_nonnegative(count, rowBytes, ...rest),
          rows_add_shrunk: () => rows_add_shrunk(0.125, count, rowBytes, ...rest),
          rows_add_revised: () =>
            rows_add_revised(0.5, clock, stateBytes, count, rowBytes, ...rest, states),
        }[name]!();
        assert.is(bad, -1);
        const want = cells.flat().map(({ value }) => value);
        same(lab.f32(table, rows * columns), want, `${columns} columns, clock ${clock}`);
        lab.check(`${columns} columns, clock ${clock}`);
      }
    }
  });

  onEveryBuild(`${name}: names the row that would not be finite`, (lab) => {
    for (const value of [NaN, Infinity, -Infinity]) {
      lab.reset();
      const deltas = new Float32Array(24).fill(1);
      deltas[13] = value;
      const table = lab.output(new Float32Array(rows * 8));
      const states = lab.output(new Uint8Array(rows * (16 + 128)));
      const rest = [lab.input(Int32Array.of(4, 7, 2)), lab.input(deltas), table] as const;
      const { rows_add_nonnegative, rows_add_shrunk, rows_add_revised } = lab.kernels;
      const bad = {
        rows_add_nonnegative: () => rows_add_nonnegative(3, 32, ...rest),
        rows_add_shrunk: () => rows_add_shrunk(0.125, 3, 32, ...rest),
        rows_add_revised: () => rows_add_revised(0.5, 0, 16 + 128, 3, 32, ...rest, states),
      }[name]!();
      assert.is(bad, 7, String(value));
      assert.ok(lab.f32(table, rows * 8).every(Number.isFinite));
      lab.check(String(value));
    }
  });
}

test.run();
