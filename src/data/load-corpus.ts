// Corpora from files: counts of words, or texts that are cut into words.
import { loadBags } from './corpus/bags.ts';
import { finish, type LoadedCorpus } from './corpus/finish.ts';
import { listFiles, type TextFile } from './corpus/paths.ts';
import { openSpillFolder, type SpillFolder } from './spill/folder.ts';
import { loadTexts } from './corpus/texts.ts';
import type { Corpus } from './dataset.ts';
import { probeFiles, requireFormat } from './load/files.ts';
import { withSession, type Host, type Session, type Watch } from './load/session.ts';
import type { Format } from './tasks.ts';

export type { LoadedCorpus } from './corpus/finish.ts';

/** What documents to be scored take over from the training set. */
export type CorpusFacts = Pick<Corpus, 'words' | 'vocabulary' | 'base' | 'classes'>;

/** How texts are cut into documents and words. */
export type TextOptions = {
  /** 'english' (default), 'none', or a file with a word a line. */
  readonly stopWords?: string;
  /** Fewest documents that have a word; default 2. */
  readonly minDocuments?: number;
  /** Largest share of the documents that may have a word; default 1. */
  readonly maxShare?: number;
  /** Code points of the shortest word; default 2. */
  readonly minLength?: number;
};

export type CorpusOptions = Watch &
  TextOptions & {
    /** Detected from the content when absent. */
    readonly format?: Format;
    /** What a document of texts is: a file of a folder or of several files, else a line. */
    readonly documents?: 'files' | 'lines';
    /** File of the words, one a line: those of the numbers, or the only ones of texts. */
    readonly vocabulary?: string;
    /** CSV: names or 0-based numbers of columns; text, date or year, name or title, label. */
    readonly textColumn?: string;
    readonly dateColumn?: string;
    readonly nameColumn?: string;
    readonly label?: string;
    /** CSV: one ASCII character; detected when absent. */
    readonly delimiter?: string;
    /** CSV: whether the first line has names; detected when absent. */
    readonly header?: boolean;
    /** The training set: words that it does not have are left out and counted. */
    readonly like?: CorpusFacts;
    /**
     * Documents go into a file, not into memory: `Corpus.spill`. The file is in a folder of its own
     * in this directory; the caller removes that folder, and the load does when it fails.
     */
    readonly spill?: { readonly directory: string };
  };

const FORMATS: readonly Format[] = ['bow', 'lda-c', 'libsvm', 'mtx', 'text', 'csv'];

/**
 * Loads documents into the arena, or into a file.
 *
 *     const train = await loadCorpus(['docword.txt.gz'], { vocabulary: 'vocab.txt' }, host);
 *     const test = await loadCorpus(['more.libsvm'], { like: train }, host);
 *
 * Files follow one another. Counts are positive integers; a word that stands twice in a document is
 * summed up; empty documents are kept. With `host.world` all its hosts call this at once and each
 * holds its run of the documents; facts, warnings and errors are those of one host alone.
 * @throws ERR_DATA `file:line:column: rule; found "text"` for the first violation in file order, or
 *   for a corpus without words, ERR_CONFIG for options that do not fit the files, ERR_LIMIT when
 *   the memory or the disk is full, ERR_ABORTED.
 */
export async function loadCorpus(
  paths: readonly string[],
  options: CorpusOptions,
  host: Host,
): Promise<LoadedCorpus> {
  const { format, spill } = options;
  if (format !== undefined) requireFormat(format, FORMATS, 'corpora');
  let folder: SpillFolder | undefined;
  try {
    return await withSession(host, options, async (session) => {
      if (spill === undefined) return read(session, paths, options);
      folder = await openSpillFolder(spill.directory, session.world.rank);
      return read({ ...session, spill: folder.file }, paths, options);
    });
  } catch (error) {
    await folder?.remove();
    throw error;
  }
}

async function read(
  session: Session,
  paths: readonly string[],
  options: CorpusOptions,
): Promise<LoadedCorpus> {
  const { format, delimiter, header } = options;
  const ask = {
    purpose: 'corpus' as const,
    ...(format !== undefined && { format }),
    ...(delimiter !== undefined && { delimiter }),
    ...(header !== undefined && { header }),
    ...(options.textColumn !== undefined && { format: 'csv' as const }),
  };
  const { files, lines } = await listFiles(session, paths, options.documents);
  if (files !== undefined) return readDocuments(session, files, options);
  const probes = await probeFiles(session, lines, ask);
  const [first] = probes;
  requireFormat(first.format, FORMATS, 'corpora');
  if (first.format === 'text' && probes.length > 1 && options.documents === undefined) {
    const named = probes.map(({ path, bytes }) => ({ path, bytes, name: path }));
    return readDocuments(session, named, options);
  }
  session.expect(probes.reduce((sum, probe) => sum + probe.bytes, 0));
  if (first.format !== 'text' && first.format !== 'csv') {
    return finish(session, await loadBags(session, probes, options));
  }
  return finish(session, await loadTexts(session, { kind: 'lines', probes }, options));
}

async function readDocuments(
  session: Session,
  files: readonly TextFile[],
  options: CorpusOptions,
): Promise<LoadedCorpus> {
  session.expect(files.reduce((sum, { bytes }) => sum + bytes, 0));
  return finish(session, await loadTexts(session, { kind: 'files', files }, options));
}
