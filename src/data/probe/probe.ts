// Looks at the beginning of a file: compressed or not, which format, where the data begins. The
// content decides, never the name.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { unreachable } from '../../base/assert.ts';
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { CONTROL_BYTES, type Format, type Probe, type ProbeTask } from '../tasks.ts';
import { quoted } from '../parse/codes.ts';
import { dataError, headLines, type Head, type HeadLine } from './head.ts';
import { csvShape, isNumber } from './csv.ts';
import { bagShape, bowShape, detectCorpus, hasTextColumn } from './corpus.ts';
import { mtxShape } from './mtx.ts';
import { isDamage, readPieces } from '../parse/stream.ts';

/** Heads are tried shortest first; the last one holds the longest line there may be. */
const HEAD_BYTES = [64 * 1024, 1024 * 1024, limits.lineBytesMax + 64 * 1024];

async function inflatedHead(
  path: string,
  wanted: number,
): Promise<{ text: Buffer; whole: boolean }> {
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of readPieces({ path, gzip: true, control })) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= wanted) return { text: Buffer.concat(pieces).subarray(0, wanted), whole: false };
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    const rule = 'the compressed file is damaged or cut off here; fetch it again';
    if (bytes === 0) throw new SystemError('ERR_DATA', `${path}:1:1: ${rule}; found no data`);
    // The parse that follows says where the damage is.
    return { text: Buffer.concat(pieces), whole: false };
  }
  return { text: Buffer.concat(pieces), whole: true };
}

type Facts = { readonly path: string; readonly bytes: number; readonly gzip: boolean };

function factsOf(path: string): Facts {
  const file = openSync(path, 'r');
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) {
      const what = stat.isDirectory() ? 'a folder' : 'not a regular file';
      throw new SystemError('ERR_DATA', `${path}: ${what}; name the data files themselves`);
    }
    const magic = Buffer.alloc(2);
    const got = readSync(file, magic, 0, 2, 0);
    return { path, bytes: stat.size, gzip: got === 2 && magic[0] === 0x1f && magic[1] === 0x8b };
  } finally {
    closeSync(file);
  }
}

async function readHead({ path, bytes, gzip }: Facts, wanted: number): Promise<Head> {
  let head: { text: Buffer; whole: boolean };
  if (gzip) {
    head = await inflatedHead(path, wanted);
  } else {
    const text = Buffer.alloc(Math.min(wanted, bytes));
    const file = openSync(path, 'r');
    try {
      readSync(file, text, 0, text.length, 0);
    } finally {
      closeSync(file);
    }
    head = { text, whole: text.length === bytes };
  }
  const mark = head.text.subarray(0, 3).equals(Buffer.of(0xef, 0xbb, 0xbf)) ? 3 : 0;
  return { path, text: head.text.subarray(mark), whole: head.whole, mark };
}

function looksIdx({ text }: Head): boolean {
  return (
    text.length >= 4 && text[0] === 0 && text[1] === 0 && (text[2] ?? 0) >= 8 && (text[3] ?? 0) >= 1
  );
}

/** Text formats by their first lines. */
function detect(head: Head, purpose: ProbeTask['purpose']): Format {
  if (looksIdx(head)) return 'idx';
  if (head.text.subarray(0, 14).toString('latin1').toLowerCase() === '%%matrixmarket') return 'mtx';
  if (purpose === 'ratings') return 'ratings';
  if (purpose === 'corpus') return hasTextColumn(head) ? 'csv' : detectCorpus(head);
  const lines = headLines(head, 50, /^\s*(#.*)?$/);
  const isPairs = ({ text }: HeadLine) => /^\s*\S+\s+[^\s,;:]+:\S/.test(text);
  const isLabel = ({ text }: HeadLine) => isNumber(text.replace(/#.*/, '').trim());
  if (lines.some(isPairs) && lines.every((line) => isPairs(line) || isLabel(line))) return 'libsvm';
  return lines[0] !== undefined && isPairs(lines[0]) && !lines[0].text.includes(',')
    ? 'libsvm'
    : 'csv';
}

function idxProbe(head: Head) {
  const { text } = head;
  const refuse = (column: number, rule: string, found: string) =>
    dataError(head, undefined, column, rule, found);
  if (!looksIdx(head))
    throw refuse(1, 'an idx file begins with 00 00 08', quoted(text.toString('latin1', 0, 4)));
  const type = text[2] ?? 0;
  if (type !== 8) {
    throw refuse(
      3,
      'only idx files of unsigned bytes (type 08) are read',
      `type 0x${type.toString(16)}`,
    );
  }
  const count = text[3] ?? 0;
  if (text.length < 4 + 4 * count)
    throw refuse(text.length + 1, `${count} sizes expected`, 'the end of the file');
  const dimensions = Array.from({ length: count }, (_, i) => text.readUInt32BE(4 + 4 * i));
  return { dataAt: 4 + 4 * count, dataLine: 1, shape: { kind: 'idx' as const, dimensions } };
}

/** The first line of ratings.csv has names: it is skipped when it has a comma and no leading id. */
function ratingsStart(head: Head) {
  const first = headLines(head, 1)[0];
  const hasHeader = first !== undefined && /^\s*"?[A-Za-z_][^,]*,/.test(first.text);
  return hasHeader
    ? { dataAt: first.next, dataLine: first.number + 1 }
    : { dataAt: head.mark, dataLine: 1 };
}

/** A csv file of texts has a line of names if one of them is `text`, whatever stands below. */
function namesFirst(head: Head, { purpose, header }: ProbeTask): boolean {
  return purpose === 'corpus' && header === undefined && hasTextColumn(head);
}

function shapeOf(head: Head, format: Format, task: ProbeTask) {
  switch (format) {
    case 'idx':
      return idxProbe(head);
    case 'mtx':
      return mtxShape(head);
    case 'csv':
      return csvShape(head, namesFirst(head, task) ? { ...task, header: true } : task);
    case 'ratings':
      return ratingsStart(head);
    case 'bow':
      return bowShape(head);
    case 'lda-c':
      return bagShape(head, format);
    case 'libsvm':
      return task.purpose === 'corpus'
        ? bagShape(head, format)
        : { dataAt: head.mark, dataLine: 1 };
    case 'text':
      return { dataAt: head.mark, dataLine: 1 };
    default:
      return unreachable(format);
  }
}

/** What the file is. @throws ERR_DATA when it is empty, unreadable or its header is wrong. */
export async function probe(task: ProbeTask): Promise<Probe> {
  const facts = factsOf(task.path);
  for (const wanted of HEAD_BYTES) {
    const head = await readHead(facts, wanted);
    if (head.text.length === 0) {
      throw new SystemError(
        'ERR_DATA',
        `${task.path}:1:1: the file has no data; found the end of the file`,
      );
    }
    const format = task.format ?? detect(head, task.purpose);
    const found = shapeOf(head, format, task);
    if (found !== null) return { ...facts, format, ...found };
    if (head.whole) break;
  }
  const rule = `a line has at most ${limits.lineBytesMax} bytes`;
  throw new SystemError('ERR_DATA', `${task.path}:1:1: ${rule}; found a longer one`);
}
