// assembly/wire/rows.ts: rows_plan sends every row once, the cheapest way, in the room it is given.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Prng } from '../src/base/prng.ts';
import { onEveryBuild, prngOf, type Lab } from './helpers/lab.ts';

type Plan = {
  looked: number;
  runs: { first: number; count: number }[];
  listed: number[];
  entryRows: number[];
  entryCounts: number[];
  entries: number;
};

type Request = {
  columns: number;
  width: number;
  room: number;
  asEntries: boolean;
  skip: boolean;
  first: number;
  /** Undefined: from `first` on. */
  rows: Int32Array | undefined;
  counts: Int32Array;
};

function planOf(lab: Lab, request: Request): Plan {
  lab.reset();
  const { rows, counts } = request;
  const n = counts.length;
  const head = lab.output(20);
  const [runs, list, entryRows, entryCounts] = [n, n, n, n].map((count) => lab.output(count * 4));
  lab.kernels.rows_plan(
    ...([n, request.first, request.columns, request.width, request.room] as const),
    ...([request.asEntries ? 1 : 0, request.skip ? 1 : 0, rows ? lab.input(rows) : 0] as const),
    ...([lab.input(counts), head, runs!, list!, entryRows!, entryCounts!] as const),
  );
  lab.check('rows_plan');
  const [looked, runCount, listed, entryRowCount, entries] = lab.i32(head, 5);
  const pairs = lab.i32(runs!, 2 * runCount!);
  return {
    looked: looked!,
    runs: Array.from({ length: runCount! }, (_, i) => ({
      first: pairs[2 * i]!,
      count: pairs[2 * i + 1]!,
    })),
    listed: [...lab.i32(list!, listed!)],
    entryRows: [...lab.i32(entryRows!, entryRowCount!)],
    entryCounts: [...lab.i32(entryCounts!, entryRowCount!)],
    entries: entries!,
  };
}

function randomRequest(prng: Prng): Request {
  const n = 1 + prng.below(60);
  const columns = 1 + prng.below(30);
  const asEntries = prng.uniform() < 0.2;
  const gap = prng.uniform() < 0.5 ? 1 : 3;
  let row = prng.below(5);
  const rows = Int32Array.from({ length: n }, () => (row += 1 + prng.below(gap)));
  const full = prng.uniform();
  const counts = rows.map(() => (prng.uniform() < full ? columns : prng.below(columns + 1)));
  const isListed = prng.uniform() < 0.6;
  return {
    ...{ columns, counts, asEntries },
    width: prng.uniform() < 0.5 ? 4 : 2,
    room: prng.uniform() < 0.5 ? 1 << 20 : prng.below(3000),
    skip: prng.uniform() < 0.5,
    first: isListed ? 0 : rows[0]!,
    rows: isListed ? rows : undefined,
  };
}

/** What a section with these bodies takes, padding at its most. */
const sectionBytes = (body: number): number => (body === 0 ? 0 : 16 + ((body + 15) & ~15));

onEveryBuild('rows_plan: every row once, the cheapest way, as long as there is room', (lab) => {
  const prng = prngOf(4);
  let full = 0;
  for (let n = 0; n < 3000; n++) {
    const request = randomRequest(prng);
    const { columns, width, counts, skip, asEntries, room } = request;
    const rowOf = (i: number) => request.rows?.[i] ?? request.first + i;
    const plan = planOf(lab, request);
    const entryBytes = (count: number) => 8 + count * (4 + width);
    const isEntries = (count: number) => asEntries || entryBytes(count) < columns * width;
    const seen = [...counts.subarray(0, plan.looked)].map((count, i) => ({ count, row: rowOf(i) }));
    const sent = seen.filter(({ count }) => count > 0 || !skip);
    const entries = sent.filter(({ count }) => isEntries(count));
    assert.equal(
      plan.entryRows,
      entries.map(({ row }) => row),
    );
    assert.equal(
      plan.entryCounts,
      entries.map(({ count }) => count),
    );
    assert.is(
      plan.entries,
      entries.reduce((sum, { count }) => sum + count, 0),
    );
    const inRuns = plan.runs.flatMap(({ first, count }) =>
      Array.from({ length: count }, (_, i) => first + i),
    );
    const dense = sent.filter(({ count }) => !isEntries(count)).map(({ row }) => row);
    assert.equal(
      [...inRuns, ...plan.listed].sort((a, b) => a - b),
      dense,
    );
    const bytes =
      plan.runs.reduce((sum, { count }) => sum + sectionBytes(count * columns * width), 0) +
      sectionBytes(plan.listed.length * (4 + columns * width)) +
      sectionBytes(plan.entryCounts.reduce((sum, count) => sum + entryBytes(count), 0));
    assert.ok(bytes <= room, `${bytes} bytes in ${room}`);
    if (plan.looked === counts.length) {
      full++;
      // Rows that follow each other are listed only where they are few.
      plan.listed.forEach((row, i) => {
        if (i >= 7) assert.ok(row - plan.listed[i - 7]! > 7, 'eight in a row are a run');
      });
      assert.ok(plan.runs.every(({ count }) => count >= 8));
    } else {
      const next = counts[plan.looked]!;
      const need = isEntries(next) ? entryBytes(next) : columns * width + 4;
      const slack = 32 * (plan.runs.length + 3); // what headers and padding might have needed
      assert.ok(bytes + need + slack > room, 'it stops only when the room is used');
    }
  }
  assert.ok(full > 1000 && full < 2900, `${full} of 3000 fit`);
});

test.run();
