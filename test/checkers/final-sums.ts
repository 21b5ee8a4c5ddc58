// Final sums: after the last clock each cell holds the sum of all increments made to it, to the
// unit: none lost, none added twice, on every host that is asked.
import type { Findings } from './findings.ts';
import { type Cell, cellName, type Increment, Increments } from './increments.ts';

const name = 'final sums';

export class FinalSums {
  readonly #findings: Findings;
  readonly #increments = new Increments();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  incremented(increment: Increment): void {
    this.#increments.add(increment);
  }

  /** What all workers added to the cell. */
  sum(cell: Cell): number {
    return this.#increments.sum(cell);
  }

  /** `valueOf` is what the code under test holds at the end, on `host`. */
  finished(host: number, valueOf: (cell: Cell) => number): void {
    const cells = this.#increments.cells();
    if (cells.length === 0) this.#findings.add(name, 'no increment was checked');
    for (const cell of cells) {
      const value = valueOf(cell);
      const sum = this.#increments.sum(cell);
      if (value === sum) continue;
      this.#findings.add(name, `host ${host} ends with ${value} in ${cellName(cell)}, not ${sum}`);
    }
  }
}
