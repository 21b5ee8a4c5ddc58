// The end of what a process wrote, for the message about one that died.
const lastWordsCharacters = 4096;

export class LastWords {
  #text = '';

  add(text: string): void {
    this.#text = (this.#text + text).slice(-lastWordsCharacters);
  }

  /** The few lines that say most: of a V8 abort the reason, not its 30 lines of native frames. */
  lines(): readonly string[] {
    const lines = this.#text.split('\n').flatMap((line) => line.trim() || []);
    const fatal = lines.filter((line) => line.startsWith('FATAL ERROR'));
    const telling = (fatal.length > 0 ? fatal : lines).slice(-3);
    return telling.map((line) => (line.length > 200 ? `${line.slice(0, 200)}…` : line));
  }
}

/** What the user can do about a host process that ended without a word of its own. */
export function adviceOn(
  { signal, lastWords }: { signal: string | null; lastWords: readonly string[] },
  ownProgram: boolean,
): string {
  const heap = lastWords.some((line) => line.includes('heap out of memory'));
  if (heap) return 'a thread ran out of JavaScript heap: NODE_OPTIONS=--max-old-space-size=8192';
  if (signal === 'SIGKILL') return 'was it the out-of-memory killer? perpetuum doctor shows memory';
  if (ownProgram && signal === null)
    return 'a program must not call process.exit; it ends a run by returning';
  return 'please report this with the command line that led to it';
}
