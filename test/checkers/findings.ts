// What the checkers of a run found. A checker knows nothing of the code under test: it is told what
// was asked for and what came out, where both leave and enter that code, and counts by itself.

/** Violations of a run, in the order in which they were found; the first tells the most. */
export class Findings {
  readonly #max: number;
  readonly #lines: string[] = [];
  #count = 0;

  /** Keeps the first `max` in words. */
  constructor(max = 20) {
    this.#max = max;
  }

  add(checker: string, violation: string): void {
    this.#count += 1;
    if (this.#lines.length < this.#max) this.#lines.push(`${checker}: ${violation}`);
  }

  get count(): number {
    return this.#count;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}
