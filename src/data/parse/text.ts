// Texts on a loader thread: the table of words, lines that are documents, files that are documents.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { assert } from '../../base/assert.ts';
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { DocumentsTask, LexiconResult, LexiconTask } from '../tasks.ts';
import type { ParseResult, Piece, TextRules } from '../tasks.ts';
import { code } from './codes.ts';
import type { Lines, Output, Places } from './kernel.ts';
import { spillRows } from './spilled.ts';
import { addProgress, isCancelled, isDamage } from './stream.ts';
import { keep, outputs, type LoaderThread } from './thread.ts';

const { classesMax, labelBytesMax, lineBytesMax } = limits;
/** Bytes of a word on average, more than in any language that separates its words. */
const WORD_BYTES = 16;
const HEADER_BYTES = 64;
const LETTERS = 0x20000;
const LINE_FEED = 10;
const JOINER = 0x80000000;
/**
 * Distinct words of a document of n bytes are at most n / 5 and those that take less room: of
 * three letters, and single characters of three bytes.
 */
const SHORT_WORDS = 1 << 17;

/** What each code point becomes in a word: see assembly/parse/words.ts. */
function writeLetters(table: Uint32Array): void {
  const letter = /[\p{L}\p{M}\p{N}]/u;
  for (let c = 0; c < LETTERS; c++) {
    const text = String.fromCodePoint(c);
    table[c] = letter.test(text) ? (text.toLowerCase().codePointAt(0) ?? c) : 0;
  }
  for (const apostrophe of ["'", '’']) table[apostrophe.charCodeAt(0)] = JOINER + 39;
  for (const hyphen of ['-', '‐']) table[hyphen.charCodeAt(0)] = JOINER + 45;
}

/** Puts words, one a line, into the table. */
function intern(thread: LoaderThread, table: number, words: string): void {
  const text = Buffer.from(words === '' ? '' : `${words}\n`);
  const at = thread.arena.allocate(text.length);
  thread.arena.u8.set(text, at);
  thread.kernels.words_intern(at, at + text.length, table);
}

export function openLexicon(thread: LoaderThread, task: LexiconTask): LexiconResult {
  const { arena, kernels, u32 } = thread;
  const { wordsMax, threads, shortest } = task;
  const table = arena.allocate(HEADER_BYTES);
  const slots = 2 ** Math.ceil(Math.log2(2 * wordsMax));
  const header = {
    ...{ entries: 0, bytes: 0, full: 0, mask: slots - 1, slots: arena.allocate(slots * 4) },
    ...{ entriesAt: arena.allocate(wordsMax * 16), entriesMax: wordsMax },
    ...{ texts: arena.allocate(wordsMax * WORD_BYTES), textsMax: wordsMax * WORD_BYTES },
    ...{ letters: arena.allocate(LETTERS * 4), stop: 0, shortest, complete: 0 },
    where: arena.allocate(threads * wordsMax * 4),
  };
  u32.set(Object.values(header), table / 4);
  kernels.bytes_zero(slots * 4, header.slots);
  writeLetters(u32.subarray(header.letters / 4, header.letters / 4 + LETTERS));
  intern(thread, table, task.stop);
  u32[table / 4 + 10] = u32[table / 4] ?? 0;
  intern(thread, table, task.keep);
  u32[table / 4 + 12] = task.keep === '' ? 0 : 1;
  return { kind: 'lexicon', table };
}

function whereOf({ u32, number }: LoaderThread, table: number): number {
  const [entriesMax = 0, at = 0] = [u32[table / 4 + 6], u32[table / 4 + 13]];
  return at + number * entriesMax * 4;
}

const entriesFor = (bytes: number, chunkBytes: number) =>
  Math.min((bytes >> 1) + 1, (chunkBytes >> 1) + Math.ceil(lineBytesMax / 5) + SHORT_WORDS);

/** The kernel of lines that are documents, or have a field that is one. */
export function runText(thread: LoaderThread, rules: TextRules, lines: Lines): Places {
  const { kernels, state, labels } = thread;
  const { begin, end, chunkBytes } = lines;
  const { table, fields } = rules;
  const place = outputs(thread);
  // A row is as many bytes as it has fields at least, and all but the last lie inside the chunk.
  const rowsMax = Math.floor(Math.min(end - begin, chunkBytes) / (fields?.columns ?? 1)) + 2;
  const entriesMax = entriesFor(end - begin, chunkBytes);
  const target = place(rowsMax * 4);
  const rowStart = place((rowsMax + 1) * 4);
  const index = place(entriesMax * 4);
  const value = place(entriesMax * 4);
  const words = [table, whereOf(thread, table), rowsMax, entriesMax] as const;
  if (fields === undefined) {
    const out = [target, rowStart, index, value] as const;
    const answer = kernels.parse_text(begin, end, state, ...words, ...out);
    return { answer, target, rowStart, index, value };
  }
  const dates = place(rowsMax * 4);
  const names = place(rowsMax * 8);
  const { delimiter, columns, text, label, date, name } = fields;
  const answer = kernels.parse_text_fields(
    ...([begin, end, state, delimiter, columns, text, label, date, name, ...words] as const),
    ...([classesMax, labelBytesMax, labels, target, dates, names] as const),
    ...([rowStart, index, value] as const),
  );
  return { answer, target, rowStart, index, value, dates, names };
}

/** The text of a file, inflated if it is compressed. */
function textOf(path: string): Uint8Array {
  const refuse = (place: string, rule: string, found: string) =>
    new SystemError('ERR_DATA', `${path}:${place}: ${rule}; found ${found}`);
  const raw = readFileSync(path);
  let text: Uint8Array = raw;
  try {
    if (raw[0] === 0x1f && raw[1] === 0x8b) {
      text = gunzipSync(raw, { maxOutputLength: lineBytesMax + 1 });
    }
  } catch (error) {
    if (isDamage(error)) {
      const rule = 'the compressed file is damaged or cut off; fetch it again';
      throw refuse('1:1', rule, (error as Error).message);
    }
    if (!(error instanceof RangeError)) throw error;
    text = new Uint8Array(lineBytesMax + 1);
  }
  if (text.length <= lineBytesMax) return text;
  const rule = `a document has at most ${lineBytesMax} bytes; cut it into parts`;
  throw refuse('1:1', rule, `${lineBytesMax + 1} bytes and more`);
}

/** Documents without labels that lie in scratch, where the task wants them. */
function pieceOf(thread: LoaderThread, { spill }: DocumentsTask, output: Output): Piece {
  const { rows, entries, target, rowStart, index, value } = output;
  const labels = { texts: '', places: new Int32Array(0) };
  const none = { lowest: 0, highest: 0, lowestItem: 0, highestItem: 0, sum: 0, x: 0, dates: 0 };
  const facts = { ...none, minimum: 0, maximum: 0, labels, names: '', kept: true, rows };
  const piece = { ...facts, nonzeros: entries, storage: 'csr' as const };
  if (spill !== undefined) {
    const block = { documents: rows, nonzeros: entries, target, rowStart, index, count: value };
    const at = spillRows(thread, spill, block);
    return { ...piece, target: 0, rowStart: 0, index: 0, value: 0, at };
  }
  return {
    ...piece,
    target: keep(thread, target, rows * 4),
    rowStart: keep(thread, rowStart, (rows + 1) * 4),
    index: keep(thread, index, entries * 4),
    value: keep(thread, value, entries * 4),
  };
}

/** Files that are a document each, in one block. */
export function readDocuments(thread: LoaderThread, task: DocumentsTask): ParseResult {
  const { kernels, state, u32, bytes, scratch, text } = thread;
  const { table } = task.rules;
  const rows = task.paths.length;
  const place = outputs(thread);
  const room = entriesFor(2 ** 31 - 1, limits.chunkBytes);
  const rowStart = place((rows + 1) * 4);
  const target = place(rows * 4);
  const index = place(room * 4);
  const value = place(room * 4);
  const found = state + 72;
  u32.fill(0, found / 4, found / 4 + 2);
  u32[rowStart / 4] = 0;
  kernels.i32_fill(rows, -1, target);
  let n = 0;
  for (const [row, path] of task.paths.entries()) {
    if (isCancelled(task.control)) break;
    const content = textOf(path);
    bytes.set(content, text - scratch);
    bytes[text - scratch + content.length] = LINE_FEED; // ends a character that was cut off
    const words = [table, whereOf(thread, table), state + 128, found, room - n] as const;
    const end = text + content.length;
    const more = kernels.text_bag(text, end, ...words, index + n * 4, value + n * 4);
    assert(more >= 0, 'there is room for the words of a document');
    n += more;
    u32[rowStart / 4 + row + 1] = n;
    addProgress(task.control, content.length);
  }
  const [dropped = 0, broken = 0] = u32.subarray(found / 4, found / 4 + 2);
  const pieces = [pieceOf(thread, task, { rows, entries: n, target, rowStart, index, value })];
  const stopped = { code: code.stopped, line: 0, column: 1, found: '', field: 0 };
  return {
    ...{ kind: 'parsed', lines: 0, rows, dropped, broken, bytesOnly: true, pieces },
    places: [],
    ...(isCancelled(task.control) && { violation: stopped }),
  };
}
