// The columns of one partition of the samples (assembly/linear/columns.ts): sparse rows are sorted
// by column, dense ones are transposed. Everything that reads them is a partial sum over the
// partition's rows; who folds those in partition order gets the same bits for any threads.
import type { Samples } from '../../data/dataset.ts';
import type { Context } from '../../program/program.ts';
import type { Range } from '../../base/ranges.ts';
import { openRows, storageCode } from '../rows.ts';

type Place = Pick<Context<unknown>, 'arena' | 'kernels' | 'poll'>;

export type Columns = {
  readonly rows: number;
  readonly columns: number;
  /** Stored entries; rows × columns of dense data. */
  readonly nonzeros: number;
  readonly dense: boolean;
  /** Length that vectors over the rows have: rows, or `stride` of dense columns, 0 at the end. */
  readonly length: number;
  /** Byte offsets; sparse: starts, index, value, dense: x. */
  readonly places: {
    readonly starts: number;
    readonly index: number;
    readonly value: number;
    readonly x: number;
  };
};

/** Columns by number: count × i32 at `at`. */
export type ColumnList = { readonly at: number; readonly count: number };

/** Rows of one kernel call while columns are built. */
const chunkRows = 4096;
/** Entries of one kernel call: about a millisecond. */
const chunkEntries = 1 << 19;

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
  const places = { starts: 0, index: 0, value: 0, x };
  return { ...shape, nonzeros: rows * columns, dense: true, length, places };
}

function sortEntries(
  ctx: Place,
  directory: { readonly at: number },
  { rows, columns }: { rows: number; columns: number },
): Columns {
  const { arena, kernels } = ctx;
  const starts = arena.allocate((columns + 2) * 4);
  arena.i32.fill(0, starts / 4, starts / 4 + columns + 2);
  const chunks = function* () {
    for (let done = 0; done < rows; done += chunkRows) {
      ctx.poll();
      yield [Math.min(chunkRows, rows - done), done, directory.at + done * 16] as const;
    }
  };
  for (const [count, , at] of chunks()) kernels.csr_count_columns(count, at, starts + 8);
  const nonzeros = kernels.columns_starts(columns, starts);
  const index = arena.allocate(Math.max(16, nonzeros * 4));
  const value = arena.allocate(Math.max(16, nonzeros * 4));
  for (const [count, first, at] of chunks()) {
    kernels.columns_scatter(count, first, at, starts, index, value);
  }
  const places = { starts, index, value, x: 0 };
  return { rows, columns, nonzeros, dense: false, length: rows, places };
}

/** Pieces of a list, or of all columns: about a millisecond of work each. */
function* pieces(ctx: Place, { columns, nonzeros }: Columns, list: ColumnList | 'all') {
  const count = list === 'all' ? columns : list.count;
  const mean = Math.max(1, nonzeros / Math.max(1, columns));
  const step = Math.max(1, Math.floor(chunkEntries / mean));
  for (let first = 0; first < count; first += step) {
    ctx.poll();
    yield { first, count: Math.min(step, count - first) };
  }
}

/** out[k] = Σ_i x_i,list[k] v_i: v f64 per row of the partition (`length` of them), out f64. */
export function dots(
  ctx: Place,
  columns: Columns,
  { list, v, out }: { list: ColumnList | 'all'; v: number; out: number },
): void {
  const { starts, index, value, x } = columns.places;
  const all = list === 'all';
  for (const { first, count } of pieces(ctx, columns, list)) {
    const at = all ? 0 : list.at + first * 4;
    const skip = all ? first : 0;
    const to = out + first * 8;
    if (columns.dense) {
      const from = x + skip * columns.length * 4;
      ctx.kernels.columns_dots_dense(count, at, columns.length, from, v, to);
    } else {
      ctx.kernels.columns_dots_sparse(count, at, starts + skip * 4, index, value, v, to);
    }
  }
}

/** v_i += Σ_k a_k x_i,list[k]: a f64 per entry of the list, v f64 per row. */
export function addColumns(
  ctx: Place,
  columns: Columns,
  { list, a, v }: { list: ColumnList | 'all'; a: number; v: number },
): void {
  const { starts, index, value, x } = columns.places;
  const all = list === 'all';
  for (const { first, count } of pieces(ctx, columns, list)) {
    const at = all ? 0 : list.at + first * 4;
    const skip = all ? first : 0;
    const from = a + first * 8;
    if (columns.dense) {
      const start = x + skip * columns.length * 4;
      ctx.kernels.columns_add_dense(count, at, columns.length, start, from, v);
    } else {
      ctx.kernels.columns_add_sparse(count, at, starts + skip * 4, index, value, from, v);
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
  const { starts, index, value, x } = columns.places;
  for (const { first, count } of pieces(ctx, columns, 'all')) {
    const skip = (at: number) => (at === 0 ? 0 : at + first * 8);
    const out = [weights, skip(centres), skip(sums), skip(squares)] as const;
    if (columns.dense) {
      const from = x + first * columns.length * 4;
      ctx.kernels.columns_moments_dense(count, columns.rows, columns.length, from, ...out);
    } else {
      const at = starts + first * 4;
      ctx.kernels.columns_moments_sparse(count, total, at, index, value, ...out);
    }
  }
}
