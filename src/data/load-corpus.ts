// Corpora from files: counts of words, or texts that are cut into words.
import { loadBags } from './corpus/bags.ts';
import { finish, type LoadedCorpus } from './corpus/finish.ts';
import type { Corpus } from './dataset.ts';
import { probeFiles, requireFormat } from './load/files.ts';
import { withSession, type Host, type Watch } from './load/session.ts';
import type { Format } from './tasks.ts';

export type { LoadedCorpus } from './corpus/finish.ts';

/** What documents to be scored take over from the training set. */
export type CorpusFacts = Pick<Corpus, 'words' | 'vocabulary' | 'base' | 'classes'>;

export type CorpusOptions = Watch & {
  /** Detected from the content when absent. */
  readonly format?: Format;
  /** File of the words, one a line. */
  readonly vocabulary?: string;
  /** The training set: words that it does not have are left out and counted. */
  readonly like?: CorpusFacts;
};

const FORMATS: readonly Format[] = ['bow', 'lda-c', 'libsvm', 'mtx'];

/**
 * Loads documents into the arena.
 *
 *     const train = await loadCorpus(['docword.txt.gz'], { vocabulary: 'vocab.txt' }, host);
 *     const test = await loadCorpus(['more.libsvm'], { like: train }, host);
 *
 * Files follow one another. Counts are positive integers; a word that stands twice in a document is
 * summed up; empty documents are kept. With `host.world` all its hosts call this at once and each
 * holds its run of the documents; facts, warnings and errors are those of one host alone.
 * @throws ERR_DATA `file:line:column: rule; found "text"` for the first violation in file order, or
 *   for a corpus without words, ERR_CONFIG for options that do not fit the files, ERR_LIMIT when the
 *   memory is full, ERR_ABORTED.
 */
export async function loadCorpus(
  paths: readonly string[],
  options: CorpusOptions,
  host: Host,
): Promise<LoadedCorpus> {
  const { format } = options;
  if (format !== undefined) requireFormat(format, FORMATS, 'corpora');
  const ask = { purpose: 'corpus' as const, ...(format !== undefined && { format }) };
  return withSession(host, options, async (session) => {
    const probes = await probeFiles(session, paths, ask);
    requireFormat(probes[0].format, FORMATS, 'corpora');
    session.expect(probes.reduce((sum, probe) => sum + probe.bytes, 0));
    return finish(session, await loadBags(session, probes, options));
  });
}
