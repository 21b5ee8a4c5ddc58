// The ground truth of the checkers of tables: every increment that workers made, as the workers
// made them, before any code under test saw them. Integers only, so that sums are exact in f32 up
// to 2²⁴ and in i32.
import { assert } from '../../src/base/assert.ts';

/** Which number of which table. */
export type Cell = { readonly table: number; readonly row: number; readonly column: number };

export type Increment = Cell & {
  readonly host: number;
  /** Among all workers of all hosts. */
  readonly worker: number;
  /** Clocks that the worker had finished: this increment belongs to the next. */
  readonly clock: number;
  /** Positive, so that a missing one shows as a smaller value. */
  readonly amount: number;
};

/** A value that a worker found in a cell at its `clock`. */
export type Read = Cell & {
  readonly host: number;
  readonly worker: number;
  readonly clock: number;
  readonly value: number;
};

export function cellName({ table, row, column }: Cell): string {
  return `table ${table} row ${row} column ${column}`;
}

/** Sums of one worker in one cell: `through[c]` is what it added up to and with clock c. */
type Sums = { readonly through: number[] };

function sumBefore(sums: Sums | undefined, clock: number): number {
  if (sums === undefined || clock <= 0) return 0;
  return sums.through[Math.min(clock, sums.through.length) - 1] ?? 0;
}

export class Increments {
  readonly #cells = new Map<string, Map<number, Sums>>();
  readonly #named = new Map<string, Cell>();

  add(increment: Increment): void {
    const { worker, clock, amount } = increment;
    assert(Number.isInteger(amount) && amount > 0, 'an increment is a positive integer');
    assert(Number.isInteger(clock) && clock >= 0, 'a clock is a count');
    const { table, row, column } = increment;
    const key = `${table} ${row} ${column}`;
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = new Map();
      this.#cells.set(key, cell);
      this.#named.set(key, { table, row, column });
    }
    let sums = cell.get(worker);
    if (sums === undefined) {
      sums = { through: [] };
      cell.set(worker, sums);
    }
    const { through } = sums;
    assert(clock >= through.length - 1, 'a worker makes its increments in the order of its clocks');
    let sum = through.at(-1) ?? 0;
    while (through.length < clock) through.push(sum);
    sum += amount;
    if (through.length === clock) through.push(sum);
    else through[clock] = sum;
  }

  /** Workers that added to this cell. */
  workers(cell: Cell): readonly number[] {
    return [...(this.#of(cell)?.keys() ?? [])];
  }

  /** What `worker` added to the cell in its clocks before `clock`. */
  before(cell: Cell, worker: number, clock: number): number {
    return sumBefore(this.#of(cell)?.get(worker), clock);
  }

  /** What all workers added in their clocks before `clock`. */
  allBefore(cell: Cell, clock: number): number {
    let all = 0;
    for (const sums of this.#of(cell)?.values() ?? []) all += sumBefore(sums, clock);
    return all;
  }

  /** What all workers added so far. */
  sum(cell: Cell): number {
    return this.allBefore(cell, Infinity);
  }

  /** Every cell that was ever added to, in the order of first additions. */
  cells(): readonly Cell[] {
    return [...this.#named.values()];
  }

  #of({ table, row, column }: Cell): Map<number, Sums> | undefined {
    return this.#cells.get(`${table} ${row} ${column}`);
  }
}
