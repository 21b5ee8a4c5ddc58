// No deadlock: while something is wanted, something happens. Two ways to break that: no event is
// left and somebody waits still; or events go on (heartbeats) and nothing wanted ever comes.
import type { Findings } from './findings.ts';

const name = 'progress';

export class Progress {
  readonly #findings: Findings;
  readonly #patienceMs: number;
  readonly #wanted = new Map<string, number>();
  #reported = false;

  /** `patienceMs` is longer than any fault lasts, and its recovery. */
  constructor(patienceMs: number, findings: Findings) {
    this.#patienceMs = patienceMs;
    this.#findings = findings;
  }

  /** Somebody waits for `what`, a name of its own. */
  want(what: string, nowMs: number): void {
    this.#wanted.set(what, nowMs);
  }

  /** It came, or nobody waits for it any more. */
  got(what: string): void {
    this.#wanted.delete(what);
  }

  get waiting(): boolean {
    return this.#wanted.size > 0;
  }

  /** To be called now and then: is anything waiting for too long? Reports the first such wait. */
  check(nowMs: number): boolean {
    for (const [what, sinceMs] of this.#wanted) {
      if (nowMs - sinceMs <= this.#patienceMs) continue;
      this.#report(`${what} is awaited since virtual ms ${sinceMs.toFixed(3)}`);
      return false;
    }
    return true;
  }

  /** No event is left. */
  idle(): void {
    const [what] = this.#wanted.keys();
    if (what !== undefined) this.#report(`no event is left, and ${what} is awaited`);
  }

  #report(violation: string): void {
    if (!this.#reported) this.#findings.add(name, violation);
    this.#reported = true;
  }
}
