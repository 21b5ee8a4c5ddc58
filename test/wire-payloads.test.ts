// Payloads of the wire: their size, rows that are larger than one, budgets, and what is refused.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { limits } from '../src/base/limits.ts';
import { createPrng } from '../src/base/prng.ts';
import { fold, wholeTable } from '../src/store/fold.ts';
import { sparseRow } from '../src/store/sparse-rows.ts';
import type { TablePlan } from '../src/store/table.ts';
import { openView } from '../src/store/views.ts';
import { addPayload } from '../src/store/wire/apply.ts';
import { accumulate, takeDeltas, takeTouched, type Cut } from '../src/store/wire/deltas.ts';
import { checkPayload, sectionsOf } from '../src/store/wire/format.ts';
import { setPayload } from '../src/store/wire/set.ts';
import { packLog, packValues } from '../src/store/wire/values.ts';
import { openBench, readTables } from './helpers/wire.ts';

const bench = openBench();
const { place, arena } = bench;
const whole = ({ rows }: TablePlan) => ({ first: 0, last: rows });
const bytesOf = (payloads: readonly Uint8Array[]) =>
  payloads.reduce((sum, { byteLength }) => sum + byteLength, 0);

type Shape = { rows: number; columns: number; changed: number; fill: number };
const patterns: readonly (readonly [string, Shape])[] = [
  ['dense', { rows: 20_000, columns: 10, changed: 1, fill: 1 }],
  ['dense, one column', { rows: 300_000, columns: 1, changed: 1, fill: 1 }],
  ['dense, wide', { rows: 3, columns: 400_000, changed: 1, fill: 1 }],
  ['some rows', { rows: 50_000, columns: 16, changed: 0.05, fill: 1 }],
  ['few rows', { rows: 1_000_000, columns: 4, changed: 0.001, fill: 1 }],
  ['some entries', { rows: 2_000, columns: 1_000, changed: 1, fill: 0.01 }],
  ['entries of some rows', { rows: 20_000, columns: 300, changed: 0.1, fill: 0.02 }],
  ['entries of wide rows', { rows: 2, columns: 2_000_000, changed: 1, fill: 0.01 }],
  ['entries of wide rows, cut', { rows: 2, columns: 2_000_000, changed: 1, fill: 0.2 }],
];

for (const layout of ['dense', 'sparse'] as const) {
  for (const [name, shape] of patterns) {
    if (layout === 'sparse' && (shape.fill === 1 || shape.fill === 0.2)) continue;
    test(`wire: size: at most 1.1 × changed values and their indices (${layout}, ${name})`, () => {
      bench.reset();
      const { rows, columns } = shape;
      const prng = createPrng(5);
      const [table] = bench.tables([{ name: 't', rows, columns, layout }]);
      const [copy] = bench.tables([{ name: 't', rows, columns, layout }]);
      const [marks] = bench.marks([table!]);
      const view = openView(arena, place.kernels, table!);
      const log = bench.log();
      view.point(table!.at, log, 0);
      let [values, indices] = [0, 0];
      for (let row = 0; row < rows; row++) {
        if (prng.uniform() >= shape.changed) continue;
        const chosen: number[] = [];
        for (let column = 0; column < columns; column++) {
          if (prng.uniform() < shape.fill) chosen.push(column);
        }
        if (layout === 'sparse') {
          view.incSparse(
            row,
            chosen,
            chosen.map(() => 1),
          );
          fold(place, [table!], log, { share: wholeTable, clock: 0 });
          log.clear();
        } else {
          for (const column of chosen)
            arena.f32[(table!.at + row * table!.rowBytes) / 4 + column] = 1;
        }
        arena.u8[marks! + row] = 1;
        values += chosen.length;
        // A row of a range has no index; a row of entries has its number and theirs.
        if (shape.changed < 1) indices++;
        if (shape.fill < 1) indices += chosen.length + (shape.changed < 1 ? 1 : 2);
      }
      const want = readAll(table!);
      const options = { table: copy!, deltas: table!, marks: marks! };
      const sent = takeDeltas(place, options, whole(table!), { encoding: 'full' });
      const bytes = bytesOf(sent);
      const ideal = 4 * (values + indices);
      assert.ok(bytes <= 1.1 * ideal, `${bytes} bytes for ${ideal}`);
      for (const payload of sent) {
        assert.ok(payload.byteLength <= limits.wireBytes, `${payload.byteLength} bytes`);
        assert.is(checkPayload(payload, [copy!]), undefined);
        addPayload(place, payload, [copy!], 0);
      }
      assert.ok(readAll(copy!).equals(want), 'all rows arrive');
    });
  }
}

function readRow(table: TablePlan, row: number): Buffer {
  const bytes = (from: number, n: number) => Buffer.from(arena.u8.slice(from, from + 4 * n));
  if (table.layout === 'dense') return bytes(table.at + row * table.rowBytes, table.columns);
  const { columns, values, count } = sparseRow(arena, table, row);
  return Buffer.concat([bytes(columns, count), bytes(values, count)]);
}

function readAll(table: TablePlan): Buffer {
  const { layout, at, rows, rowBytes } = table;
  if (layout === 'dense') return Buffer.from(arena.u8.slice(at, at + rows * rowBytes));
  return Buffer.concat(Array.from({ length: rows }, (_, row) => readRow(table, row)));
}

test('wire: wide rows: their parts take replay and accumulator along', () => {
  for (let seed = 0; seed < 2; seed++) {
    bench.reset();
    const prng = createPrng(seed, 6);
    const columns = 300_000 + prng.below(500_000);
    const specs = [{ name: 'wide', rows: 3, columns }];
    const [owner, cache, deltas, want] = [0, 1, 2, 3].map(() => bench.tables(specs)[0]!);
    const marks = bench.marks([deltas!])[0]!;
    const scatter = (table: TablePlan, fill: number) => {
      for (let row = 0; row < 3; row++) {
        for (let n = 0; n < columns * fill; n++) {
          const at = (table.at + row * table.rowBytes) / 4 + prng.below(columns);
          arena.f32[at] = Math.fround(prng.uniform() - 0.5);
        }
        arena.u8[marks + row] = 1;
      }
    };
    scatter(owner!, 0.9);
    scatter(cache!, 0.5);
    const replay: Uint8Array[] = [];
    for (const [fill, encoding] of [
      [1, 'f16'],
      [0.05, 'full'],
      [1, 'full'],
    ] as const) {
      scatter(deltas!, fill);
      const options = { table: owner!, deltas: deltas!, marks };
      replay.push(...takeDeltas(place, options, whole(deltas!), { encoding }));
    }
    scatter(deltas!, 0.01);
    const values = packValues(place, owner!, { first: 1, last: 3 });
    assert.ok(values.length > 2, 'rows are cut');
    const alone = { replay: [], accumulators: [], clock: 0 };
    for (const payload of values) setPayload(place, payload, [want!], alone);
    assert.ok(readRow(want!, 1).equals(readRow(owner!, 1)), 'a row comes whole');
    for (const payload of replay) addPayload(place, payload, [want!], 0);
    const add = { table: want!, deltas: deltas!, marks };
    const kept = readRow(cache!, 0);
    for (const payload of values) {
      setPayload(place, payload, [cache!], { replay, accumulators: [deltas!], clock: 0 });
    }
    for (const payload of takeDeltas(place, add, whole(deltas!), { encoding: 'full' })) {
      addPayload(place, payload, [want!], 0);
    }
    for (const row of [1, 2])
      assert.ok(readRow(cache!, row).equals(readRow(want!, row)), `row ${row}`);
    assert.ok(readRow(cache!, 0).equals(kept), 'a row that was not sent');
  }
});

test('wire: long sparse rows: a payload of their own, and a limit', () => {
  bench.reset();
  const specs = [{ name: 'long', rows: 2, columns: 1_000_000, layout: 'sparse' as const }];
  const [table, copy] = [bench.tables(specs)[0]!, bench.tables(specs)[0]!];
  const inc = (count: number, first: number) => {
    const log = bench.log();
    const view = openView(arena, place.kernels, table);
    view.point(table.at, log, 0);
    const columns = Array.from({ length: count }, (_, i) => first + i);
    view.incSparse(
      1,
      columns,
      columns.map((column) => column + 1),
    );
    fold(place, [table], log, { share: wholeTable, clock: 0 });
    return log;
  };
  const log = inc(400_000, 0);
  const parts = packLog(place, log, [table], whole);
  assert.ok(parts.length > 2, 'a record is cut');
  for (const payload of parts) addPayload(place, payload, [copy], 0);
  assert.ok(readRow(copy, 1).equals(readRow(table, 1)));
  const payloads = packValues(place, table, whole(table));
  assert.ok(payloads.every((payload) => checkPayload(payload, [table]) === undefined));
  const alone = { replay: [], accumulators: [], clock: 0 };
  for (const payload of payloads) setPayload(place, payload, [copy], alone);
  assert.ok(readRow(copy, 1).equals(readRow(table, 1)));
  inc(200_000, 500_000);
  assert.throws(
    () => packValues(place, table, whole(table)),
    (error: unknown) => error instanceof SystemError && error.code === 'ERR_LIMIT',
  );
});

/** A table of ten rows of four, deltas 1 … 10 and values that make row 3 the most important. */
function budget(cut: Omit<Cut, 'encoding'>, layout: 'dense' | 'sparse') {
  bench.reset();
  const specs = [{ name: 't', rows: 10, columns: 4, layout }];
  const [table, deltas] = [bench.tables(specs), bench.tables(specs)];
  const [marks] = bench.marks(deltas);
  const log = bench.log();
  const values = bench.log();
  for (let row = 0; row < 10; row++) {
    const [change, value] = [row + 1, row === 3 ? 0.5 : (row + 1) ** 2];
    for (const [to, what] of [
      [log, change],
      [values, value],
    ] as const) {
      const view = openView(arena, place.kernels, table[0]!);
      view.point(table[0]!.at, to, 0);
      const all = [what, what, what, what];
      if (layout === 'dense') view.inc(row, all);
      else view.incSparse(row, [0, 1, 2, 3], all);
    }
  }
  fold(place, table, values, { share: wholeTable, clock: 0 });
  accumulate(place, deltas, log, { touched: [marks!], rowsOf: (t) => [whole(t)], clock: 0 });
  const options = { table: table[0]!, deltas: deltas[0]!, marks: marks! };
  const rows = takeDeltas(place, options, whole(table[0]!), { encoding: 'full', ...cut }).flatMap(
    (payload) =>
      addPayload(place, payload, bench.tables(specs), 0).flatMap((touched) =>
        'rows' in touched
          ? [...touched.rows]
          : Array.from({ length: touched.count }, (_, i) => touched.first + i),
      ),
  );
  const left = [...takeTouched(place, marks!, whole(table[0]!))];
  assert.equal(
    [...rows, ...left].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  const emptied = readTables(bench, deltas)[0]!.flatMap(([x], row) => (x === 0 ? [row] : []));
  assert.equal(emptied, rows, 'what is taken is gone, and nothing else');
  return rows;
}

for (const layout of ['dense', 'sparse'] as const) {
  const each = layout === 'dense' ? 20 : 40;
  test(`wire: budget: the first, the most important or random rows (${layout})`, () => {
    assert.equal(budget({ bytesMax: 4 * each }, layout), [0, 1, 2, 3]);
    assert.equal(budget({ bytesMax: 3 * each + 1, order: 'magnitude' }, layout), [0, 1, 3]);
    assert.equal(budget({ bytesMax: 1, order: 'magnitude' }, layout), [3], 'at least one');
    assert.is(budget({ bytesMax: 1000 }, layout).length, 10, 'all when they fit');
    const chosen = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const rows = budget({ bytesMax: 3 * each, order: 'random', prng: createPrng(seed) }, layout);
      assert.is(rows.length, 3);
      chosen.add(rows.join());
    }
    assert.ok(chosen.size > 10, `${chosen.size} different choices`);
  });
}

test('wire: marks: takeTouched gives the rows of a range and clears them', () => {
  for (let seed = 0; seed < 60; seed++) {
    bench.reset();
    const prng = createPrng(seed, 7);
    const rows = seed === 0 ? 400_000 : 1 + prng.below(300);
    const [table] = bench.tables([{ name: 't', rows, columns: 1 }]);
    const marks = bench.marks([table!])[0]!;
    const share = prng.uniform();
    for (let row = 0; row < rows; row++) {
      if (prng.uniform() < share) arena.u8[marks + row] = 1 + prng.below(2);
    }
    const before = arena.u8.slice(marks, marks + rows);
    const first = prng.below(rows);
    const last = first + prng.below(rows - first + 1);
    const want = [...before.keys()].filter(
      (row) => row >= first && row < last && before[row] !== 0,
    );
    assert.equal([...takeTouched(place, marks, { first, last })], want);
    before.fill(0, first, last);
    assert.equal(arena.u8.slice(marks, marks + rows), before);
  }
});

test('wire: errors: an update that is not finite names table, row and clock', () => {
  for (const [kind, columns] of [
    ['range', 5],
    ['range', 8],
    ['rows', 5],
    ['entries', 5],
  ] as const) {
    const specs = [{ name: 'w', rows: 40, columns }];
    bench.reset();
    const [table, target] = [bench.tables(specs)[0]!, bench.tables(specs)[0]!];
    const rows = kind === 'rows' ? [2, 7, 17] : [...Array(20).keys()];
    for (const row of rows) {
      const from = (table.at + row * table.rowBytes) / 4;
      for (let column = 0; column < (kind === 'entries' ? 1 : columns); column++)
        arena.f32[from + column] = 3e38;
      if (row === 17) arena.f32[(target.at + row * target.rowBytes) / 4] = 3e38;
    }
    const payloads = packValues(place, table, Int32Array.from(rows));
    const [head] = sectionsOf(payloads[0]!);
    assert.is(head!.kind, ['range', 'rows', 'entries'].indexOf(kind));
    const isRight = (error: unknown) =>
      error instanceof SystemError &&
      error.code === 'ERR_NOT_FINITE' &&
      error.message.startsWith('table "w", row 17, clock 4:');
    assert.throws(
      () => payloads.map((payload) => addPayload(place, payload, [target], 4)),
      isRight,
    );
  }
});

test.run();
