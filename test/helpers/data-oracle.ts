// Readers written the obvious way, on whole strings: what the real ones are held to.
import type { Row } from './loading.ts';

const number = (text: string) => Math.fround(Number(text));

export function textLines(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
}

/** libsvm: label as a number text, entries as `column, value, …` with the base taken off. */
export function libsvmOracle(text: string): {
  readonly base: number;
  readonly columns: number;
  readonly data: Row[];
} {
  const lines = textLines(text)
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/))
    .filter(([label]) => label !== '');
  const pairs = lines.map(([, ...entries]) => entries.map((entry) => entry.split(':')));
  const indices = pairs.flat().map(([index]) => Number(index));
  const base = indices.includes(0) ? 0 : 1;
  const data = lines.map(([label], i) => ({
    label: String(Number(label)),
    values: (pairs[i] ?? []).flatMap(([index, value]) => [
      Number(index) - base,
      number(value ?? ''),
    ]),
  }));
  return { base, columns: Math.max(base - 1, ...indices) - base + 1, data };
}

/** CSV without quotes: features as numbers, label as text. */
export function csvOracle(
  text: string,
  delimiter: string,
  labelColumn: number,
  header: boolean,
): Row[] {
  return textLines(text)
    .slice(header ? 1 : 0)
    .map((line) => {
      const fields = line.split(delimiter).map((field) => field.trim());
      const label = fields[labelColumn] ?? '';
      return { label, values: fields.filter((_, i) => i !== labelColumn).map(number) };
    });
}

/** Triples with the smallest ids taken off. */
export function ratingsOracle(text: string, separator: RegExp) {
  const triples = textLines(text).map((line) => line.trim().split(separator).map(Number));
  const userBase = Math.min(...triples.map(([user]) => user ?? 0));
  const itemBase = Math.min(...triples.map(([, item]) => item ?? 0));
  const data = triples.map(
    ([user = 0, item = 0, value = 0]) =>
      [user - userBase, item - itemBase, Math.fround(value)] as const,
  );
  return { userBase, itemBase, data };
}

/** An idx file of unsigned bytes. */
export function idxFile(dimensions: readonly number[], bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * dimensions.length);
  head.writeUInt8(8, 2);
  head.writeUInt8(dimensions.length, 3);
  dimensions.forEach((size, i) => head.writeUInt32BE(size, 4 + 4 * i));
  return Buffer.concat([head, bytes]);
}
