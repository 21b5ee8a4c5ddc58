// A host's tables for the tests of the wire, and the same tables as plain maps of arrays.
import * as assert from 'uvu/assert';
import type { Prng } from '../../src/base/prng.ts';
import { createMemory, openArena, type Arena } from '../../src/memory/arena.ts';
import { chooseVariant, compileKernels, instantiate } from '../../src/memory/kernels.ts';
import { planLayout, scratchAt } from '../../src/memory/layout.ts';
import { limits } from '../../src/base/limits.ts';
import { openDeltaLog, type DeltaLog } from '../../src/store/delta-log.ts';
import type { FoldPlace } from '../../src/store/fold.ts';
import { sparseRow } from '../../src/store/sparse-rows.ts';
import { planTables, type TablePlan, type TableSpec } from '../../src/store/table.ts';
import { openView, type TableView } from '../../src/store/views.ts';

const BYTES = 512 * 2 ** 20;
const LOG_BYTES = 16 * 2 ** 20;

export type Bench = {
  readonly arena: Arena;
  readonly place: FoldPlace;
  /** Forgets all tables and logs. */
  reset(): void;
  tables(specs: readonly TableSpec[]): readonly TablePlan[];
  log(bytes?: number): DeltaLog;
  /** A cleared u8 per row, by table. */
  marks(tables: readonly TablePlan[]): number[];
};

export function openBench(): Bench {
  const layout = planLayout(1, BYTES);
  const memory = createMemory(layout.bytes);
  const arena = openArena(memory, layout, true);
  const kernels = instantiate(compileKernels(chooseVariant({ reproducible: true })), memory);
  const scratchBytes = limits.scratchBytes;
  const place = { arena, kernels, userKernels: {}, scratch: scratchAt(layout, 0), scratchBytes };
  const start = arena.mark();
  return {
    arena,
    place,
    reset: () => arena.release(start),
    tables: (specs) => planTables(arena, specs, { consistency: 'ssp', staleness: 1 }),
    log(bytes = LOG_BYTES) {
      const log = openDeltaLog(arena, arena.allocate(bytes), bytes);
      log.clear();
      return log;
    },
    marks: (tables) =>
      tables.map(({ rows }) => {
        const at = arena.allocate(rows);
        arena.u8.fill(0, at, at + rows);
        return at;
      }),
  };
}

/** One table as a plain array of rows. */
export type Model = number[][];

/** All values of a table, zeros of sparse rows too. */
export function readTable({ arena }: Bench, table: TablePlan): Model {
  const words = table.type === 'f32' ? arena.f32 : arena.i32;
  return Array.from({ length: table.rows }, (_, row) => {
    if (table.layout === 'dense') {
      const from = (table.at + row * table.rowBytes) / 4;
      return [...words.subarray(from, from + table.columns)];
    }
    const values = Array.from({ length: table.columns }, () => 0);
    const found = sparseRow(arena, table, row);
    for (let i = 0; i < found.count; i++) {
      const column = arena.i32[found.columns / 4 + i]!;
      if (i > 0) assert.ok(arena.i32[found.columns / 4 + i - 1]! < column, 'columns ascend');
      values[column] = words[found.values / 4 + i]!;
    }
    return values;
  });
}

/** One inc: values to add to a row, in the order of the log. */
export type Inc = { readonly table: number; readonly row: number; readonly values: number[] };

export const emptyModel = (tables: readonly TablePlan[]): Model[] =>
  tables.map(({ rows, columns }) =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => 0)),
  );

/** Adds incs to models, in f32 or i32. */
export function addIncs(tables: readonly TablePlan[], models: Model[], incs: readonly Inc[]): void {
  for (const { table, row, values } of incs) {
    const sums = models[table]![row]!;
    const round = tables[table]!.type === 'f32' ? Math.fround : (sum: number) => sum | 0;
    values.forEach((value, column) => {
      sums[column] = round(sums[column]! + value);
    });
  }
}

/** What a random log holds: how full its rows are, and what a value is. */
export type Taste = {
  readonly records: number;
  readonly fill: number;
  readonly value: (prng: Prng, type: 'f32' | 'i32') => number;
};

export const wholeNumbers = (prng: Prng): number => prng.below(2001) - 1000;
export const anyNumbers = (prng: Prng, type: 'f32' | 'i32'): number =>
  type === 'i32'
    ? (prng.uint32() | 0) >> prng.below(31)
    : Math.fround((prng.uniform() - 0.5) * 2 ** (prng.below(40) - 20));

function randomValues(table: TablePlan, prng: Prng, taste: Taste): number[] {
  const fill = prng.uniform() < 0.5 ? 1 : taste.fill;
  const { columns, type, layout } = table;
  const value = () => (prng.uniform() < fill ? taste.value(prng, type) : 0);
  const values = Array.from({ length: columns }, value);
  return layout === 'dense' ? values : values.map((x) => (prng.uniform() < 0.5 ? x : 0));
}

/** Adds to scattered columns of a dense row, or to a span of them. */
function someColumns(
  view: TableView,
  table: TablePlan,
  row: number,
  prng: Prng,
  taste: Taste,
): Inc[] {
  const from = prng.below(table.columns);
  const to = from + prng.below(table.columns - from + 1);
  const isSpan = prng.uniform() < 0.5;
  const columns = Array.from({ length: table.columns }, (_, column) => column).filter((column) =>
    isSpan ? column >= from && column < to : prng.uniform() < taste.fill,
  );
  const named = columns.map(() => taste.value(prng, table.type));
  if (isSpan) view.incSpan(row, from, named);
  else view.incColumns(row, columns, named);
  const values = new Array<number>(table.columns).fill(0);
  columns.forEach((column, i) => (values[column] = named[i]!));
  return [{ table: table.id, row, values }];
}

/** Writes random records of all kinds; returns them as incs. */
export function randomLog(
  bench: Bench,
  tables: readonly TablePlan[],
  prng: Prng,
  taste: Taste,
): { log: DeltaLog; incs: Inc[] } {
  const { arena, place } = bench;
  const log = bench.log();
  const incs: Inc[] = [];
  for (let n = 0; n < taste.records; n++) {
    const table = tables[prng.below(tables.length)]!;
    const view = openView(arena, place.kernels, table);
    view.point(table.at, log, 0);
    const words = table.type === 'f32' ? arena.f32 : arena.i32;
    const fillRow = (row: number, at: number) => {
      const values = randomValues(table, prng, taste);
      words.set(values, at / 4);
      incs.push({ table: table.id, row, values });
    };
    const first = prng.below(table.rows);
    if (table.layout === 'sparse') {
      const values = randomValues(table, prng, taste);
      const columns = values.flatMap((value, column) => (value === 0 ? [] : [column]));
      const named = columns.map((column) => values[column]!);
      view.incSparse(first, columns, named);
      incs.push({ table: table.id, row: first, values });
    } else if (prng.uniform() < 0.3) {
      incs.push(...someColumns(view, table, first, prng, taste));
    } else if (prng.uniform() < 0.5) {
      const count = 1 + prng.below(Math.min(40, table.rows - first));
      const at = view.incRange(first, count);
      for (let i = 0; i < count; i++) fillRow(first + i, at + i * table.rowBytes);
    } else {
      const rows = Int32Array.from({ length: prng.below(12) }, () => prng.below(table.rows));
      const rowsAt = arena.allocate(rows.byteLength);
      arena.i32.set(rows, rowsAt / 4);
      const at = view.incRows(rowsAt, rows.length);
      rows.forEach((row, i) => fillRow(row, at + i * table.rowBytes));
    }
  }
  return { log, incs };
}

/** A few tables of all sorts. */
export function randomSpecs(prng: Prng): TableSpec[] {
  const count = 1 + prng.below(3);
  return Array.from({ length: count }, (_, i) => ({
    name: `t${i}`,
    rows: 1 + prng.below(90),
    columns: 1 + prng.below(prng.uniform() < 0.5 ? 7 : 40),
    type: prng.uniform() < 0.7 ? 'f32' : 'i32',
    layout: prng.uniform() < 0.6 ? 'dense' : 'sparse',
  }));
}

export function sameModels(got: readonly Model[], want: readonly Model[], label: string): void {
  want.forEach((model, table) => {
    model.forEach((values, row) => {
      values.forEach((value, column) => {
        const found = got[table]![row]![column]!;
        if (found === value) return;
        const cell = `table ${table}, row ${row}, column ${column}`;
        assert.unreachable(`${label}: ${cell}: got ${found}, want ${value}`);
      });
    });
  });
}

export const readTables = (bench: Bench, tables: readonly TablePlan[]): Model[] =>
  tables.map((table) => readTable(bench, table));
