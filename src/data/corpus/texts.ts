// Corpora from texts: a line a document, a file a document, or a field of a delimited line.
import { SystemError } from '../../base/errors.ts';
import type { CorpusOptions } from '../load-corpus.ts';
import type { CsvShape, DocumentsTask, Probe, TextFields } from '../tasks.ts';
import { noWording, parseFiles, requireRows, type FilePlan } from '../load/files.ts';
import type { Session } from '../load/session.ts';
import { isBroken } from '../load/shared-tasks.ts';
import { fetchRows, rowsHere } from '../load/shares.ts';
import { blocksSink } from '../load/text-samples.ts';
import { fromFault } from '../../base/errors.ts';
import { labelledBlocks, nowhere, ownDocuments, wholeBlock, type RawBlock } from './blocks.ts';
import type { RawCorpus } from './finish.ts';
import { numberWords, openLexicon } from './lexicon.ts';
import type { TextFile } from './paths.ts';
import { vocabularyOf } from './vocabulary.ts';

type Read = {
  readonly documents: number;
  readonly blocks: readonly RawBlock[];
  readonly classes: readonly string[];
  /** The texts' unknown words and bytes that are not UTF-8. */
  readonly dropped: number;
  readonly broken: number;
  readonly dated: boolean;
  readonly named: boolean;
  readonly warnings: readonly string[];
};

/** The words that count, where they are given: the training data's, else a file's. */
async function knownWords(session: Session, { like, vocabulary }: CorpusOptions) {
  if (like === undefined) return vocabularyOf(session, vocabulary);
  if (like.vocabulary.length > 0) return like.vocabulary;
  const rule = 'texts need the words of the training data, which has numbers only';
  throw new SystemError('ERR_CONFIG', `${rule}; train with --vocabulary`);
}

/** The number of a column by name or number; −1 when none was asked for or found. */
function columnOf(shape: CsvShape, path: string, wanted: string | undefined, usual: string[]) {
  const names = shape.names.map((name) => name.toLowerCase());
  if (wanted === undefined) return names.findIndex((name) => usual.includes(name));
  const named = shape.names.indexOf(wanted);
  if (named >= 0) return named;
  if (/^\d+$/.test(wanted) && Number(wanted) < shape.fields) return Number(wanted);
  const rule = `a column is a name or a number from 0 to ${shape.fields - 1}, got "${wanted}"`;
  throw new SystemError('ERR_CONFIG', `${rule}; ${path} has ${shape.names.join(', ')}`);
}

function fieldsOf(probe: Probe, options: CorpusOptions): TextFields {
  const shape = probe.shape as CsvShape;
  const { path } = probe;
  const text = columnOf(shape, path, options.textColumn, ['text']);
  if (text < 0 || shape.delimiter === 32) {
    const rule = 'a csv of texts has a column `text`, or --text-column names it';
    throw new SystemError('ERR_CONFIG', `${path}: ${rule}; found ${shape.names.join(', ')}`);
  }
  const date = columnOf(shape, path, options.dateColumn, ['date', 'year']);
  const name = columnOf(shape, path, options.nameColumn, ['name', 'title']);
  const label = columnOf(shape, path, options.label, ['label']);
  return { delimiter: shape.delimiter, columns: shape.fields, text, date, name, label };
}

function planOf(probe: Probe, table: number, options: CorpusOptions): FilePlan {
  if (probe.format !== 'csv') {
    return { probe, rules: { kind: 'text', table }, wording: textWording, sink: blocksSink };
  }
  const { fields: count, names } = probe.shape as CsvShape;
  const fields = fieldsOf(probe, options);
  const nameOf = (field: number) => names[field] ?? `${field} (counted from 0)`;
  const wording = { ...noWording, format: 'csv' as const, fields: count, nameOf };
  return { probe, rules: { kind: 'text', table, fields }, wording, sink: blocksSink };
}

const textWording = { ...noWording, format: 'csv' as const };

/** Lines, or fields of lines. */
async function readLines(
  session: Session,
  probes: readonly [Probe, ...Probe[]],
  { table, options }: { readonly table: number; readonly options: CorpusOptions },
): Promise<Read> {
  const plans = probes.map((probe) => planOf(probe, table, options));
  const parsed = await fetchRows(session, await parseFiles(session, plans, 'rows'));
  requireRows(parsed.rows, probes[0].path);
  const has = (field: 'date' | 'name') =>
    plans.every(({ rules }) => rules.kind === 'text' && (rules.fields?.[field] ?? -1) >= 0);
  const [dated, named] = [has('date'), has('name')];
  const known = options.like?.classes;
  const labelled = await labelledBlocks(session, parsed, { known, named });
  const { rows: documents, dropped, broken } = parsed;
  return { documents, dropped, broken, dated, named, ...labelled };
}

/** Files of a task at most: scratch has room for them, be they empty. */
const FILES_MAX = 1 << 16;

/** Runs of files that have about as much text as a chunk; a task each. */
function batches(files: readonly TextFile[], bytesMax: number): TextFile[][] {
  const all: TextFile[][] = [];
  let room = 0;
  for (const file of files) {
    if (room < file.bytes || (all.at(-1)?.length ?? FILES_MAX) >= FILES_MAX) {
      all.push([]);
      room = bytesMax;
    }
    all.at(-1)?.push(file);
    room -= file.bytes;
  }
  return all;
}

/** A file a document: this host reads its own and no others. */
async function readFiles(
  session: Session,
  files: readonly TextFile[],
  table: number,
): Promise<Read> {
  const documents = files.length;
  const { first, last } = rowsHere(session, documents);
  const own = batches(files.slice(first, last), session.pool.chunkBytes);
  const tasks = own.map((batch): DocumentsTask => {
    const paths = batch.map(({ path }) => path);
    const rules = { kind: 'text', table } as const;
    const { control, spill } = session;
    return { kind: 'documents', control, paths, rules, ...(spill !== undefined && { spill }) };
  });
  const results = await session.askAll(tasks, isBroken);
  const blocks: RawBlock[] = [];
  if (first > 0) blocks.push(nowhere(first));
  let dropped = 0;
  let broken = 0;
  for (const [i, result] of results.entries()) {
    if (result.kind === 'failure') throw fromFault(result);
    dropped += result.dropped;
    broken += result.broken;
    for (const { rows, nonzeros, target, rowStart, index, value, at } of result.pieces) {
      const names = own[i]?.map(({ name }) => name) ?? [];
      const places = { target, rowStart, index, count: value, dates: 0, labels: null };
      const block = { documents: rows, nonzeros, names, ...places };
      blocks.push({ ...block, ...(at !== undefined && { spilled: wholeBlock(block, at) }) });
    }
  }
  if (last < documents) blocks.push(nowhere(documents - last));
  const all = await session.talk.exchange([dropped, broken]);
  const [total, bad] = [0, 1].map((k) => all.reduce((sum, host) => sum + (host[k] ?? 0), 0));
  const facts = { classes: [], dated: false, named: true, warnings: [] };
  return { documents, blocks, dropped: total ?? 0, broken: bad ?? 0, ...facts };
}

export type TextInput =
  | { readonly kind: 'lines'; readonly probes: readonly [Probe, ...Probe[]] }
  | { readonly kind: 'files'; readonly files: readonly TextFile[] };

export async function loadTexts(
  session: Session,
  input: TextInput,
  options: CorpusOptions,
): Promise<RawCorpus> {
  const known = await knownWords(session, options);
  const sizes =
    input.kind === 'lines' ? input.probes : input.files.map((file) => ({ ...file, gzip: true }));
  const lexicon = await openLexicon(session, sizes, { ...options, known });
  const { table } = lexicon;
  const read =
    input.kind === 'lines'
      ? await readLines(session, input.probes, { table, options })
      : await readFiles(session, input.files, table);
  const path = input.kind === 'lines' ? input.probes[0].path : (input.files[0]?.path ?? '');
  const { documents, blocks, classes, dated, named } = read;
  const own = ownDocuments(session, { documents, path, blocks });
  const numbered = await numberWords(session, lexicon, { ...options, path, documents, ...own });
  const broken = `${read.broken} bytes that are not UTF-8 were taken for blanks`;
  return {
    ...{ path, format: input.kind === 'lines' ? input.probes[0].format : ('text' as const) },
    ...{ documents, blocks, classes, dated, named, base: 0 },
    ...{ ...numbered, words: numbered.vocabulary.length, unknown: read.dropped },
    chosen: known.length === 0,
    warnings: [...(read.broken > 0 ? [broken] : []), ...read.warnings],
  };
}
