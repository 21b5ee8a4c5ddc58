// lda trained in tests, on one host or several of this process, and the formula that it prints.
import * as assert from 'uvu/assert';
import { rangeOf } from '../../src/base/ranges.ts';
import { partitionsFor, partitionsOf } from '../../src/base/world.ts';
import type { Corpus } from '../../src/data/dataset.ts';
import type { Metrics, ModelOptions } from '../../src/jobs/job.ts';
import { lda } from '../../src/models/lda/model.ts';
import type { TrainRequest } from '../../src/models/model.ts';
import type { Host } from '../../src/supervisor/host.ts';
import { logGamma, type Documents } from '../oracle/lda.ts';
import { withCluster } from './joined-hosts.ts';
import { placeCorpus } from './lda.ts';
import { hashOf, requestOf, sessionOf } from './models.ts';

export type Known = { readonly documents: Documents; readonly words: number };

/** The documents of a host's parts, as a loader would place them. */
function placeShare({ world, arena }: Host, known: Known, partitions?: number): Corpus {
  const { documents: all, words } = known;
  const cut = partitions ?? partitionsFor(world);
  const own = partitionsOf(world, cut, world.rank);
  const first = rangeOf(all.length, cut, own.first).first;
  const { last } = rangeOf(all.length, cut, own.last - 1);
  const here = placeCorpus(arena, all.slice(first, last), { words });
  return { ...here, first, documents: all.length, tokens: all.flat().length };
}

type Hooks = {
  readonly onProgress?: () => void;
  /** Makes of the corpus what is trained on. */
  readonly keep?: (data: Corpus, host: Host) => Corpus;
};

/** On a host alone, or on one of those that train together. */
export async function fitLda(
  host: Host,
  { documents, words }: Known,
  options: ModelOptions,
  ask: Partial<TrainRequest<Corpus>> = {},
  more: Hooks = {},
) {
  const { onProgress = () => undefined, keep = (data) => data } = more;
  const mark = host.arena.mark();
  const progress: Metrics[] = [];
  const session = {
    ...sessionOf(host),
    world: host.world,
    onEvent(event: { kind: string; values?: Metrics }) {
      if (event.kind !== 'progress') return;
      progress.push(event.values ?? {});
      onProgress();
    },
  };
  const data = keep(placeShare(host, { documents, words }, ask.partitions), host);
  const outcome = await lda.train(session, requestOf('lda', data, options, ask));
  const arrays = new Map(
    outcome.trained.tensors.map(({ name, shape, at }) => [
      name,
      host.arena.i32.slice(at / 4, at / 4 + shape[0]!),
    ]),
  );
  const hash = hashOf(host, outcome);
  host.arena.release(mark);
  return { outcome, arrays, hash, progress };
}
export type Fitted = Awaited<ReturnType<typeof fitLda>>;

/** The formula of the model's header at the saved counts; they add up, whatever they are. */
export function objectiveOf({ outcome, arrays }: Fitted, { documents, words }: Known): number {
  const { alpha, beta } = outcome.trained.facts as { alpha: number[]; beta: number };
  const rise = (a: number, n: number) => logGamma(a + n) - logGamma(a);
  const get = (name: string) => arrays.get(name)!;
  const alphaSum = alpha.reduce((all, value) => all + value, 0);
  const byDocument = alpha.map(() => 0);
  const byWord = alpha.map(() => 0);
  let sum = 0;
  documents.forEach((tokens, d) => {
    let left = tokens.length;
    for (let i = get('doc_starts')[d]!; i < get('doc_starts')[d + 1]!; i++) {
      const [k, n] = [get('doc_topics')[i]!, get('doc_counts')[i]!];
      left -= n;
      byDocument[k]! += n;
      sum += rise(alpha[k]!, n);
    }
    assert.is(left, 0, 'Σ_k n_dk = N_d');
    sum -= rise(alphaSum, tokens.length);
  });
  const counts = new Array<number>(words).fill(0);
  for (const word of documents.flat()) counts[word]! += 1;
  for (let w = 0; w < words; w++) {
    for (let i = get('word_starts')[w]!; i < get('word_starts')[w + 1]!; i++) {
      const [k, n] = [get('word_topics')[i]!, get('word_counts')[i]!];
      counts[w]! -= n;
      byWord[k]! += n;
      sum += rise(beta, n);
    }
  }
  assert.ok(
    counts.every((left) => left === 0),
    'Σ_k n_kw = N_w',
  );
  const totals = [...get('topic_totals')];
  assert.equal(byDocument, totals, 'Σ_d n_dk = n_k');
  assert.equal(byWord, totals, 'Σ_w n_kw = n_k');
  for (const n of totals) sum -= rise(words * beta, n);
  return sum / documents.flat().length;
}

/** On hosts of so many threads; by rank. */
export function fitLdaOnHosts(
  threads: readonly number[],
  known: Known,
  options: ModelOptions,
  ask: Partial<TrainRequest<Corpus>> = {},
): Promise<Fitted[]> {
  return withCluster(threads, (hosts) =>
    Promise.all(hosts.map((host) => fitLda(host, known, options, ask))),
  );
}
