// What a run looks like: progress and messages on standard error, results on standard output.
//
//   terminal   one line, rewritten in place (by \r and spaces: no escape codes, so it does not
//              depend on colours), at most every 100 ms
//   pipe       at most one plain line a second, and the last one
import type { Fault } from '../base/errors.ts';
import type { Job, JobDone, JobEvent } from '../jobs/job.ts';
import type { View } from './arguments/parse.ts';
import { bytesText, secondsText, valuesText } from './format.ts';
import { resultJson, resultText } from './result.ts';

/** Where to write, and what is there. */
export type Screen = {
  out(text: string): void;
  err(text: string): void;
  /** Standard error is a terminal that can rewrite a line. */
  readonly terminal: boolean;
  readonly color: boolean;
  columns(): number;
  nowMs(): number;
};

const rewriteEveryMs = 100;
const lineEveryMs = 1000;

type Tint = 'red' | 'yellow';
const tints: Readonly<Record<Tint, string>> = { red: '\x1b[31m', yellow: '\x1b[33m' };

/** `perpetuum: ERR_DATA file:3:7: …`, the hint below it, and the stack where it helps. */
export function failureText(fault: Fault, options: { verbose: boolean; color: boolean }): string {
  const [first = '', ...hints] = fault.message.split('\n');
  const code = options.color ? `${tints.red}${fault.code}\x1b[0m` : fault.code;
  const lines = [`perpetuum: ${code} ${first}`, ...hints.map((hint) => `  ${hint}`)];
  const withStack = options.verbose || fault.code === 'ERR_INTERNAL';
  if (withStack && fault.stack !== undefined) {
    const frames = fault.stack.split('\n').filter((line) => /^\s+at /.test(line));
    lines.push(...frames);
  }
  return `${lines.join('\n')}\n`;
}

/** The error event of `--json`. */
export function failureJson(fault: Fault, exitCode: number): string {
  const { code, message } = fault;
  return `${JSON.stringify({ event: 'error', code, message, exitCode })}\n`;
}

export class Renderer {
  readonly #screen: Screen;
  readonly #view: View;
  readonly #beganMs: number;
  /** Makes the progress line for a moment; undefined when there is nothing to say yet. */
  #line: ((elapsed: string) => string) | undefined;
  /** The line has news that were not shown. */
  #fresh = false;
  #drawnAtMs = -Infinity;
  /** Characters of the line that stands on the terminal. */
  #standing = 0;
  /** Foreign text left the cursor in the middle of a line. */
  #midLine = false;

  constructor(screen: Screen, view: View) {
    this.#screen = screen;
    this.#view = view;
    this.#beganMs = screen.nowMs();
  }

  /** `from` stands before every line of it: which of several hosts says so. */
  show(event: JobEvent, from = ''): void {
    const { json, quiet } = this.#view;
    switch (event.kind) {
      case 'load': {
        const { bytesDone, bytesTotal } = event;
        const text = `loading ${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`;
        return this.#progress((elapsed) => `${text}, ${elapsed}`);
      }
      case 'progress': {
        const { clock, values } = event;
        if (json) this.#json({ event: 'clock', clock, ...values });
        const text = `clock ${clock}, ${valuesText(values)}`;
        return this.#progress((elapsed) => `${text}, ${elapsed}`);
      }
      case 'schedule': {
        const { kind, ...phase } = event;
        return json ? this.#json({ event: kind, ...phase }) : undefined;
      }
      case 'facts':
        this.#settle();
        return quiet ? undefined : this.#above(`${event.text}\n`);
      case 'warning':
        return this.#above(`${from}perpetuum: ${this.#tint('yellow', 'warning')}: ${event.text}\n`);
      case 'log':
        return this.#above(`${from}[worker ${event.thread}] ${event.line}\n`);
      case 'listening':
        return;
      case 'output':
        return this.#screen.out(event.text);
    }
  }

  /** A message of the command line's own. */
  note(text: string): void {
    if (!this.#view.quiet) this.#above(`${text}\n`);
  }

  /** What the host process wrote by itself, byte for byte. */
  foreign(text: string): void {
    this.#above(text);
  }

  /** Every second or so: elapsed time goes on although nothing happens. */
  tick(): void {
    if (this.#fresh || this.#screen.terminal) this.#draw();
  }

  result(done: JobDone, job: Job): void {
    this.#settle();
    if (this.#view.json) for (const line of resultJson(done)) this.#json(line);
    else this.#screen.out(resultText(done, job));
    if (done.command === 'predict' && done.out !== null) {
      this.note(`${done.rows} predictions written to ${done.out}`);
    }
  }

  failure(fault: Fault, exitCode: number): void {
    this.#settle();
    const { verbose, json } = this.#view;
    this.#above(failureText(fault, { verbose, color: this.#screen.color }));
    if (json) this.#screen.out(failureJson(fault, exitCode));
  }

  #json(value: object): void {
    this.#screen.out(`${JSON.stringify(value)}\n`);
  }

  #tint(tint: Tint, text: string): string {
    return this.#screen.color ? `${tints[tint]}${text}\x1b[0m` : text;
  }

  #progress(line: (elapsed: string) => string): void {
    this.#line = line;
    this.#fresh = true;
    const every = this.#screen.terminal ? rewriteEveryMs : lineEveryMs;
    if (this.#screen.nowMs() - this.#drawnAtMs >= every) this.#draw();
  }

  #draw(): void {
    if (this.#view.quiet || this.#line === undefined) return;
    const nowMs = this.#screen.nowMs();
    const text = this.#line(secondsText((nowMs - this.#beganMs) / 1000));
    this.#fresh = false;
    this.#drawnAtMs = nowMs;
    if (!this.#screen.terminal) return this.#screen.err(`${text}\n`);
    const shown = text.slice(0, Math.max(1, this.#screen.columns() - 1));
    const start = this.#midLine ? '\n' : '\r';
    this.#midLine = false;
    this.#screen.err(start + shown.padEnd(this.#standing));
    this.#standing = shown.length;
  }

  /** Ends the progress line as it is: what comes next is another stage. */
  #settle(): void {
    if (this.#fresh) this.#draw();
    if (this.#standing > 0 || this.#midLine) this.#screen.err('\n');
    this.#standing = 0;
    this.#midLine = false;
    this.#line = undefined;
  }

  /** Writes `text` where the progress line stands; the line comes back below it. */
  #above(text: string): void {
    if (this.#standing > 0) this.#screen.err(`\r${' '.repeat(this.#standing)}\r`);
    this.#standing = 0;
    this.#screen.err(text);
    this.#midLine = this.#screen.terminal && !text.endsWith('\n');
  }
}
