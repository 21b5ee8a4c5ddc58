// Deltas for rows of other hosts: collected from the logs of this host's workers, and taken out
// again, whole or the most important first. The accumulator is a table of its own beside the cache.
import { assert } from '../../base/assert.ts';
import type { Prng } from '../../base/prng.ts';
import { recordKind, type DeltaLog } from '../delta-log.ts';
import { foldRows, type FoldPlace, type RowRange } from '../fold.ts';
import { sparseRow } from '../sparse-rows.ts';
import type { TablePlan } from '../table.ts';
import { encodings, widthOf, type Encoding } from './format.ts';
import { packList, packNumbers, type Source } from './pack-rows.ts';
import { listRows, openWriter, stageOf, type Writer } from './writer.ts';

/** Where the marks (a u8 per row) of a run's tables begin, by table. */
export type Marks = readonly number[];

/**
 * Adds the records of `log` that lie in `rowsOf` to the accumulators `deltas` (the run's tables
 * with another place), and marks every row of the log. Call it under the write lock, beside fold().
 * @throws ERR_NOT_FINITE naming table, row and clock.
 */
export function accumulate(
  place: FoldPlace,
  deltas: readonly TablePlan[],
  log: DeltaLog,
  at: {
    readonly touched: Marks;
    readonly rowsOf: (table: TablePlan) => readonly RowRange[];
    readonly clock: number;
  },
): void {
  foldRows(place, deltas, log, at);
  for (const { table, kind, first, count, keys, values } of log.records(deltas)) {
    const marks = at.touched[table];
    const rowBytes = deltas[table]?.rowBytes;
    assert(marks !== undefined && rowBytes !== undefined, 'a table of a delta has marks');
    switch (kind) {
      case recordKind.range:
        place.kernels.marks_of_rows(count, rowBytes, values, marks + first);
        break;
      case recordKind.rows:
        place.kernels.marks_set(count, 1, keys, marks);
        break;
      default:
        place.arena.u8[marks + first] = 1;
    }
  }
}

/** All rows of `range` marked `wanted` (0: at all), in lists of at most `listRows` at `touched`. */
export function* markedRows(
  place: FoldPlace,
  marks: number,
  range: RowRange,
  { wanted, clear }: { readonly wanted: number; readonly clear: 0 | 1 },
) {
  const { touched } = stageOf(place);
  let found = 0;
  for (let from = range.first; from < range.last;) {
    const n = Math.min(listRows - found, range.last - from);
    const out = touched + 4 * found;
    found += place.kernels.marks_list(n, from, wanted, clear, marks + from, out);
    from += n;
    // Short lists would make short sections.
    if (found < listRows / 2 && from < range.last) continue;
    if (found > 0) yield { list: touched, count: found };
    found = 0;
  }
}

/** The rows of `range` whose marks are set, ascending; clears the marks. */
export function takeTouched(place: FoldPlace, marks: number, range: RowRange): Int32Array {
  const { i32 } = place.arena;
  const lists: Int32Array[] = [];
  for (const { list, count } of markedRows(place, marks, range, { wanted: 0, clear: 1 })) {
    lists.push(i32.slice(list / 4, list / 4 + count));
  }
  const rows = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    rows.set(list, at);
    at += list.length;
  }
  return rows;
}

export type Cut = {
  /**
   * f16 and bf16 round; what they leave stays in the accumulator until new deltas of the row or a
   * cut with `full` take it along, so the last cut of a run is a full one. Integers are not
   * rounded.
   */
  readonly encoding: Encoding;
  /** Takes only about that many bytes of rows; the others stay marked. At least one row. */
  readonly bytesMax?: number | undefined;
  /** Which rows go first when there are too many bytes. Default first. */
  readonly order?: 'first' | 'random' | 'magnitude' | undefined;
  /** For `random`. */
  readonly prng?: Prng | undefined;
};

function shuffle(rows: Int32Array, prng: Prng): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = prng.below(i + 1);
    const keep = rows[i] ?? 0;
    rows[i] = rows[j] ?? 0;
    rows[j] = keep;
  }
}

/** Σ|δ| over Σ|v| of a sparse row. */
function sparseImportance({ arena }: FoldPlace, table: TablePlan, deltas: TablePlan, row: number) {
  const words = table.type === 'f32' ? arena.f32 : arena.i32;
  const size = (of: TablePlan) => {
    const { count, values } = sparseRow(arena, of, row);
    let sum = 0;
    for (let i = 0; i < count; i++) sum += Math.abs(words[values / 4 + i] ?? 0);
    return sum;
  };
  return size(deltas) / (size(table) + 1e-6);
}

/** The relative change that each row's delta makes. */
function importanceOf(place: FoldPlace, table: TablePlan, deltas: TablePlan, rows: Int32Array) {
  if (table.layout === 'sparse') {
    return Float32Array.from(rows, (row) => sparseImportance(place, table, deltas, row));
  }
  const { touched, counts } = stageOf(place);
  const scores = new Float32Array(rows.length);
  const isFloat = table.type === 'f32' ? 1 : 0;
  const { columns, rowBytes } = table;
  for (let done = 0; done < rows.length; done += listRows) {
    const part = rows.subarray(done, done + listRows);
    place.arena.i32.set(part, touched / 4);
    place.kernels.rows_importance(
      ...([isFloat, part.length, columns, rowBytes, touched] as const),
      ...([deltas.at, table.at, counts] as const),
    );
    scores.set(place.arena.f32.subarray(counts / 4, counts / 4 + part.length), done);
  }
  return scores;
}

/** Bytes that each row needs on the wire. */
function sizesOf(place: FoldPlace, deltas: TablePlan, rows: Int32Array, width: number): Int32Array {
  const { touched, counts } = stageOf(place);
  const { kernels, arena } = place;
  const { columns, rowBytes, at } = deltas;
  const sizes = new Int32Array(rows.length);
  const dense = deltas.layout === 'dense' ? columns * width + 4 : Infinity;
  for (let done = 0; done < rows.length; done += listRows) {
    const part = rows.subarray(done, done + listRows);
    arena.i32.set(part, touched / 4);
    if (deltas.layout === 'sparse') kernels.sparse_counts(part.length, touched, at, counts);
    else kernels.rows_nonzeros(part.length, columns, rowBytes, touched, at, counts);
    for (let i = 0; i < part.length; i++) {
      const entries = arena.i32[counts / 4 + i] ?? 0;
      sizes[done + i] = entries === 0 ? 0 : Math.min(dense, 8 + entries * (4 + width));
    }
  }
  return sizes;
}

type Taking = { readonly table: TablePlan; readonly deltas: TablePlan; readonly cut: Cut };

/** As many of the marked rows as `bytesMax` allows, ascending. */
function chooseRows(place: FoldPlace, rows: Int32Array, width: number, taking: Taking): Int32Array {
  const { table, deltas, cut } = taking;
  const sizes = sizesOf(place, deltas, rows, width);
  const order = Int32Array.from(rows, (_, i) => i);
  if (cut.order === 'magnitude') {
    const scores = importanceOf(place, table, deltas, rows);
    order.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  } else if (cut.order === 'random') {
    assert(cut.prng !== undefined, 'a random order has a source of randomness');
    shuffle(order, cut.prng);
  }
  let bytes = 0;
  let taken = 0;
  for (; taken < order.length; taken++) {
    bytes += sizes[order[taken] ?? 0] ?? 0;
    if (bytes > (cut.bytesMax ?? Infinity) && taken > 0) break;
  }
  return order
    .slice(0, taken)
    .map((i) => rows[i] ?? 0)
    .sort();
}

function takeSome(writer: Writer, source: Source, marks: number, range: RowRange, taking: Taking) {
  const { place } = writer;
  const { i32 } = place.arena;
  const { touched } = stageOf(place);
  const wanted = source.encoding === encodings.full ? 0 : 1;
  const marked: number[] = [];
  for (const { list, count } of markedRows(place, marks, range, { wanted, clear: 0 })) {
    for (let i = 0; i < count; i++) marked.push(i32[list / 4 + i] ?? 0);
  }
  const width = widthOf(source.encoding);
  const rows = chooseRows(place, Int32Array.from(marked), width, taking);
  for (let done = 0; done < rows.length; done += listRows) {
    const part = rows.subarray(done, done + listRows);
    i32.set(part, touched / 4);
    place.kernels.marks_set(part.length, 0, touched, marks);
  }
  packNumbers(writer, source, rows);
}

/**
 * Takes the deltas of the marked rows of `range` out of the accumulator `deltas` of `table` and
 * clears their marks (at `marks`). Returns the payloads that carry them, in no particular order.
 */
export function takeDeltas(
  place: FoldPlace,
  tables: { readonly table: TablePlan; readonly deltas: TablePlan; readonly marks: number },
  range: RowRange,
  cut: Cut,
): readonly Uint8Array[] {
  const { table, deltas, marks } = tables;
  const encoding = encodings[table.type === 'i32' ? 'full' : cut.encoding];
  const source = { table: deltas, encoding, take: true, skip: true, marks };
  const writer = openWriter(place);
  if (cut.bytesMax === undefined) {
    const wanted = encoding === encodings.full ? 0 : 1;
    for (const { list, count } of markedRows(place, marks, range, { wanted, clear: 1 })) {
      packList(writer, source, list, count);
    }
  } else takeSome(writer, source, marks, range, { table, deltas, cut });
  return writer.finish();
}
