// assembly/parse/bags.ts against plain loops.
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { createPrng } from '../src/base/prng.ts';
import { code } from '../src/data/parse/codes.ts';
import { lengths, onEveryBuild, same, type Lab } from './helpers/lab.ts';

const STATE_BYTES = 320;
const LABEL_BYTES = 64 + 8192 * 4 + 16 * 64;
const text = (value: string) => new Uint8Array(Buffer.from(value));

type Row = readonly (readonly [word: number, count: number])[];

function randomRows(seed: number, rows: number, words: number, most: number): Row[] {
  const prng = createPrng(seed);
  return Array.from({ length: rows }, () =>
    Array.from({ length: prng.below(most) }, () => [prng.below(words), 1 + prng.below(9)] as const),
  );
}

/** Rows as they come out: words less base that lie in [0, words), sorted, equal ones summed. */
function finished(rows: readonly Row[], base: number, words: number, map?: Int32Array): Row[] {
  return rows.map((row) => {
    const sums = new Map<number, number>();
    for (const [raw, n] of row) {
      const word = (map === undefined ? raw : (map[raw] ?? -1)) - base;
      if (word >= 0 && word < words) sums.set(word, (sums.get(word) ?? 0) + n);
    }
    return [...sums].sort(([a], [b]) => a - b);
  });
}

function startsOf(rows: readonly Row[], first = 0): Int32Array {
  let sum = first;
  return Int32Array.from([first, ...rows.map((row) => (sum += row.length))]);
}

function checkRows(lab: Lab, rows: readonly Row[], how: { base: number; map?: Int32Array }): void {
  lab.reset();
  const { base, map } = how;
  const entries = rows.flat();
  // A block that begins inside a larger one: its entries move to the front.
  const before = 3;
  const places = [
    startsOf(rows, before),
    Int32Array.from([...Array<number>(before).fill(1), ...entries.map(([word]) => word)]),
    Int32Array.from([...Array<number>(before).fill(1), ...entries.map(([, n]) => n)]),
  ] as const;
  const [rowStart, index, count] = places.map((values) => lab.output(values));
  assert.ok(rowStart && index && count);
  const mapAt = map === undefined ? 0 : lab.input(map);
  const wanted = finished(rows, base, 50, map);
  const n = lab.kernels.bag_rows(rows.length, base, 50, mapAt, rowStart, index, count);
  assert.is(n, wanted.flat().length);
  same(lab.i32(rowStart, rows.length + 1), startsOf(wanted), 'starts');
  same(
    lab.i32(index, n),
    Int32Array.from(wanted.flat(), ([word]) => word),
    'words',
  );
  same(
    lab.i32(count, n),
    Int32Array.from(wanted.flat(), ([, times]) => times),
    'counts',
  );
  const empty = wanted.filter((row) => row.length === 0).length;
  assert.is(lab.kernels.bag_empty(rows.length, rowStart), empty);
  lab.check(`${rows.length} rows`);
}

onEveryBuild('bag_rows, bag_empty: sorts, sums up, leaves out, moves together', (lab) => {
  const prng = createPrng(7);
  const map = Int32Array.from({ length: 60 }, () => prng.below(70) - 10);
  for (const most of [1, 2, 8, 70, 900, 3000]) {
    const rows = randomRows(most, 12, 60, most);
    checkRows(lab, rows, { base: 0 });
    checkRows(lab, rows, { base: 1 });
    checkRows(lab, rows, { base: 0, map });
  }
});

onEveryBuild('i32_total: sums beyond 32 bits', (lab) => {
  for (const n of lengths) {
    lab.reset();
    const x = Int32Array.from({ length: n }, (_, i) => 2 ** 31 - 1 - i);
    assert.is(
      lab.kernels.i32_total(n, lab.input(x)),
      x.reduce((sum, value) => sum + value, 0),
    );
  }
});

function runBags(lab: Lab, content: string, how: { head: number; least?: number; most?: number }) {
  lab.reset();
  const bytes = text(content);
  const at = lab.input(bytes);
  const state = lab.output(STATE_BYTES);
  const labels = lab.output(new Uint8Array(LABEL_BYTES));
  const [target, rowStart, index, count] = [80, 84, 80, 80].map((size) => lab.output(size));
  assert.ok(target && rowStart && index && count);
  const answer = lab.kernels.parse_bags(
    ...([at, at + bytes.length, state, how.head, how.least ?? 0, how.most ?? 99, 1000] as const),
    ...([100, 20, 20, 9, 9, labels, target, rowStart, index, count] as const),
  );
  lab.check(content);
  const [rows = 0, n = 0] = lab.i32(state + 12, 2);
  if (answer !== 0) return { answer, at: (lab.i32(state + 4, 1)[0] ?? 0) - at };
  const starts = lab.i32(rowStart, rows + 1);
  return {
    targets: [...lab.i32(target, rows)],
    rows: Array.from({ length: rows }, (_, r) =>
      [...lab.i32(index, n)]
        .map((word, i) => `${word}:${lab.i32(count, n)[i]}`)
        .slice(starts[r], starts[r + 1])
        .join(' '),
    ),
  };
}

onEveryBuild('parse_bags: lines of counts behind nothing, a label, a number of pairs', (lab) => {
  const bare = '3:1 0:12\n\n# nothing\n7:3.0 # all\n 7:1e2\t9:4\r\n';
  const rows = ['3:1 0:12', '', '7:3', '7:100 9:4'];
  assert.equal(runBags(lab, bare, { head: 0 }), { targets: [-1, -1, -1, -1], rows });
  const labelled = 'a 3:1 0:12\n\nb\na 7:3\n';
  const wanted = { targets: [0, 1, 0], rows: ['3:1 0:12', '', '7:3'] };
  assert.equal(runBags(lab, labelled, { head: 1 }), wanted);
  const counted = { targets: [-1, -1, -1], rows: ['3:1 0:12', '', '7:3'] };
  assert.equal(runBags(lab, '2 3:1 0:12\n0\n1 7:3\n', { head: 2 }), counted);
  const refused = (content: string, head: number, limits = {}) =>
    runBags(lab, content, { head, ...limits });
  assert.equal(refused('1:1 2:0\n', 0), { answer: code.badCount, at: 6 });
  assert.equal(refused('1:1 2:101\n', 0), { answer: code.badCount, at: 6 });
  assert.equal(refused('2 1:1\n', 2), { answer: code.badTerms, at: 0 });
  assert.equal(refused('1:1 0:1\n', 0, { least: 1 }), { answer: code.lowIndex, at: 4 });
  assert.equal(refused('1:1 6:1\n', 0, { most: 5 }), { answer: code.highWord, at: 4 });
  assert.equal(refused('1:1 1001:1\n', 0), { answer: code.highIndex, at: 4 });
  assert.equal(refused(`${'1:1 '.repeat(21)}\n`, 0), { answer: code.noRoom, at: 80 });
});

test.run();
