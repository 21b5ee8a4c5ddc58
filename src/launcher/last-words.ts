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
