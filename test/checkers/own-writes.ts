// Read-my-writes: a read by a worker at clock c holds every increment that this worker made in its
// clocks 0 … c − 1, whatever the staleness, whether or not the owner of the row has them yet.
import type { Findings } from './findings.ts';
import { cellName, type Increment, Increments, type Read } from './increments.ts';

const name = 'read my writes';

export class OwnWrites {
  readonly #findings: Findings;
  readonly #increments = new Increments();
  #reads = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  incremented(increment: Increment): void {
    this.#increments.add(increment);
  }

  /** Values of cells to which others add too are at least the own share. */
  read(read: Read): void {
    this.#reads += 1;
    const { worker, clock, value, host } = read;
    const own = this.#increments.before(read, worker, clock);
    if (value >= own) return;
    const where = `worker ${worker} of host ${host} at clock ${clock} read ${cellName(read)}`;
    this.#findings.add(name, `${where}: ${value}, its own increments alone are ${own}`);
  }

  finished(): void {
    if (this.#reads === 0) this.#findings.add(name, 'no read was checked');
  }
}
