// Corpora from files that have counts: lines of `word:count` (libsvm, lda-c), and entries
// `document word count` (UCI bag of words, Matrix Market).
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { CorpusOptions } from '../load-corpus.ts';
import { mtxTriples } from '../load-ratings.ts';
import type { BagRules, BagShape, MtxShape, Probe } from '../tasks.ts';
import { placeCoordinates } from '../load/coordinates.ts';
import { noWording, parseFiles, requireRows, type FilePlan } from '../load/files.ts';
import type { Session } from '../load/session.ts';
import { fetchRows } from '../load/shares.ts';
import { blocksSink } from '../load/text-samples.ts';
import { labelledBlocks, type RawBlock } from './blocks.ts';
import { spillTriples } from './entries.ts';
import type { RawCorpus } from './finish.ts';
import { stopWordsOf } from './lexicon.ts';
import { mapWords, vocabularyOf } from './vocabulary.ts';

/** What corpora of counts do not have. */
const counts = { unknown: 0, dated: false, named: false, chosen: false };

type Loading = {
  readonly session: Session;
  readonly probes: readonly [Probe, ...Probe[]];
  readonly options: CorpusOptions;
  readonly vocabulary: readonly string[];
};

/** The words, and how to get to them from those in the blocks, which begin with `shift`. */
async function wordsOf(loading: Loading, counted: number, shift: number) {
  const { session, options, vocabulary } = loading;
  const { like, stopWords = 'none' } = options;
  if (like === undefined) {
    if (stopWords !== 'none') return withoutStopWords(loading, stopWords, shift);
    return { words: counted, vocabulary, shift, map: 0 };
  }
  const { words, vocabulary: known } = like;
  if (known.length === 0 || vocabulary.length === 0) {
    return { words, vocabulary: known, shift, map: 0 };
  }
  const map = mapWords(session, vocabulary, { known, base: shift });
  return { words, vocabulary: known, shift: 0, map };
}

async function withoutStopWords({ session, vocabulary }: Loading, which: string, shift: number) {
  if (vocabulary.length === 0) {
    const rule = '--stop-words of counts needs --vocabulary, which says what the words are';
    throw new SystemError('ERR_CONFIG', rule);
  }
  const stop = new Set(await stopWordsOf(session, which));
  const known = vocabulary.filter((word) => !stop.has(word));
  const map = mapWords(session, vocabulary, { known, base: shift });
  return { words: known.length, vocabulary: known, shift: 0, map, chosen: true };
}

function bagPlan(probe: Probe, vocabulary: readonly string[], base: number): FilePlan {
  const { head } = probe.shape as BagShape;
  const size = vocabulary.length;
  // Whether words begin with 0 or 1 is known when all have been read.
  const wordMax = size === 0 ? limits.columnsMax : size - 1 + (base < 0 ? 1 : base);
  const rules: BagRules = { kind: 'bags', head, least: base === 1 ? 1 : 0, wordMax };
  const wording = { ...noWording, format: 'libsvm' as const, columns: size };
  return { probe, rules, wording, sink: blocksSink };
}

/** The first word of the files: lda-c has 0; else 0 when a 0 stands anywhere. */
function baseOf({ probes, options }: Loading): -1 | 0 | 1 {
  if (probes[0].format === 'lda-c') return 0;
  const { like } = options;
  return like === undefined ? -1 : like.base === 1 ? 1 : 0;
}

/** Lines of `word:count`. */
async function loadLines(loading: Loading): Promise<RawCorpus> {
  const { session, probes, options, vocabulary } = loading;
  const [{ path, format }] = probes;
  const wanted = baseOf(loading);
  const plans = probes.map((probe) => bagPlan(probe, vocabulary, wanted));
  const parsed = await fetchRows(session, await parseFiles(session, plans, 'rows'));
  requireRows(parsed.rows, path);
  const { pieces, rows: documents } = parsed;
  const lowest = pieces.reduce((least, piece) => Math.min(least, piece.lowest), Infinity);
  const base = wanted >= 0 ? wanted : lowest === 0 ? 0 : 1;
  const highest = pieces.reduce((most, piece) => Math.max(most, piece.highest), base - 1);
  const counted = vocabulary.length || highest - base + 1;
  if (highest - base >= counted) {
    // Words begin with 0, so one is too high: to read again says where.
    await parseFiles(
      session,
      probes.map((probe) => bagPlan(probe, vocabulary, base)),
    );
  }
  const labelled = probes.some(({ shape }) => (shape as BagShape).head === 'label');
  const known = labelled ? options.like?.classes : [];
  const labels = await labelledBlocks(session, parsed, { known, named: false });
  return {
    ...{ path, format, documents, base, ...labels, ...counts },
    ...(await wordsOf(loading, counted, base)),
  };
}

/** Entries in any order, in memory. */
async function placeTriples(
  session: Session,
  probe: Probe,
  { documents, columns }: { readonly documents: number; readonly columns: number },
): Promise<RawBlock[]> {
  session.expect(2 * probe.bytes);
  const placed = await placeCoordinates(session, mtxTriples(probe, true), {
    rows: documents,
    columns,
  });
  const target = session.arena.allocate(documents * 4);
  await session.steps([{ op: 'fill', n: documents, value: -1, at: target }]);
  let before = 0;
  return placed.blocks.map(({ rows, value: count, ...block }): RawBlock => {
    before += rows;
    const none = { names: [], dates: 0, labels: null };
    return { ...block, ...none, count, documents: rows, target: target + (before - rows) * 4 };
  });
}

/** Entries: documents × words. */
async function loadTriples(loading: Loading): Promise<RawCorpus> {
  const { session, probes, vocabulary } = loading;
  const [probe, second] = probes;
  const { path, format } = probe;
  if (second !== undefined) {
    const rule = `a corpus of this format is one file, and --vocabulary names its words`;
    throw new SystemError('ERR_CONFIG', `${path}: ${rule}; got ${second.path} too`);
  }
  const { rows: documents, columns } = probe.shape as MtxShape;
  if (vocabulary.length > 0 && vocabulary.length !== columns) {
    const rule = `the vocabulary must have the ${columns} words that the size line promises`;
    throw new SystemError('ERR_DATA', `${path}: ${rule}; found ${vocabulary.length}`);
  }
  const inFile = session.spill !== undefined;
  const blocks = inFile
    ? await spillTriples(session, probe, documents)
    : await placeTriples(session, probe, { documents, columns });
  const facts = {
    path,
    format,
    documents,
    blocks,
    base: 1,
    ...counts,
    classes: [],
    warnings: [],
  };
  // Words in memory begin with 0 already.
  return { ...facts, ...(await wordsOf(loading, columns, inFile ? 1 : 0)) };
}

export async function loadBags(
  session: Session,
  probes: readonly [Probe, ...Probe[]],
  options: CorpusOptions,
): Promise<RawCorpus> {
  const vocabulary = await vocabularyOf(session, options.vocabulary);
  const loading = { session, probes, options, vocabulary };
  const { format } = probes[0];
  return format === 'bow' || format === 'mtx' ? loadTriples(loading) : loadLines(loading);
}
