// checkPayload: what is refused before anything is written, and that the rest stays in its tables.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { createPrng, type Prng } from '../src/base/prng.ts';
import type { TablePlan } from '../src/store/table.ts';
import { addPayload } from '../src/store/wire/apply.ts';
import { checkPayload } from '../src/store/wire/format.ts';
import { setPayload } from '../src/store/wire/set.ts';
import { packLog, packValues } from '../src/store/wire/values.ts';
import {
  anyNumbers,
  emptyModel,
  openBench,
  randomLog,
  randomSpecs,
  readTables,
  sameModels,
} from './helpers/wire.ts';

const bench = openBench();
const { place, arena } = bench;
const whole = ({ rows }: TablePlan) => ({ first: 0, last: rows });

/** A payload with all kinds of sections. */
function samplePayload(prng: Prng, tables: readonly TablePlan[]): Uint8Array {
  const { log } = randomLog(bench, tables, prng, { records: 25, fill: 0.05, value: anyNumbers });
  return packLog(place, log, tables, whole)[0] ?? new Uint8Array(0);
}

test('wire: check: a payload that was changed is refused, or is applied inside its tables', () => {
  let [refused, accepted] = [0, 0];
  const codes = new Set<string>();
  for (let seed = 0; seed < 120; seed++) {
    bench.reset();
    const prng = createPrng(seed, 8);
    const fences = [fence()];
    const tables = bench.tables(randomSpecs(prng));
    fences.push(fence());
    const sample = samplePayload(prng, tables);
    const grown = arena.mark();
    for (let n = 0; n < 900; n++) {
      const payload = sample.slice(
        0,
        prng.uniform() < 0.1 ? prng.below(sample.length + 1) : undefined,
      );
      const view = new DataView(payload.buffer);
      for (let change = 0; change <= prng.below(3) && payload.length >= 16; change++) {
        const word = 4 * prng.below(prng.uniform() < 0.5 ? 4 : payload.length >> 2);
        const kind = prng.below(3);
        if (kind === 0) payload[word + prng.below(4)]! ^= 1 << prng.below(8);
        else if (kind === 1) view.setUint32(word, prng.uint32(), true);
        else view.setInt32(word, prng.below(200) - 20, true);
      }
      const wrong = checkPayload(payload, tables);
      if (wrong !== undefined) {
        refused++;
        codes.add(wrong.code);
        continue;
      }
      accepted++;
      if (n % 20 !== 0) continue;
      const before = guardsOf(tables);
      try {
        addPayload(place, payload, tables, 0);
        setPayload(place, payload, tables, { replay: [payload], accumulators: tables, clock: 0 });
      } catch (error) {
        assert.ok(error instanceof SystemError && error.code === 'ERR_NOT_FINITE', String(error));
      }
      assert.equal(guardsOf(tables), before, 'padding of rows');
      assert.ok(fences.every(isWhole), 'what lies around the tables');
    }
    arena.release(grown);
  }
  assert.ok(refused > 20_000 && accepted > 10_000, `${refused} refused, ${accepted} accepted`);
  assert.equal([...codes], ['ERR_DATA']);
});

const FENCE_BYTES = 4096;
function fence(): number {
  const at = arena.allocate(FENCE_BYTES);
  arena.u8.fill(0xa5, at, at + FENCE_BYTES);
  return at;
}
const isWhole = (at: number) =>
  arena.u8.subarray(at, at + FENCE_BYTES).every((byte) => byte === 0xa5);

/** What no payload may change: padding of dense rows. */
function guardsOf(tables: readonly TablePlan[]): number[] {
  return tables.flatMap(({ layout, rows, columns, rowBytes, at }) =>
    layout === 'sparse'
      ? []
      : Array.from({ length: rows }, (_, row) => {
          const end = at + row * rowBytes + columns * 4;
          return arena.u8.subarray(end, at + (row + 1) * rowBytes).reduce((a, b) => a + b, 0);
        }),
  );
}

/** A payload of one section, from its header and the words of its body. */
function handmade(
  header: { table?: number; kind: number; first: number; count: number },
  body: number[],
) {
  const payload = new Uint8Array(16 + ((body.length * 4 + 15) & ~15));
  const { table = 0, kind, first, count } = header;
  const words = new Int32Array(payload.buffer);
  words.set([table | (kind << 16), first, count, body.length * 4, ...body]);
  return payload;
}

test('wire: check: the edges of rows and columns', () => {
  bench.reset();
  const tables = bench.tables([
    { name: 'dense', rows: 9, columns: 3 },
    { name: 'sparse', rows: 9, columns: 3, layout: 'sparse' },
  ]);
  const [range, rows, entries, part] = [0, 1, 2, 3];
  const six = [1, 2, 3, 4, 5, 6];
  const lists = { kind: entries, first: 2, count: 1 };
  const right = [
    handmade({ kind: range, first: 7, count: 2 }, six),
    handmade({ kind: rows, first: 0, count: 2 }, [8, 0, ...six]),
    handmade(lists, [8, 2, 0, 2, 1, 1]),
    handmade({ ...lists, table: 1 }, [0, 2, 1, 2, 1, 1]),
    handmade({ kind: entries, first: 0, count: 1, table: 1 }, [3, 0]),
    handmade({ kind: part, first: 8, count: 2 }, [1, 5, 5]),
  ];
  for (const payload of right) assert.is(checkPayload(payload, tables), undefined);
  const wrong: [Uint8Array, string][] = [
    [handmade({ kind: range, first: 8, count: 2 }, six), 'rows 8 to 9'],
    [handmade({ kind: range, first: 7, count: 2 }, [...six, 7]), '28 bytes where 24 belong'],
    [handmade({ kind: range, first: 7, count: 0 }, []), 'no rows'],
    [handmade({ kind: range, first: 7, count: 2, table: 1 }, six), 'dense rows of it'],
    [handmade({ kind: rows, first: 0, count: 2 }, [9, 0, ...six]), 'row 9'],
    [handmade({ kind: rows, first: 0, count: 2 }, [-1, 0, ...six]), 'row -1'],
    [handmade({ kind: rows, first: 1, count: 2 }, [1, 0, ...six]), 'first 1'],
    [handmade(lists, [9, 2, 0, 2, 1, 1]), 'row 9'],
    [handmade(lists, [8, 2, 0, 3, 1, 1]), 'column 3 of 3'],
    [handmade(lists, [8, 2, -1, 2, 1, 1]), 'column -1'],
    [handmade(lists, [8, 2, 1, 1, 1, 1]), 'column 1 after 1'],
    [handmade(lists, [8, 3, 0, 2, 1, 1]), 'more entries'],
    [handmade(lists, [8, -1, 0, 2, 1, 1]), 'more entries'],
    [handmade(lists, [8, 1, 0, 2, 1, 1]), 'fewer entries'],
    [handmade({ kind: part, first: 9, count: 2 }, [1, 5, 5]), 'rows 9 to 9'],
    [handmade({ kind: part, first: 8, count: 2 }, [2, 5, 5]), 'column 3'],
    [handmade({ kind: part, first: 8, count: 2 }, [-1, 5, 5]), 'column'],
    [handmade({ kind: 4, first: 0, count: 1 }, six), 'kind 4'],
  ];
  for (const [payload, text] of wrong) {
    assert.match(checkPayload(payload, tables)?.message ?? 'accepted', text);
  }
  const integers = bench.tables([{ name: 'i', rows: 9, columns: 2, type: 'i32' }]);
  const halves = handmade({ kind: range, first: 0, count: 1 }, [7]);
  halves[3] = 1;
  assert.match(checkPayload(halves, integers)?.message ?? 'accepted', 'rounded integers');
});

test('wire: check: says what is wrong, and where', () => {
  bench.reset();
  const tables = bench.tables([{ name: 'w', rows: 40, columns: 5 }]);
  const payload = packValues(place, tables[0]!, { first: 0, last: 40 })[0]!;
  assert.is(checkPayload(payload, tables), undefined);
  const text = (change: (copy: DataView) => void, rowsOf = whole) => {
    const copy = payload.slice();
    change(new DataView(copy.buffer));
    return checkPayload(copy, tables, rowsOf)?.message ?? 'accepted';
  };
  assert.match(
    text((copy) => copy.setUint16(0, 1, true)),
    'table 1 of 1 at byte 0',
  );
  assert.match(
    text((copy) => copy.setUint8(2, 9)),
    'kind 9',
  );
  assert.match(
    text((copy) => copy.setUint8(3, 3)),
    'encoding 3',
  );
  assert.match(
    text((copy) => copy.setUint32(12, 2 ** 32 - 1, true)),
    'a body of 4294967295 bytes',
  );
  assert.match(
    text(
      () => undefined,
      () => ({ first: 0, last: 39 }),
    ),
    'row',
  );
  sameModels(readTables(bench, tables), emptyModel(tables), 'nothing is written');
});

test.run();
