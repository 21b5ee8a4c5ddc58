// What happened in a simulation, a line per event: virtual µs, what, details. All lines go into a
// hash, so two runs of one seed can be compared; only the last ones are kept, for failures.

/** FNV-1a over UTF-16 code units, two lanes that start apart: 64 bits, printed as 16 digits. */
const laneSeeds = [0x811c9dc5, 0x2f0b4a37] as const;
const prime = 0x01000193;

export class Trace {
  #lines = 0;
  #a: number = laneSeeds[0];
  #b: number = laneSeeds[1];
  readonly #kept: string[] = [];
  readonly #keptMax: number;
  readonly #nowMs: () => number;

  /** `keptMax` lines are kept, the last ones. */
  constructor(nowMs: () => number, keptMax = 60) {
    this.#nowMs = nowMs;
    this.#keptMax = keptMax;
  }

  /** Adds a line. Names of hosts, sizes and numbers: nothing that differs between machines. */
  add(text: string): void {
    const line = `${Math.round(this.#nowMs() * 1000)} ${text}`;
    let a = this.#a;
    let b = this.#b;
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i);
      a = Math.imul(a ^ code, prime);
      b = Math.imul(b ^ code ^ (a >>> 15), prime);
    }
    this.#a = Math.imul(a ^ 10, prime);
    this.#b = Math.imul(b ^ 10, prime);
    this.#kept[this.#lines % this.#keptMax] = line;
    this.#lines += 1;
  }

  get lines(): number {
    return this.#lines;
  }

  /** 16 hexadecimal digits: equal for runs with the same lines. */
  get hash(): string {
    const hex = (lane: number) => (lane >>> 0).toString(16).padStart(8, '0');
    return hex(this.#a) + hex(this.#b);
  }

  /** The last lines, oldest first. */
  last(): readonly string[] {
    const from = this.#lines % this.#keptMax;
    if (this.#lines <= this.#keptMax) return [...this.#kept];
    return [...this.#kept.slice(from), ...this.#kept.slice(0, from)];
  }
}
