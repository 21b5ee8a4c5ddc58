// The first lines of a corpus: which of the formats of bags of words it is, or plain text.
//
//   bow     D, W, NNZ on a line each (UCI bag of words), then `document word count`
//   lda-c   `M word:count …` with M pairs
//   libsvm  `label word:count …`, or `word:count …` without a label
import { limits } from '../../base/limits.ts';
import type { BagShape, Format, MtxShape } from '../tasks.ts';
import { quoted } from '../parse/codes.ts';
import { isNumber } from './csv.ts';
import { dataError, headLines, type Head } from './head.ts';

const LOOKED_AT = 50;
const SIZES = ['documents D', 'words W', 'entries NNZ'];
const isPair = (word: string) => /^\d+:\S+$/.test(word);

function wordsOf(head: Head): string[][] {
  const lines = headLines(head, LOOKED_AT, /^\s*(#.*)?$/);
  return lines.map(({ text }) => text.replace(/#.*/, '').trim().split(/\s+/));
}

/** What lines of counts begin with; undefined when they are none. */
function headOf(lines: readonly (readonly string[])[]): BagShape['head'] | undefined {
  const pairs = lines.map((words) => words.filter(isPair).length);
  if (!pairs.some((n) => n > 0)) return undefined;
  const bare = lines.every((words, i) => pairs[i] === words.length);
  if (bare) return 'none';
  const labelled = lines.every(
    ([first = '', ...rest], i) => pairs[i] === rest.length && (rest.length > 0 || isNumber(first)),
  );
  if (!labelled) return undefined;
  return lines.every(([first], i) => first === String(pairs[i])) ? 'terms' : 'label';
}

/** The first line names columns, one of them `text`. */
export function hasTextColumn(head: Head): boolean {
  const [first] = headLines(head, 1);
  const names = first?.text.split(/[\t,;|]/).map((name) => name.trim().replace(/^"|"$/g, '')) ?? [];
  return names.length > 1 && names.some((name) => name.toLowerCase() === 'text');
}

export function detectCorpus(head: Head): Format {
  const lines = wordsOf(head);
  const integers = lines.slice(0, 4).map((words) => words.every((word) => /^\d+$/.test(word)));
  const sizes = [1, 1, 1, 3].slice(0, Math.max(lines.length, 3));
  if (sizes.every((size, i) => integers[i] === true && lines[i]?.length === size)) return 'bow';
  const begins = headOf(lines);
  if (begins === undefined) return 'text';
  return begins === 'terms' ? 'lda-c' : 'libsvm';
}

/** How lines begin, where they are known to be counts: by the first of them. */
export function bagShape(head: Head, format: Format) {
  const [first] = wordsOf(head)[0] ?? [];
  const bare = first === undefined || first.includes(':');
  const begins = format === 'lda-c' ? 'terms' : bare ? 'none' : 'label';
  const shape: BagShape = { kind: 'bags', head: begins };
  return { dataAt: head.mark, dataLine: 1, shape };
}

/** The three size lines of a UCI bag of words; null when the head is too short to hold them. */
export function bowShape(head: Head) {
  const lines = headLines(head, 3);
  if (lines.length < 3 && !head.whole) return null;
  const sizes = SIZES.map((name, i) => {
    const line = lines[i];
    const found = line?.text.trim() ?? '';
    const value = /^\d+$/.test(found) ? Number(found) : NaN;
    const most = i === 2 ? 2 ** 31 - 2 : limits.columnsMax;
    const least = i === 2 ? 0 : 1;
    if (value >= least && value <= most) return value;
    const rule = `a UCI bag of words begins with D, W and NNZ, a line each; ${name}`;
    const what = line === undefined ? 'the end of the file' : quoted(found);
    const place = line ?? { number: lines.length + 1, at: 0, next: 0, text: '' };
    throw dataError(head, place, 1, `${rule} is an integer from ${least} to ${most}`, what);
  });
  const [rows = 0, columns = 0, entries = 0] = sizes;
  const last = lines[2];
  const facts = { sizeLine: last?.number ?? 3, sizeText: last?.text.trim() ?? '' };
  const layout = { layout: 'coordinate', pattern: false } as const;
  const shape: MtxShape = { kind: 'mtx', ...layout, rows, columns, entries, ...facts };
  return { dataAt: last?.next ?? 0, dataLine: facts.sizeLine + 1, shape };
}
