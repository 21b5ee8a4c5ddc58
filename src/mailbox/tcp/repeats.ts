// What is said again and again, as of a connection that is tried every second: the first times,
// and then rarely, with how often it was.

/** Different things that are kept apart; then counting begins anew. */
const KINDS_MAX = 256;
/** So often without a word about it. */
const PLAIN_TIMES = 3;

export class Repeats {
  readonly #say: (text: string) => void;
  readonly #times = new Map<string, number>();

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** Says `text` the first times, then the 10th, 100th, …; `kind`: what counts as the same. */
  say(text: string, kind = text): void {
    if (this.#times.size >= KINDS_MAX) this.#times.clear();
    const times = (this.#times.get(kind) ?? 0) + 1;
    this.#times.set(kind, times);
    if (times <= PLAIN_TIMES) this.#say(text);
    else if (/^10+$/.test(String(times))) this.#say(`${text} (${times} times so far)`);
  }
}
