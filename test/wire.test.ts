// src/store/wire: rows packed for other hosts, and applied there, against tables as plain arrays.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import type { RowRange } from '../src/store/fold.ts';
import type { TablePlan } from '../src/store/table.ts';
import { addPayload } from '../src/store/wire/apply.ts';
import { accumulate, takeDeltas, takeTouched } from '../src/store/wire/deltas.ts';
import { checkPayload } from '../src/store/wire/format.ts';
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

void takeTouched;
void anyNumbers;
test.run();
