// What a parse kernel can find wrong, in words. The numbers are those of assembly/parse/codes.ts.
import { limits } from '../../base/limits.ts';

export const code = {
  badLabel: 1,
  longLabel: 2,
  manyLabels: 3,
  badIndex: 4,
  noColon: 5,
  badNumber: 6,
  largeNumber: 7,
  indexOrder: 8,
  lowIndex: 9,
  highIndex: 10,
  qid: 11,
  badId: 12,
  largeId: 13,
  idRange: 14,
  emptyField: 15,
  fewFields: 16,
  manyFields: 17,
  openQuote: 18,
  afterQuote: 19,
  manyEntries: 20,
  noRoom: 21,
  badCount: 22,
  badTerms: 23,
  highWord: 24,
  badDate: 25,
  rowOrder: 26,
  // found by TypeScript
  longLine: 100,
  damaged: 101,
  stopped: 102,
  other: 103,
  twice: 104,
} as const;

/** A violation, before it is put into words. Lines count from the first line of the task's text. */
export type Violation = {
  readonly code: number;
  readonly line: number;
  /** 1-based, in bytes. */
  readonly column: number;
  readonly found: string;
  /** Number of the offending field, or the previous index. */
  readonly field: number;
};

/** What the words need to know of the file. */
export type Wording = {
  readonly format: 'libsvm' | 'csv' | 'ratings' | 'mtx' | 'bow' | 'lda-c';
  readonly fields: number;
  /** Name of a field, as the user knows it. */
  nameOf(field: number): string;
  /** Matrix Market: rows, columns and entries that the file promises. */
  readonly rows: number;
  readonly columns: number;
  readonly entries: number;
};

function number(found: string): string {
  if (/^["+-]*(nan|inf)/i.test(found))
    return 'a value must be finite; remove or replace the sample';
  if (/^(""|\?|na|n\/a|null|none)$/i.test(found)) {
    return 'a value is missing; fill it in or remove the row';
  }
  return 'a value must be a decimal number';
}

export const manyClasses =
  `there are at most ${limits.classesMax} classes; ` + 'numbers to predict need a regression model';

const idWords = ['a user id', 'an item id', 'a rating'];

function idRange(field: number, { format, rows, columns }: Wording): string {
  const names = format === 'bow' ? ['document', 'word'] : ['row', 'column'];
  const last = field === 0 ? rows : columns;
  return `the ${names[field]} must be between 1 and the ${last} that the size line promises`;
}

function fieldNumber(found: string, field: number, wording: Wording): string {
  const what = number(found);
  if (wording.format !== 'csv') return what;
  const isText = what.endsWith('number');
  const remedy = isText
    ? '; features are numbers: encode the text as numbers or drop the column'
    : '';
  return `column ${wording.nameOf(field)}: ${what}${remedy}`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** The rule that was broken and what to do. */
export function ruleOf(violation: Violation, wording: Wording): string {
  const { found, field } = violation;
  const { format, fields } = wording;
  const mtx = format === 'mtx' || format === 'bow';
  switch (violation.code) {
    case code.badLabel:
      return 'a label must be a number, alone before the first blank';
    case code.longLabel:
      return `a label has at most ${limits.labelBytesMax} bytes`;
    case code.manyLabels:
      return manyClasses;
    case code.badIndex:
      return 'index:value expected, the index a non-negative integer';
    case code.noColon:
      return 'index:value expected, without blanks around the colon';
    case code.badNumber:
      return fieldNumber(found, field, wording);
    case code.largeNumber:
      return 'a value must fit a 32-bit float (below 3.4e38)';
    case code.indexOrder:
      return `indices ascend within a line; the one before is ${field}`;
    case code.lowIndex:
      return 'indices start at 1, as in the training data';
    case code.highIndex:
      return `an index is at most ${limits.columnsMax}`;
    case code.qid:
      return 'qid (ranking groups) is not supported; remove the qid: entries';
    case code.badId:
      return mtx
        ? 'row and column must be integers, separated by blanks'
        : `${idWords[field]} must be a non-negative integer; a tab, comma, blank or :: separates`;
    case code.largeId:
      return 'an id is below 2147483647';
    case code.idRange:
      return idRange(field, wording);
    case code.emptyField:
      if (mtx) return 'an entry is missing a number';
      if (format === 'ratings') return `user item rating expected; ${idWords[field]} is missing`;
      return `column ${wording.nameOf(field)}: the value is missing; fill it in or remove the row`;
    case code.fewFields:
      return `${count(fields, 'field')} expected as in the first row, there are ${field}`;
    case code.manyFields:
      return mtx
        ? 'nothing may follow the entry on its line'
        : `${count(fields, 'field')} expected as in the first row, there are more`;
    case code.openQuote:
      return 'a quoted field must be closed on its line';
    case code.afterQuote:
      return 'a delimiter or the line end must follow a closing quote';
    case code.manyEntries:
      return `the size line promises ${wording.entries} entries, there are more`;
    case code.badCount:
      return `a count must be a positive integer, at most ${limits.countMax}`;
    case code.badTerms:
      return `a line is \`M word:count …\` with M pairs; the pairs here are ${field}`;
    case code.highWord:
      return `a word is at most ${field}: the vocabulary has ${wording.columns} words`;
    case code.badDate:
      return `column ${wording.nameOf(field)}: a date is a year, YYYY-MM or YYYY-MM-DD`;
    case code.rowOrder: {
      const rule = `documents that are read into a file ascend; the one before is ${field}`;
      return `${rule}: sort the lines by document, or read into memory, in any order`;
    }
    case code.twice:
      return 'an entry stands in the file twice; add the two up or remove one';
    case code.other:
      return 'the file changed while it was read';
    case code.longLine:
      return `a line has at most ${limits.lineBytesMax} bytes`;
    case code.damaged:
      return 'the compressed file is damaged or cut off here; fetch it again';
    default:
      return 'unreadable';
  }
}

/** Text as it may stand in a message: short, printable, quoted. */
export function quoted(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return JSON.stringify(short);
}

/** `file:line:column: rule; found "text"` */
export function located(path: string, line: number, column: number, rule: string, found: string) {
  return `${path}:${line}:${column}: ${rule}; found ${found}`;
}
