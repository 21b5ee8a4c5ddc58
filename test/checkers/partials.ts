// Partial results: each one that a push gave is pulled once, in the order of clocks and within one
// in that of workers, and its deltas are in the tables then, folded in that order; nothing else is.
// Whoever adds to a table says so, and sums are taken again here, in the arithmetic of the table.
import type { Findings } from './findings.ts';

const name = 'partials';

type Delta = {
  readonly table: number;
  readonly row: number;
  readonly column: number;
  readonly amount: number;
};

export type TableShape = {
  readonly rows: number;
  readonly columns: number;
  readonly type: 'i32' | 'f32';
};

type Pushed = { readonly partial: unknown; readonly deltas: readonly Delta[] };

/** A value of a cell from a version of the tables on. */
type Since = { readonly version: number; readonly value: number };

export class Partials {
  readonly #findings: Findings;
  readonly #tables: readonly TableShape[];
  readonly #values: readonly (Int32Array | Float32Array)[];
  readonly #history: readonly Since[][][];
  readonly #pushed = new Map<string, Pushed>();
  /** Works by clock, and the version of the tables at which they were handed out. */
  readonly #scheduled: { readonly works: number; readonly version: number }[] = [];
  /** What the scheduler itself adds, folded when schedule or pull is over. */
  #own: Delta[] = [];
  #version = 0;
  #pulled = 0;

  constructor(tables: readonly TableShape[], findings: Findings) {
    this.#findings = findings;
    this.#tables = tables;
    this.#values = tables.map(({ rows, columns, type }) =>
      type === 'i32' ? new Int32Array(rows * columns) : new Float32Array(rows * columns),
    );
    this.#history = this.#values.map((values) => Array.from(values, () => []));
  }

  /** Clocks that were pulled. */
  get pulls(): number {
    return this.#pulled;
  }

  /** The scheduler begins to schedule or to pull: what it added before is folded. */
  begins(): void {
    this.#fold(this.#own);
    this.#own = [];
  }

  /** `works` workers get work of `clock`. */
  scheduled(clock: number, works: number): void {
    const next = this.#scheduled.length;
    if (clock !== next) this.#add(`clock ${clock} was scheduled, ${next} is next`);
    this.#scheduled.push({ works, version: this.#version + (this.#own.length > 0 ? 1 : 0) });
  }

  schedulerAdded(delta: Delta): void {
    this.#own.push(delta);
  }

  /** A push is over. */
  pushed(worker: number, clock: number, pushed: Pushed): void {
    const key = `${worker} ${clock}`;
    if (this.#pushed.has(key)) this.#add(`worker ${worker} pushes clock ${clock} again`);
    const works = this.#scheduled[clock]?.works ?? 0;
    if (worker >= works) this.#add(`worker ${worker} pushes clock ${clock}, not scheduled`);
    this.#pushed.set(key, pushed);
  }

  /** A push of `clock` reads a cell: as it was when it was scheduled, or as it became since. */
  read(clock: number, { table, row, column }: Omit<Delta, 'amount'>, value: number): void {
    this.begins();
    const since = this.#scheduled[clock]?.version ?? Infinity;
    const cell = this.#history[table]?.[row * (this.#tables[table]?.columns ?? 0) + column] ?? [];
    const before = cell.findLast(({ version }) => version <= since)?.value ?? 0;
    const allowed = [before, ...cell.filter(({ version }) => version > since).map((c) => c.value)];
    if (allowed.includes(value)) return;
    const where = `row ${row} column ${column} of table ${table}`;
    this.#add(`a push of clock ${clock} reads ${value} in ${where}, not ${allowed.join(' or ')}`);
  }

  /** pull is called; `valueOf` is what the scheduler has in a cell now. */
  pulled(
    clock: number,
    partials: readonly unknown[],
    valueOf: (table: number, row: number, column: number) => number,
  ): void {
    this.begins();
    if (clock !== this.#pulled) this.#add(`clock ${clock} was pulled, ${this.#pulled} is next`);
    this.#pulled = clock + 1;
    const works = this.#scheduled[clock]?.works;
    if (works !== partials.length) {
      this.#add(`clock ${clock} has ${partials.length} partials of ${works} works`);
    }
    partials.forEach((partial, worker) => {
      const pushed = this.#pushed.get(`${worker} ${clock}`);
      if (JSON.stringify(partial) !== JSON.stringify(pushed?.partial)) {
        const got = `${JSON.stringify(partial)} for worker ${worker} at clock ${clock}`;
        this.#add(`pull gets ${got}, the push gave ${JSON.stringify(pushed?.partial)}`);
      }
      this.#fold(pushed?.deltas ?? []);
    });
    this.compare(`the scheduler at the pull of clock ${clock}`, valueOf);
  }

  /** Are the tables what was folded, to the bit? */
  compare(who: string, valueOf: (table: number, row: number, column: number) => number): void {
    this.#tables.forEach(({ rows, columns }, table) => {
      for (let i = 0; i < rows * columns; i++) {
        const [row, column] = [Math.floor(i / columns), i % columns];
        const value = valueOf(table, row, column);
        const right = this.#values[table]?.[i] ?? 0;
        if (Object.is(value + 0, right + 0)) continue;
        const where = `row ${row} column ${column} of table ${table}`;
        this.#add(`${who} has ${value} in ${where}, not ${right}`);
        return;
      }
    });
  }

  /** Everything that was scheduled has been pulled. Returns the tables. */
  finished(): readonly (readonly number[])[] {
    this.begins();
    if (this.#scheduled.length === 0) this.#add('nothing was scheduled');
    if (this.#pulled !== this.#scheduled.length) {
      this.#add(`${this.#pulled} of ${this.#scheduled.length} clocks were pulled`);
    }
    return this.#values.map((values) => [...values]);
  }

  #fold(deltas: readonly Delta[]): void {
    if (deltas.length === 0) return;
    this.#version += 1;
    for (const { table, row, column, amount } of deltas) {
      const values = this.#values[table];
      const at = row * (this.#tables[table]?.columns ?? 0) + column;
      if (values === undefined) continue;
      const isFloat = values instanceof Float32Array;
      const value = (values[at] ?? 0) + (isFloat ? Math.fround(amount) : amount);
      values[at] = value;
      this.#history[table]?.[at]?.push({ version: this.#version, value: values[at] ?? 0 });
    }
  }

  #add(violation: string): void {
    this.#findings.add(name, violation);
  }
}
