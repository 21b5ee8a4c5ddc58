// The machines of the parameter server: readable scenarios, and properties against models that are
// too simple to be wrong.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RowSet, type RowList } from '../src/ps/row-set.ts';
import { VectorClock } from '../src/ps/vector-clock.ts';
import { goldenFiles, runGolden } from './helpers/golden.ts';
import { machineInWords } from './helpers/ps-words.ts';

for (const file of goldenFiles('ps')) {
  test(`ps: ${file.replace('.txt', '').replaceAll('-', ' ')} (golden)`, () => {
    runGolden('ps', file, machineInWords(file));
  });
}

const rows = 100;
const row = fc.nat(rows - 1);
const run = fc.tuple(row, row).map(([a, b]) => {
  const first = Math.min(a, b);
  return { first, count: Math.abs(a - b) };
});
const someRows = fc.array(row).map((list) => ({ rows: Int32Array.from(list) }));
const rowList: fc.Arbitrary<RowList> = fc.oneof(run, someRows);
type Action =
  | { readonly kind: 'add' | 'delete'; readonly row: number }
  | { readonly kind: 'addList' | 'addAll' | 'keep'; readonly list: RowList }
  | { readonly kind: 'clear' };
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constantFrom('add' as const, 'delete' as const), row }),
  fc.record({
    kind: fc.constantFrom('addList' as const, 'addAll' as const, 'keep' as const),
    list: rowList,
  }),
  fc.record({ kind: fc.constant('clear' as const) }),
);

const numbersOf = (list: RowList): readonly number[] =>
  'rows' in list ? [...list.rows] : Array.from({ length: list.count }, (_, i) => list.first + i);

test('ps: row set: as a set of numbers (property)', () => {
  const same = (actions: readonly Action[]) => {
    const set = new RowSet(rows);
    let model = new Set<number>();
    for (const step of actions) {
      if ('row' in step) {
        set[step.kind](step.row);
        model[step.kind](step.row);
      } else if ('list' in step) {
        const numbers = numbersOf(step.list);
        const other = new RowSet(rows);
        other.addList(step.list);
        if (step.kind === 'addList') set.addList(step.list);
        else set[step.kind](other);
        if (step.kind === 'keep') model = new Set([...model].filter((n) => numbers.includes(n)));
        else for (const number of numbers) model.add(number);
      } else {
        set.clear();
        model.clear();
      }
      const sorted = [...model].sort((a, b) => a - b);
      assert.equal([...set.toRows()], sorted);
      assert.is(set.isEmpty(), model.size === 0);
      for (let n = 0; n < rows; n++) assert.is(set.has(n), model.has(n));
    }
  };
  fc.assert(fc.property(fc.array(action, { maxLength: 20 }), same), { seed: 1, numRuns: 300 });
});

test('ps: row set: rows that a table has not are refused', () => {
  const set = new RowSet(40);
  assert.throws(() => set.add(40), /the row is of the table/);
  assert.throws(() => set.delete(-1), /the row is of the table/);
  assert.throws(() => set.addList({ first: 30, count: 11 }), /the run is of the table/);
  assert.throws(() => set.addAll(new RowSet(41)), /sets over one table/);
  assert.is(set.has(40), false);
});

test('ps: vector clock: as the smallest of numbers (property)', () => {
  const parties = 4;
  const advances = fc.array(fc.tuple(fc.nat(parties - 1), fc.nat(3)));
  const same = (steps: readonly (readonly [number, number])[]) => {
    const clocks = new VectorClock(parties);
    const model = new Array<number>(parties).fill(0);
    for (const [party, by] of steps) {
      model[party] = (model[party] ?? 0) + by;
      clocks.advance(party, model[party]);
      assert.is(clocks.min(), [...model].sort((a, b) => a - b)[0]);
      for (let but = 0; but < parties; but++) {
        assert.is(clocks.at(but), model[but]);
        const others = model.filter((_, other) => other !== but);
        assert.is(clocks.minExcept(but), others.sort((a, b) => a - b)[0]);
      }
    }
  };
  fc.assert(fc.property(advances, same), { seed: 1, numRuns: 300 });
});

test.run();
