// The head of a Matrix Market file (NIST): banner, comments, size line.
//
//   %%MatrixMarket matrix coordinate real general
//   % comments
//   rows columns entries
import { limits } from '../../base/limits.ts';
import type { MtxShape } from '../tasks.ts';
import { quoted } from '../parse/codes.ts';
import { dataError, headLines, type Head, type HeadLine } from './head.ts';

/** The column of word `n` of a line, 1-based. */
function wordColumn(text: string, n: number): number {
  const words = [...text.matchAll(/\S+/g)];
  return (words[n]?.index ?? text.trimEnd().length) + 1;
}

function readBanner(head: Head, line: HeadLine) {
  const words = line.text.trim().split(/\s+/);
  const [banner, object, layout, field, symmetry] = words.map((word) => word.toLowerCase());
  const refuse = (n: number, rule: string) =>
    dataError(head, line, wordColumn(line.text, n), rule, quoted(words[n] ?? ''));
  if (banner !== '%%matrixmarket')
    throw refuse(0, 'a Matrix Market file begins with %%MatrixMarket');
  if (object !== 'matrix') throw refuse(1, 'only a matrix is read');
  if (layout !== 'coordinate' && layout !== 'array')
    throw refuse(2, 'the layout is coordinate or array');
  if (field !== 'real' && field !== 'integer' && field !== 'double' && field !== 'pattern') {
    throw refuse(3, 'the values are real, integer or pattern');
  }
  if (symmetry !== 'general')
    throw refuse(4, 'only general matrices are data; expand the symmetric part');
  if (layout === 'array' && field === 'pattern') throw refuse(3, 'an array has values');
  return { layout, pattern: field === 'pattern' } as const;
}

/** Null when the head is too short to hold the size line. */
export function mtxShape(head: Head) {
  const [line] = headLines(head, 1);
  const [size] = headLines(head, 1, /^\s*(%.*)?$/);
  if (line !== undefined) readBanner(head, line);
  if (line === undefined || size === undefined) {
    if (!head.whole) return null;
    throw dataError(head, line, 1, 'the size line is missing', 'the end of the file');
  }
  const { layout, pattern } = readBanner(head, line);
  const words = size.text.trim().split(/\s+/);
  const wanted = layout === 'array' ? ['rows', 'columns'] : ['rows', 'columns', 'entries'];
  wanted.forEach((name, n) => {
    const limit = name === 'entries' ? 2 ** 31 - 2 : limits.columnsMax;
    const least = name === 'entries' ? 0 : 1;
    const word = words[n] ?? '';
    if (/^\d+$/.test(word) && Number(word) >= least && Number(word) <= limit) return;
    const range = `${name} must be an integer from ${least} to ${limit}`;
    const rule = `the size line is \`${wanted.join(' ')}\`; ${range}`;
    throw dataError(head, size, wordColumn(size.text, n), rule, quoted(word));
  });
  if (words.length > wanted.length) {
    const column = wordColumn(size.text, wanted.length);
    throw dataError(
      head,
      size,
      column,
      `the size line is \`${wanted.join(' ')}\``,
      quoted(size.text),
    );
  }
  const [rows = 0, columns = 0, entries = rows * columns] = words.map(Number);
  const facts = { sizeLine: size.number, sizeText: size.text.trim() };
  const shape: MtxShape = { kind: 'mtx', layout, pattern, rows, columns, entries, ...facts };
  return { dataAt: size.next, dataLine: size.number + 1, shape };
}
