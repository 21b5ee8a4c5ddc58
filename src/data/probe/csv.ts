// The first lines of a CSV file: delimiter, number of fields, column names.
import { SystemError } from '../../base/errors.ts';
import type { CsvShape, ProbeTask } from '../tasks.ts';
import { quoted } from '../parse/codes.ts';
import { dataError, headLines, type Head, type HeadLine } from './head.ts';

/** Scratch holds as many rows as a chunk of text can, and one row more, at 4 bytes a field. */
const FIELDS_MAX = 1 << 21;
const DELIMITERS = [',', '\t', ';', '|'];
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

export function isNumber(text: string): boolean {
  return NUMBER.test(text);
}

/** The fields of a line, without quotes and the blanks around them. */
function splitFields(line: string, delimiter: string): string[] {
  if (delimiter === ' ') line = line.trim().replace(/[ \t]+/g, ' ');
  const fields: string[] = [];
  for (let at = 0; at <= line.length;) {
    const quotedField = /^[ \t]*"((?:[^"]|"")*)"[ \t]*/.exec(line.slice(at));
    let end = at + (quotedField?.[0].length ?? 0);
    if (quotedField === null || (end < line.length && line[end] !== delimiter)) {
      const next = line.indexOf(delimiter, at);
      end = next < 0 ? line.length : next;
      fields.push(line.slice(at, end).trim());
    } else {
      fields.push((quotedField[1] ?? '').replaceAll('""', '"').trim());
    }
    at = end + 1;
  }
  return fields;
}

/** The delimiter that splits the first lines into most fields; ties go to the more usual one. */
function findDelimiter(lines: readonly HeadLine[]): string {
  const count = (delimiter: string) =>
    lines.reduce((sum, { text }) => sum + splitFields(text, delimiter).length - 1, 0);
  let best = ' ';
  let most = 0;
  for (const delimiter of DELIMITERS) {
    const found = count(delimiter);
    if (found > most) [best, most] = [delimiter, found];
  }
  return best;
}

/**
 * A header names a column whose values are numbers, or is a line of text over a line with a number.
 */
function detectHeader(first: readonly string[], second: readonly string[] | undefined): boolean {
  const isText = (field: string | undefined) =>
    field !== undefined && field !== '' && !isNumber(field);
  if (second === undefined) return first.every(isText);
  // A label may be text in every row, and a single text field of the first row may be a label.
  const named = first.filter((field, i) => isText(field) && isNumber(second[i] ?? ''));
  return named.length > 0;
}

/** Null when the head is too short to hold the first line. */
export function csvShape(head: Head, task: ProbeTask) {
  const lines = headLines(head, 10);
  const [first, second] = lines;
  if (first === undefined) {
    if (!head.whole) return null;
    throw dataError(head, undefined, 1, 'the file has no rows', 'the end of the file');
  }
  const delimiter = task.delimiter ?? findDelimiter(lines);
  if (delimiter.length !== 1 || delimiter.charCodeAt(0) > 127 || /["\r\n]/.test(delimiter)) {
    const rule = 'the delimiter must be one ASCII character that is not a quote';
    throw new SystemError('ERR_CONFIG', `${rule}, got ${JSON.stringify(delimiter)}`);
  }
  const names = splitFields(first.text, delimiter);
  const rest = second && splitFields(second.text, delimiter);
  if (names.length > FIELDS_MAX) {
    const rule = `a row has at most ${FIELDS_MAX} fields; store wide data as libsvm`;
    throw dataError(head, first, 1, rule, `${names.length} fields`);
  }
  if (names.length === 1 && rest !== undefined && rest.length > 1) {
    const rule = `one row has as many fields as the next; the next has ${rest.length}`;
    throw dataError(head, first, 1, rule, quoted(first.text));
  }
  const hasHeader = task.header ?? detectHeader(names, rest);
  const shape: CsvShape = {
    kind: 'csv',
    delimiter: delimiter.charCodeAt(0),
    fields: names.length,
    names: hasHeader ? names : [],
    hasHeader,
  };
  const dataAt = hasHeader ? first.next : head.mark;
  return { dataAt, dataLine: hasHeader ? first.number + 1 : 1, shape };
}
