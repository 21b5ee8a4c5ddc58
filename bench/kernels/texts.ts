// Generated text for the parse benchmarks.
import { sequence } from './memory.ts';

/** At least so many bytes of whole lines. */
function lines(bytes: number, line: () => string): string {
  const all: string[] = [];
  for (let size = 0; size < bytes; size += all[all.length - 1]!.length) all.push(line());
  return all.join('');
}

/** `count` ascending columns of d, one of each of as many equal parts. */
function columns(bits: () => number, count: number, d: number): number[] {
  const part = Math.floor(d / count);
  return Array.from({ length: count }, (_, j) => 1 + j * part + (bits() % part));
}

const sign = (bits: () => number) => (bits() % 2 === 0 ? '+1' : '-1');

/** Rows like a news article's: some 75 of 47,000 words with weights below 1. */
export function tfidfText(bytes: number): string {
  const { bits, uniform } = sequence(6);
  const entry = (column: number) => ` ${column}:${(uniform() / 2 + 0.25).toFixed(6)}`;
  const row = () => columns(bits, 50 + (bits() % 50), 47_000).map(entry);
  return lines(bytes, () => `${sign(bits)}${row().join('')}\n`);
}

/** Rows like a9a's: 14 of 123 columns, all 1. */
export function binaryText(bytes: number): string {
  const { bits } = sequence(7);
  const row = () => columns(bits, 14, 123).map((column) => ` ${column}:1`);
  return lines(bytes, () => `${sign(bits)}${row().join('')}\n`);
}

/** Lines `user item rating`, from 1 to 5 in halves. */
export function ratingsText(bytes: number): string {
  const { bits } = sequence(8);
  const rating = () => ((2 + (bits() % 9)) / 2).toFixed(1);
  return lines(bytes, () => `${1 + (bits() % 70_000)} ${1 + (bits() % 10_000)} ${rating()}\n`);
}
