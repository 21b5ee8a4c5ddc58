// The staleness bound (SSP conditions, Ho et al. 2013): a read by a worker at clock c of a table
// with staleness s holds every increment that any worker made in its clocks 0 … c − s − 1, and none
// that nobody made.
//
// Amounts are positive, so a cell that holds what it must is at least the sum of that, and at most
// the sum of everything made so far. In a cell to which one worker adds 1 a clock the value *is*
// the number of its clocks that are seen (hello_ssp of Bösen does so): nothing can make up there
// for what is missing.
import type { Findings } from './findings.ts';
import { cellName, type Increment, Increments, type Read } from './increments.ts';

const name = 'staleness bound';

export type StalenessBoundOptions = {
  /** Of a table at this moment; Infinity promises nothing of others. */
  readonly stalenessOf: (table: number) => number;
  /** Bulk-synchronous: nothing of later clocks either, a read has exactly one right answer. */
  readonly exact?: boolean;
};

export class StalenessBound {
  readonly #options: StalenessBoundOptions;
  readonly #findings: Findings;
  readonly #increments = new Increments();
  #reads = 0;

  constructor(options: StalenessBoundOptions, findings: Findings) {
    this.#options = options;
    this.#findings = findings;
  }

  incremented(increment: Increment): void {
    this.#increments.add(increment);
  }

  read(read: Read): void {
    this.#reads += 1;
    const { worker, clock, value, host } = read;
    const staleness = this.#options.stalenessOf(read.table);
    const required = this.#increments.allBefore(read, clock - staleness);
    const most = this.#options.exact === true ? required : this.#increments.sum(read);
    if (value >= required && value <= most) return;
    const where = `worker ${worker} of host ${host} at clock ${clock} read ${cellName(read)}`;
    if (value < required) {
      const rule = `with s = ${staleness} it has at least ${required}`;
      this.#findings.add(name, `${where}: ${value}, ${rule}${this.#missing(read, staleness)}`);
    } else {
      this.#findings.add(name, `${where}: ${value}, that is more than the ${most} it can have`);
    }
  }

  finished(): void {
    if (this.#reads === 0) this.#findings.add(name, 'no read was checked');
  }

  /** Whose increments may be missing: a cell of one worker tells. */
  #missing(read: Read, staleness: number): string {
    const [worker, ...others] = this.#increments.workers(read);
    if (worker === undefined || others.length > 0) return '';
    return `: clocks of worker ${worker} before ${read.clock - staleness} are missing`;
  }
}
