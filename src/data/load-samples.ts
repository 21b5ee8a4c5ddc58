// Samples from files: looks at them, parses them in the loader pool, gives every block its classes.
//
//   main thread: probe ──> tasks by chunk ──> merge labels, base, storage ──> steps over the blocks
//   pool:        head      parse kernels                                      renumber, widen
import { unreachable } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import type { Samples } from './dataset.ts';
import { loadCsv, loadLibsvm } from './load/text-samples.ts';
import { loadIdx } from './load/idx-samples.ts';
import { loadMtx } from './load/mtx-samples.ts';
import { probeFiles, requireFormat } from './load/files.ts';
import { withSession, type Host, type Watch } from './load/session.ts';
import type { Format } from './tasks.ts';

export type { Host, Watch } from './load/session.ts';

/** What a test set takes over from the training set. */
export type SamplesFacts = Pick<Samples, 'storage' | 'columns' | 'base' | 'classes' | 'scale'>;

export type SamplesOptions = Watch & {
  /** Detected from the content when absent. */
  readonly format?: Format;
  /** CSV: name or 0-based number of the label column, or 'last' (default). */
  readonly label?: string;
  /** CSV: one ASCII character; detected when absent. ' ' stands for any run of blanks. */
  readonly delimiter?: string;
  /** CSV: whether the first line has names; detected when absent. */
  readonly header?: boolean;
  /**
   * 'class' (default): labels are texts, targets are i32 indices into `classes`.
   * 'number': labels are numbers to predict, targets are f32 and there are no classes.
   */
  readonly labels?: 'class' | 'number';
  /** The training set, for data that a model trained on it is applied to. */
  readonly like?: SamplesFacts;
};

export type LoadedSamples = Samples & {
  readonly format: Format;
  readonly labels: 'class' | 'number';
  /** What was left out or not understood, for people. */
  readonly warnings: readonly string[];
};

/**
 * Loads samples into the arena.
 *
 *     const train = await loadSamples(['a9a.gz'], {}, { arena, pool });
 *     const test = await loadSamples(['a9a.t.gz'], { like: train }, { arena, pool });
 *
 * Text files follow one another; idx and Matrix Market take two files, the data and then the
 * labels. The caller's thread only hands out tasks. What a failed load had allocated stays until
 * the supervisor releases the arena. With `host.world` all its hosts call this at once and each
 * loads its share; facts, warnings and errors are those of one host alone.
 * @throws ERR_DATA `file:line:column: rule; found "text"` for the first violation in file order,
 *   ERR_CONFIG for options that do not fit the files, ERR_LIMIT when the memory is full,
 *   ERR_ABORTED.
 */
export async function loadSamples(
  paths: readonly string[],
  options: SamplesOptions,
  host: Host,
): Promise<LoadedSamples> {
  const { format, delimiter, header } = options;
  if (format !== undefined) requireFormat(format, ['libsvm', 'csv', 'mtx', 'idx'], 'samples');
  const ask = {
    purpose: 'samples' as const,
    ...(format !== undefined && { format }),
    ...(delimiter !== undefined && { delimiter }),
    ...(header !== undefined && { header }),
  };
  return withSession(host, options, async (session) => {
    const probes = await probeFiles(session, paths, ask);
    const [first] = probes;
    requireFormat(first.format, ['libsvm', 'csv', 'mtx', 'idx'], 'samples');
    session.expect(probes.reduce((sum, probe) => sum + probe.bytes, 0));
    switch (first.format) {
      case 'libsvm':
        return loadLibsvm(session, probes, options);
      case 'csv':
        return loadCsv(session, probes, options);
      case 'mtx':
        return loadMtx(session, probes, options);
      case 'idx':
        return loadIdx(session, probes, options);
      case 'ratings':
      case 'bow':
      case 'lda-c':
      case 'text':
        throw new SystemError('ERR_CONFIG', `format: ${first.format} has no samples`);
      default:
        return unreachable(first.format);
    }
  });
}
