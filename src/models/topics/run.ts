// Runs of topics-read by a model's evaluate and predict. Each host reads the documents that it has;
// scores and counts are added up over hosts in order of ranks.
import { together } from '../../base/together.ts';
import type { Corpus } from '../../data/dataset.ts';
import type { RunResult } from '../../supervisor/host.ts';
import type { Predictions, Session } from '../model.ts';
import type { PlacedTopics } from './placed.ts';
import { sumsBytes, topicsRead, type TopicsWork } from './program.ts';
import type { Sweeps } from './sampler.ts';

/** Partitions of reading: more than any machine has cores. */
const readPartitions = 64;
/** Sweeps that make a document's mixture. */
const defaultSweeps: Sweeps = { burn: 20, samples: 20 };
/** Mixtures list topics from this share on. */
const mixtureThreshold = 0.01;

export type Reading = {
  readonly session: Session;
  readonly placed: PlacedTopics;
  /** Word w is word w of the model. */
  readonly data: Corpus;
  readonly seed: number;
};

/** A run of this host alone over the documents that it has. */
export function readHere(
  { session, data, seed }: Reading,
  options: TopicsWork,
): Promise<RunResult> {
  const request = {
    ...{ data: data as never, options, seed, audit: false, local: true },
    policy: { consistency: 'bsp', staleness: 0 } as const,
    partitions: Math.max(session.host.threads, readPartitions),
    ...{ program: { builtIn: topicsRead.name }, userKernels: undefined, canary: undefined },
  };
  const hooks = { onEvent: session.onEvent.bind(session), signal: session.signal };
  return session.host.run(topicsRead, request, hooks);
}

function documentsWork({ session, placed, data }: Reading, sweeps: Sweeps) {
  const { topics, words } = placed.model;
  const longest = data.blocks.reduce((most, { documents, rowStart, count }) => {
    return Math.max(most, session.host.kernels.topics_longest(documents, rowStart, count));
  }, 0);
  return { plan: placed.plan, topics, words, longest, sweeps };
}

/** Held-out score of documents: see sampler.ts. Words that the model does not have are left out. */
export type HeldOut = {
  readonly perplexity: number;
  readonly logLikelihood: number;
  /** Tokens that were scored. */
  readonly tokens: number;
};

/**
 * Perplexity of documents that the model was not trained on.
 * @param particles 0: by document completion (half of the tokens are scored, given the others);
 *   else left to right with so many, of all tokens.
 */
export async function heldOut(
  reading: Reading,
  { particles = 0, sweeps = defaultSweeps } = {},
): Promise<HeldOut> {
  const { session } = reading;
  return together(session.world, 'held-out', async (talk) => {
    const work = documentsWork(reading, sweeps);
    const leftToRight = { kind: 'left-to-right', particles, ...work } as const;
    const options = particles > 0 ? leftToRight : ({ kind: 'completion', ...work } as const);
    const { plan } = await readHere(reading, options);
    let logLikelihood = 0;
    let tokens = 0;
    const { f64 } = session.host.arena;
    for (let p = 0; p < plan.partitions; p++) {
      const at = ((plan.buffers['sums'] ?? 0) + p * sumsBytes) / 8;
      logLikelihood += f64[at] ?? 0;
      tokens += f64[at + 1] ?? 0;
    }
    const all = await talk.exchange([logLikelihood, tokens]);
    const [sum, count] = [0, 1].map((i) => all.reduce((total, share) => total + share[i]!, 0));
    const [total = 0, scored = 0] = [sum, count];
    return { logLikelihood: total, tokens: scored, perplexity: Math.exp(-total / scored) };
  });
}

/** Topics of one document, {topic, share} from the largest share downwards, ties by topic. */
export type Mixture = readonly { readonly topic: number; readonly share: number }[];

/**
 * Places of the topics of unseen documents: `mixtures` has room for `room` pairs {i32 topic, f32 θ}
 * a document, `found` how many there are (i32). Dense: all K of them.
 */
export async function placeMixtures(
  reading: Reading,
  { dense = false, sweeps = defaultSweeps } = {},
): Promise<{ readonly mixtures: number; readonly found: number; readonly room: number }> {
  const { topics } = reading.placed.model;
  const threshold = dense ? 0 : mixtureThreshold;
  const room = dense ? topics : Math.min(topics, Math.floor(1 / threshold));
  const work = { kind: 'mixtures', threshold, room } as const;
  const { plan } = await readHere(reading, { ...work, ...documentsWork(reading, sweeps) });
  const { mixtures = 0, found = 0 } = plan.buffers;
  return { mixtures, found, room };
}

/**
 * Topics of unseen documents: posterior mean θ by Gibbs sampling, of each document that lies here.
 * @param dense every topic, else those from 1 % on.
 */
export async function mixtures(
  reading: Reading,
  { dense = false, sweeps = defaultSweeps } = {},
): Promise<(document: number) => Mixture> {
  const { arena } = reading.session.host;
  const places = await placeMixtures(reading, { dense, sweeps });
  return (document) => {
    const at = places.mixtures / 4 + document * places.room * 2;
    const found = arena.i32[places.found / 4 + document] ?? 0;
    const entries = Array.from({ length: found }, (_, i) => ({
      topic: arena.i32[at + 2 * i] ?? 0,
      share: arena.f32[at + 2 * i + 1] ?? 0,
    }));
    return dense ? entries : entries.sort((a, b) => b.share - a.share || a.topic - b.topic);
  };
}

/**
 * A line a document: `topic:share` from the largest share downwards, topics of at least 1 %; with
 * `dense` the shares of all topics, separated by tabs under a header, as other models do.
 */
export async function predictTopics(reading: Reading, dense: boolean): Promise<Predictions> {
  const of = await mixtures(reading, { dense });
  const rows = reading.data.blocks.reduce((sum, { documents }) => sum + documents, 0);
  const { topics } = reading.placed.model;
  const lines = function* () {
    if (dense) yield Array.from({ length: topics }, (_, k) => `topic${k}`).join('\t');
    for (let d = 0; d < rows; d++) {
      const mixture = of(d).map(({ topic, share }) => {
        return dense ? share.toPrecision(6) : `${topic}:${Number(share.toPrecision(4))}`;
      });
      yield mixture.join(dense ? '\t' : ' ');
    }
  };
  return { rows, lines: lines() };
}
