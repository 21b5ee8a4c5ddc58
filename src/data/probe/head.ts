// The beginning of a file, as lines: what a probe looks at.
import { SystemError } from '../../base/errors.ts';

/** The first bytes of the (inflated) file, without a byte order mark. */
export type Head = {
  readonly path: string;
  readonly text: Buffer;
  /** Bytes of the mark that were left out. */
  readonly mark: number;
  /** The head is the whole file. */
  readonly whole: boolean;
};

/** A line of the head: 1-based number, first byte in the file, text without its line end. */
export type HeadLine = {
  readonly number: number;
  readonly at: number;
  readonly next: number;
  readonly text: string;
};

export function dataError(
  head: Head,
  line: HeadLine | undefined,
  column: number,
  rule: string,
  found: string,
) {
  const place = `${head.path}:${line?.number ?? 1}:${column}`;
  return new SystemError('ERR_DATA', `${place}: ${rule}; found ${found}`);
}

/** The whole lines of the head, at most `most` of those that are not blank. */
export function headLines(head: Head, most: number, skip: RegExp = /^\s*$/): HeadLine[] {
  const lines: HeadLine[] = [];
  let at = 0;
  for (let number = 1; at < head.text.length && lines.length < most; number++) {
    const feed = head.text.indexOf(10, at);
    if (feed < 0 && !head.whole) break;
    const next = feed < 0 ? head.text.length : feed + 1;
    const text = head.text.toString('utf8', at, next).replace(/\r*\n$/, '');
    if (!skip.test(text)) lines.push({ number, at: at + head.mark, next: next + head.mark, text });
    at = next;
  }
  return lines;
}
