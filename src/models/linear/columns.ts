// The columns of one partition of the samples (assembly/linear/columns.ts): sparse rows are sorted
// by column, columns by length; dense ones are transposed. Everything that reads them is a partial
// sum over the partition's rows; who folds those in partition order gets the same bits for any
// threads.
import { assert } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import type { Samples } from '../../data/dataset.ts';
import type { Context } from '../../program/program.ts';
import type { Range } from '../../base/ranges.ts';
import { openRows, storageCode } from '../rows.ts';

type Place = Pick<Context<unknown>, 'arena' | 'kernels' | 'scratch' | 'poll'>;

export type Columns = {
  readonly rows: number;
  readonly columns: number;
  /** Stored entries; rows × columns of dense data. */
  readonly nonzeros: number;
  readonly dense: boolean;
  /** Length that vectors over the rows have: rows, or `stride` of dense columns, 0 at the end. */
  readonly length: number;
  /** Byte offsets; dense: x, sparse: the others. `order` follows `place`. */
  readonly places: {
    readonly place: number;
    readonly starts: number;
    readonly entries: number;
    readonly x: number;
  };
};

/** Columns by number: count × i32 at `at`. */
export type ColumnList = { readonly at: number; readonly count: number };

/** Cells of work of `columns_order`. */
const buckets = 1024;
/** Rows of one kernel call while columns are built. */
const chunkRows = 4096;
/** Entries of one kernel call: about a millisecond. */
const chunkEntries = 1 << 19;

/** Rows of a partition at most: a vector over them is half of a core's cache of 1 MB. */
const partitionRowsMax = 1 << 16;

/**
 * Partitions of one host's rows, from the data alone. Each has a sum for every column, so there are
 * few where a column has few entries; more where each has plenty for many workers, or where the
 * rows of a few would leave the cache: a visit of an entry then costs six times as much.
 */
export function columnPartitions(
  data: Pick<Samples, 'rows' | 'columns' | 'nonzeros' | 'storage'>,
): number {
  const { rows, columns, nonzeros, storage } = data;
  const entries = (storage === 'csr' ? nonzeros : rows * columns) / Math.max(1, columns);
  const worth = Math.min(entries / 4, rows / 256, limits.partitionsMax);
  const many = Math.min(entries / 32, rows / 4096, 64);
  return Math.max(1, Math.floor(Math.min(worth, Math.max(4, many, rows / partitionRowsMax))));
}

/** Builds the columns of rows [first, last), which lie on this host, in the arena. */
export function openColumns(ctx: Place, data: Samples, range: Range): Columns {
  const directory = openRows(ctx, data, range);
  const shape = { rows: directory.count, columns: data.columns };
  if (data.storage === 'csr') return sortEntries(ctx, directory, shape);
  const { rows, columns } = shape;
  const length = (rows + 3) & ~3;
  const x = ctx.arena.allocate(Math.max(16, columns * length * 4));
  for (let j = 0; rows < length && j < columns; j++) {
    ctx.arena.f32.fill(0, x / 4 + j * length + rows, x / 4 + (j + 1) * length);
  }
  const step = Math.max(16, Math.floor(chunkEntries / Math.max(1, columns)) & ~15);
  for (let done = 0; done < rows; done += step) {
    ctx.poll();
    ctx.kernels.columns_transpose(
      ...([storageCode[data.storage], Math.min(step, rows - done), done] as const),
      ...([directory.at + done * 16, columns, data.scale, length, x] as const),
    );
  }
  const places = { place: 0, starts: 0, entries: 0, x };
  return { ...shape, nonzeros: rows * columns, dense: true, length, places };
}

function sortEntries(
  ctx: Place,
  directory: { readonly at: number },
  { rows, columns }: { rows: number; columns: number },
): Columns {
  const { arena, kernels, scratch } = ctx;
  const place = arena.allocate(Math.max(16, columns * 8));
  const order = place + columns * 4;
  const starts = arena.allocate((columns + 1) * 4);
  // Until the entries have their places, it counts them.
  arena.i32.fill(0, place / 4, place / 4 + columns);
  const chunks = function* () {
    for (let done = 0; done < rows; done += chunkRows) {
      ctx.poll();
      yield [Math.min(chunkRows, rows - done), done, directory.at + done * 16] as const;
    }
  };
  for (const [count, , at] of chunks()) kernels.csr_count_columns(count, at, place);
  assert(scratch.bytes >= buckets * 4, 'scratch has room for the buckets');
  const nonzeros = kernels.columns_order(columns, place, starts, order, scratch.at);
  const entries = arena.allocate(Math.max(16, nonzeros * 8));
  for (const [count, first, at] of chunks()) {
    kernels.columns_scatter(count, first, at, place, entries);
  }
  kernels.columns_place(columns, order, place);
  const places = { place, starts, entries, x: 0 };
  return { rows, columns, nonzeros, dense: false, length: rows, places };
}

/** Pieces of a list, or of all columns: about a millisecond of work each. */
function* pieces(ctx: Place, columns: Columns, list: ColumnList | 'all') {
  const { dense, nonzeros, places } = columns;
  const count = list === 'all' ? columns.columns : list.count;
  const mean = Math.max(1, nonzeros / Math.max(1, columns.columns));
  const sorted = !dense && list === 'all';
  for (let first = 0; first < count;) {
    ctx.poll();
    // None after the first is longer than it.
    const length = sorted ? lengthAt(ctx, places.starts / 4 + first) : mean;
    const step = Math.max(1, Math.floor(chunkEntries / Math.max(1, length)));
    yield { first, count: Math.min(step, count - first) };
    first += step;
  }
}

function lengthAt({ arena }: Place, cell: number): number {
  return (arena.i32[cell + 1] ?? 0) - (arena.i32[cell] ?? 0);
}

/** The arguments of a sparse kernel for the columns of a piece. */
function sparsePiece(
  { columns, places }: Columns,
  list: ColumnList | 'all',
  first: number,
): readonly [list: number, map: number, starts: number, entries: number] {
  const { place, starts, entries } = places;
  if (list !== 'all') return [list.at + first * 4, place, starts, entries];
  return [0, place + (columns + first) * 4, starts + first * 4, entries];
}

/** out[k] = Σ_i x_i,list[k] v_i: v f64 per row of the partition (`length` of them), out f64. */
export function dots(
  ctx: Place,
  columns: Columns,
  { list, v, out }: { list: ColumnList | 'all'; v: number; out: number },
): void {
  const { dense, length, places } = columns;
  const all = list === 'all';
  for (const { first, count } of pieces(ctx, columns, list)) {
    if (dense) {
      const at = all ? 0 : list.at + first * 4;
      const from = places.x + (all ? first * length * 4 : 0);
      ctx.kernels.columns_dots_dense(count, at, length, from, v, out + first * 8);
    } else {
      const piece = sparsePiece(columns, list, first);
      ctx.kernels.columns_dots_sparse(count, ...piece, v, all ? out : out + first * 8);
    }
  }
}

/** v_i += Σ_k a_k x_i,list[k]: a f64 per entry of the list, v f64 per row. */
export function addColumns(
  ctx: Place,
  columns: Columns,
  { list, a, v }: { list: ColumnList | 'all'; a: number; v: number },
): void {
  const { dense, length, places } = columns;
  const all = list === 'all';
  for (const { first, count } of pieces(ctx, columns, list)) {
    if (dense) {
      const at = all ? 0 : list.at + first * 4;
      const from = places.x + (all ? first * length * 4 : 0);
      ctx.kernels.columns_add_dense(count, at, length, from, a + first * 8, v);
    } else {
      const piece = sparsePiece(columns, list, first);
      ctx.kernels.columns_add_sparse(count, ...piece, all ? a : a + first * 8, v);
    }
  }
}

/** Where moments go, f64 per column, 0 for what is not wanted. */
export type Moments = {
  /** f64 per row; 0: ones. */
  readonly weights?: number;
  /** Σ of the weights of the partition's rows; its rows by default. */
  readonly total?: number;
  /** f64 per column: squares are taken about it; 0: about 0. */
  readonly centres?: number;
  readonly sums: number;
  readonly squares: number;
};

/** sums = Σ w x, squares = Σ w (x − centre)² of every column. */
export function moments(ctx: Place, columns: Columns, wanted: Moments): void {
  const { weights = 0, total = columns.rows, centres = 0, sums, squares } = wanted;
  const { dense, rows, length, places } = columns;
  for (const { first, count } of pieces(ctx, columns, 'all')) {
    if (dense) {
      const skip = (at: number) => (at === 0 ? 0 : at + first * 8);
      const out = [weights, skip(centres), skip(sums), skip(squares)] as const;
      const from = places.x + first * length * 4;
      ctx.kernels.columns_moments_dense(count, rows, length, from, ...out);
    } else {
      const [, ...piece] = sparsePiece(columns, 'all', first);
      ctx.kernels.columns_moments_sparse(
        ...([count, total, ...piece, weights, centres, sums, squares] as const),
      );
    }
  }
}
