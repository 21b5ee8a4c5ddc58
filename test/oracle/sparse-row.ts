// Sparse rows as maps: what assembly/linalg/sparse-row.ts is held against.

export type Entry = readonly [column: number, value: number];

export type ColumnSum = {
  /** The sum as the row's type has it: f64 for f32 rows, 32-bit wrapping for i32 rows. */
  readonly value: number;
  /** Σ |terms| and their number, for the bound of an f32 sum. */
  readonly size: number;
  readonly terms: number;
};

/** Sums the entries of each column; columns ascending. */
export function sumColumns(entries: readonly Entry[], isFloat: boolean): Map<number, ColumnSum> {
  const sums = new Map<number, ColumnSum>();
  for (const [column, value] of entries) {
    const { value: before, size, terms } = sums.get(column) ?? { value: 0, size: 0, terms: 0 };
    const total = isFloat ? before + value : (before + value) | 0;
    sums.set(column, { value: total, size: size + Math.abs(value), terms: terms + 1 });
  }
  return new Map([...sums].sort(([a], [b]) => a - b));
}
