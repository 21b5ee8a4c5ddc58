// Matrices of callers in the arena, dense and sparse, checked.
import { SystemError } from '../base/errors.ts';
import type { SampleBlock, Samples } from '../data/dataset.ts';
import type { Arena } from '../memory/arena.ts';
import type { Matrix } from './classes.ts';

/** Compressed rows: row i has entries rowStart[i] … rowStart[i + 1] − 1, columns ascending. */
export type SparseMatrix = {
  readonly columns: number;
  /** n + 1 numbers, the first 0. */
  readonly rowStart: ArrayLike<number>;
  /** Column of each entry, from 0. */
  readonly index: ArrayLike<number>;
  readonly value: ArrayLike<number>;
};

export function configError(rule: string, found: unknown): SystemError {
  return new SystemError('ERR_CONFIG', `${rule}, got ${String(found)}`);
}

const isSparse = (X: Matrix | SparseMatrix): X is SparseMatrix => 'rowStart' in X;

export function rowsOf(X: Matrix | SparseMatrix): number {
  return isSparse(X) ? X.rowStart.length - 1 : X.length;
}

export function columnsOf(X: Matrix | SparseMatrix): number {
  return isSparse(X) ? X.columns : (X[0]?.length ?? 0);
}

function placeDense(arena: Arena, X: Matrix, columns: number) {
  const rows = X.length;
  const stride = (columns + 3) & ~3;
  const x = arena.allocate(rows * stride * 4);
  arena.f32.fill(0, x / 4, x / 4 + rows * stride);
  X.forEach((row, i) => {
    if (row.length !== columns) {
      throw configError(`row ${i} of X must have ${columns} numbers`, row.length);
    }
    const at = x / 4 + i * stride;
    arena.f32.set(row, at);
    const bad = arena.f32.subarray(at, at + columns).findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw configError(`X[${i}][${bad}] must be a finite number`, row[bad]);
  });
  return { storage: 'f32' as const, stride, nonzeros: 0, block: { x } };
}

function checkSparse({ columns, rowStart, index, value }: SparseMatrix): void {
  const rows = rowStart.length - 1;
  const nonzeros = rowStart[rows] ?? 0;
  if (rowStart[0] !== 0) throw configError('rowStart[0] must be 0', rowStart[0]);
  if (index.length !== nonzeros || value.length !== nonzeros) {
    const rule = `index and value must have ${nonzeros} entries, the last of rowStart`;
    throw configError(rule, `${index.length} and ${value.length}`);
  }
  for (let i = 0; i < rows; i++) {
    const [first = 0, last = 0] = [rowStart[i], rowStart[i + 1]];
    if (!(last >= first)) throw configError(`rowStart[${i + 1}] must be at least ${first}`, last);
    for (let at = first; at < last; at++) {
      const column = index[at] ?? NaN;
      const least = at > first ? (index[at - 1] ?? 0) + 1 : 0;
      if (!(Number.isInteger(column) && column >= least && column < columns)) {
        throw configError(`index[${at}] must be a column from ${least} to ${columns - 1}`, column);
      }
      const x = Math.fround(value[at] ?? NaN);
      if (!Number.isFinite(x)) throw configError(`value[${at}] must be a finite number`, value[at]);
    }
  }
}

function placeSparse(arena: Arena, X: SparseMatrix) {
  checkSparse(X);
  const put = (cells: Int32Array | Float32Array, values: ArrayLike<number>): number => {
    const at = arena.allocate(Math.max(16, values.length * 4));
    cells.set(values, at / 4);
    return at;
  };
  const rowStart = put(arena.i32, X.rowStart);
  const block = { rowStart, index: put(arena.i32, X.index), value: put(arena.f32, X.value) };
  return { storage: 'csr' as const, stride: 0, nonzeros: X.index.length, block };
}

/** X and numbers to predict in the arena, as one block. y undefined: rows to be scored. */
export function placeRegression(
  arena: Arena,
  X: Matrix | SparseMatrix,
  y: ArrayLike<number> | undefined,
): Samples {
  const rows = rowsOf(X);
  const columns = columnsOf(X);
  if (!(rows > 0 && columns > 0)) {
    throw configError('X must have rows and columns', `${rows} × ${columns}`);
  }
  if (y !== undefined && y.length !== rows)
    throw configError(`y must have ${rows} labels`, y.length);
  const { block, ...shape } = isSparse(X) ? placeSparse(arena, X) : placeDense(arena, X, columns);
  const target = arena.allocate(rows * 4);
  for (let i = 0; i < rows; i++) {
    const label = Math.fround(y === undefined ? 0 : (y[i] ?? NaN));
    if (!Number.isFinite(label)) throw configError(`y[${i}] must be a finite number`, y?.[i]);
    arena.f32[target / 4 + i] = label;
  }
  const empty: SampleBlock = {
    ...{ rows, nonzeros: shape.nonzeros, target, x: 0, rowStart: 0, index: 0, value: 0 },
  };
  return {
    ...{ kind: 'samples', labels: 'number', rows, columns, scale: 1, base: 0, first: 0 },
    ...{ ...shape, classes: [], columnNames: [], blocks: [{ ...empty, ...block }] },
  };
}
