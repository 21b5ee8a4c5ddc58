// src/store/wire: rows packed for other hosts, and applied there, against tables as plain arrays.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng, type Prng } from '../src/base/prng.ts';
import { fold, wholeTable, type RowRange } from '../src/store/fold.ts';
import type { TablePlan } from '../src/store/table.ts';
import { addPayload } from '../src/store/wire/apply.ts';
import { accumulate, takeDeltas } from '../src/store/wire/deltas.ts';
import { checkPayload } from '../src/store/wire/format.ts';
import { setPayload } from '../src/store/wire/set.ts';
import { packLog, packValues } from '../src/store/wire/values.ts';
import {
  addIncs,
  anyNumbers,
  emptyModel,
  openBench,
  randomLog,
  randomSpecs,
  readTables,
  sameModels,
  wholeNumbers,
} from './helpers/wire.ts';

const bench = openBench();
const { place } = bench;
const cases = 150;
const whole = ({ rows }: TablePlan): RowRange => ({ first: 0, last: rows });

/** Two ranges around the rows of this host. */
function othersOf(rows: number, rank: number, size: number): RowRange[] {
  const at = (part: number) => Math.floor((rows * part) / size);
  return [
    { first: 0, last: at(rank) },
    { first: at(rank + 1), last: rows },
  ];
}

test('wire: deltas: accumulated, taken and added elsewhere, they are the log', () => {
  for (let seed = 0; seed < cases; seed++) {
    bench.reset();
    const prng = createPrng(seed, 1);
    const specs = randomSpecs(prng);
    const [deltas, other] = [bench.tables(specs), bench.tables(specs)];
    const marks = bench.marks(deltas);
    const want = emptyModel(deltas);
    for (let clock = 0; clock < 3; clock++) {
      const taste = { records: 1 + prng.below(20), fill: 0.1, value: wholeNumbers };
      const { log, incs } = randomLog(bench, deltas, prng, taste);
      addIncs(deltas, want, incs);
      accumulate(place, deltas, log, {
        touched: marks,
        rowsOf: (table) => othersOf(table.rows, 1, 2 + (seed % 3)),
        clock,
      });
      // All rows of the log are marked, or sums would be missing below.
      for (const table of deltas) {
        const options = { table: other[table.id]!, deltas: table, marks: marks[table.id]! };
        const payloads = takeDeltas(place, options, whole(table), { encoding: 'full' });
        for (const payload of payloads) {
          assert.is(checkPayload(payload, other), undefined);
          addPayload(place, payload, other, clock);
        }
      }
      sameModels(readTables(bench, deltas), emptyModel(deltas), `case ${seed}: the rest`);
    }
    for (const { id, rows } of deltas) {
      const own = othersOf(rows, 1, 2 + (seed % 3));
      for (let row = own[0]!.last; row < own[1]!.first; row++) want[id]![row]!.fill(0);
    }
    sameModels(readTables(bench, other), want, `case ${seed}`);
  }
});

test('wire: log: packed range by range and added, it gives the same bits as fold()', () => {
  for (let seed = 0; seed < cases; seed++) {
    bench.reset();
    const prng = createPrng(seed, 2);
    const specs = randomSpecs(prng);
    const [direct, packed] = [bench.tables(specs), bench.tables(specs)];
    const want = emptyModel(direct);
    const size = 1 + prng.below(3);
    for (let clock = 0; clock < 3; clock++) {
      const taste = { records: 1 + prng.below(20), fill: 0.05, value: anyNumbers };
      const { log, incs } = randomLog(bench, direct, prng, taste);
      addIncs(direct, want, incs);
      fold(place, direct, log, { share: wholeTable, clock });
      for (let rank = 0; rank < size; rank++) {
        const rangeOf = ({ rows }: TablePlan) => ({
          first: Math.floor((rows * rank) / size),
          last: Math.floor((rows * (rank + 1)) / size),
        });
        for (const payload of packLog(place, log, direct, rangeOf)) {
          assert.is(checkPayload(payload, packed, rangeOf), undefined);
          addPayload(place, payload, packed, clock);
        }
      }
    }
    sameModels(readTables(bench, direct), want, `case ${seed}: fold`);
    sameModels(readTables(bench, packed), want, `case ${seed}: packed`);
  }
});

/** Fills tables with what a random log adds to zeros. */
function fill(tables: readonly TablePlan[], prng: Prng, records = 30) {
  const taste = { records, fill: 0.1, value: anyNumbers };
  const { log, incs } = randomLog(bench, tables, prng, taste);
  fold(place, tables, log, { share: wholeTable, clock: 0 });
  return incs;
}

for (const encoding of ['f16', 'bf16'] as const) {
  test(`wire: deltas: what ${encoding} leaves stays behind, and a full cut takes it`, () => {
    let rounded = 0;
    for (let seed = 0; seed < cases; seed++) {
      bench.reset();
      const prng = createPrng(seed, 3);
      const specs = randomSpecs(prng);
      const deltas = bench.tables(specs);
      const marks = bench.marks(deltas);
      const { log } = randomLog(bench, deltas, prng, {
        ...{ records: 20, fill: 0.1 },
        value: (random, type) =>
          type === 'i32' ? anyNumbers(random, type) : random.uniform() - 0.5,
      });
      accumulate(place, deltas, log, { touched: marks, rowsOf: (t) => [whole(t)], clock: 0 });
      const before = readTables(bench, deltas);
      const cut = (of: 'full' | 'f16' | 'bf16') => {
        const sent = bench.tables(specs);
        for (const table of deltas) {
          const options = { table: sent[table.id]!, deltas: table, marks: marks[table.id]! };
          for (const payload of takeDeltas(place, options, whole(table), { encoding: of })) {
            assert.is(checkPayload(payload, sent), undefined);
            addPayload(place, payload, sent, 0);
          }
        }
        return readTables(bench, sent);
      };
      const first = cut(encoding);
      const rest = readTables(bench, deltas);
      before.forEach((model, t) =>
        model.forEach((values, row) =>
          values.forEach((value, column) => {
            const [a, b] = [first[t]![row]![column]!, rest[t]![row]![column]!];
            assert.is(a + b, value, `case ${seed}: nothing is lost`);
            assert.ok(Math.abs(b) <= Math.abs(value) / 256 + 2 ** -25, `${value}: ${b} is left`);
            if (b !== 0) rounded++;
          }),
        ),
      );
      // Rows with nothing but a rest wait for a full cut.
      sameModels(cut(encoding), emptyModel(deltas), `case ${seed}: again`);
      sameModels(cut('full'), rest, `case ${seed}: the last cut`);
      sameModels(readTables(bench, deltas), emptyModel(deltas), `case ${seed}: empty`);
      sameModels(cut('full'), emptyModel(deltas), `case ${seed}: all marks are gone`);
    }
    assert.ok(rounded > 1000, `${rounded} values were rounded`);
  });
}

test('wire: values: set rows are the owner’s, with own deltas of these rows on top', () => {
  for (let seed = 0; seed < 3 * cases; seed++) {
    bench.reset();
    const prng = createPrng(seed, 4);
    const specs = randomSpecs(prng);
    const [owner, cache, deltas] = [bench.tables(specs), bench.tables(specs), bench.tables(specs)];
    const marks = bench.marks(deltas);
    fill(owner, prng);
    fill(cache, prng, 8);
    const replay: Uint8Array[] = [];
    for (let epoch = 0; epoch < prng.below(4); epoch++) {
      const taste = { records: 1 + prng.below(9), fill: 0.1, value: anyNumbers };
      const { log } = randomLog(bench, deltas, prng, taste);
      const encoding = (['full', 'f16', 'bf16'] as const)[prng.below(3)]!;
      if (prng.uniform() < 0.3) {
        for (const payload of packLog(place, log, deltas, whole)) replay.push(payload);
      } else {
        accumulate(place, deltas, log, { touched: marks, rowsOf: (t) => [whole(t)], clock: 0 });
        for (const table of deltas) {
          const options = { table, deltas: table, marks: marks[table.id]! };
          replay.push(...takeDeltas(place, options, whole(table), { encoding }));
        }
      }
    }
    const { log } = randomLog(bench, deltas, prng, { records: 4, fill: 0.1, value: anyNumbers });
    accumulate(place, deltas, log, { touched: marks, rowsOf: (t) => [whole(t)], clock: 0 });
    // The oracle: the owner's values, then every payload as a whole, then the accumulator.
    const all = bench.tables(specs);
    const copies = owner.flatMap((table) => packValues(place, table, whole(table)));
    const alone = { replay: [], accumulators: [], clock: 0 };
    for (const payload of copies) setPayload(place, payload, all, alone);
    sameModels(readTables(bench, all), readTables(bench, owner), `case ${seed}: a copy`);
    for (const payload of replay) addPayload(place, payload, all, 0);
    const want = readTables(bench, all);
    const rest = readTables(bench, deltas);
    want.forEach((model, t) =>
      addIncs(
        owner,
        want,
        model.map((_, row) => ({ table: t, row, values: rest[t]![row]! })),
      ),
    );
    const old = readTables(bench, cache);
    for (const table of owner) {
      const chosen = Int32Array.from({ length: table.rows }, (_, row) => row).filter(
        () => prng.uniform() < 0.5,
      );
      const from = prng.below(table.rows);
      const range = { first: from, last: from + prng.below(table.rows - from + 1) };
      const rows = prng.uniform() < 0.5 ? chosen : range;
      const isSet = (row: number) =>
        rows instanceof Int32Array ? rows.includes(row) : row >= range.first && row < range.last;
      for (const payload of packValues(place, table, rows)) {
        assert.is(checkPayload(payload, cache), undefined);
        const own = { replay, accumulators: deltas, clock: 0 };
        for (const touched of setPayload(place, payload, cache, own)) {
          const named =
            'rows' in touched
              ? [...touched.rows]
              : Array.from({ length: touched.count }, (_, i) => touched.first + i);
          assert.ok(named.every(isSet), 'no other row is set');
        }
      }
      for (let row = 0; row < table.rows; row++) {
        if (!isSet(row)) want[table.id]![row] = old[table.id]![row]!;
      }
    }
    sameModels(readTables(bench, cache), want, `case ${seed}`);
  }
});
test('wire: values: a range of replayed rows meets a range that is set, at every offset', () => {
  for (const columns of [3, 4]) {
    for (let offset = 0; offset <= 30; offset++) {
      bench.reset();
      const specs = [{ name: 't', rows: 40, columns }];
      const [owner, deltas, cache] = [0, 1, 2].map(() => bench.tables(specs)[0]!);
      const fillRows = (table: TablePlan, first: number, last: number, value: number) => {
        const from = (table.at + first * table.rowBytes) / 4;
        bench.arena.f32.fill(value, from, from + ((last - first) * table.rowBytes) / 4);
      };
      fillRows(owner!, 0, 40, 1);
      fillRows(deltas!, offset, offset + 9, 2);
      const replay = packValues(place, deltas!, { first: offset, last: offset + 9 });
      fillRows(deltas!, 0, 40, 0);
      for (const payload of packValues(place, owner!, { first: 12, last: 22 })) {
        setPayload(place, payload, [cache!], { replay, accumulators: [deltas], clock: 0 });
      }
      const want = Array.from({ length: 40 }, (_, row) => {
        const value = row >= offset && row < offset + 9 ? 3 : 1;
        return Array.from({ length: columns }, () => (row >= 12 && row < 22 ? value : 0));
      });
      sameModels(readTables(bench, [cache!]), [want], `${columns} columns, offset ${offset}`);
    }
  }
});

test.run();
