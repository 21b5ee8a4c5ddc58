// medlda: topics that tell classes apart, max-margin by Gibbs sampling (Zhu, Chen, Perkins and
// Zhang 2014, "Gibbs max-margin topic models with data augmentation", JMLR 15).
//
//   θ_d, φ_k, z, w as lda's, and one classifier a class on z̄_d, the shares of d's tokens by topic:
//   η_t ~ N(0, I)      p(y_d | z, η) ∝ Π_t exp(−2c max(0, ζ_dt)),   ζ_dt = ℓ − y_dt η_t·z̄_d
//   y_dt = 1 where t is d's class, else −1; documents without a class have their words alone
//
//   objective   [ log p(w, z) − 2c Σ_d Σ_t max(0, ζ_dt) − Σ_t ‖η_t‖² / 2 ] / M, at the counts and
//               weights that are saved; log p(w, z) as in lda's header, M tokens; maximized
//   trained     φ, θ as lda's; η, the mean over the last passes of E[η | z, λ]
//   predicted   argmax_t η_t·z̄, z̄ of an unseen document the mean over sweeps of several
//               Gibbs chains with the φ of those passes' summed counts
//
// λ_dt makes the hinge loss a mixture of Gaussians (Polson and Scott 2011), so that all is drawn
// from known distributions: program.ts, assembly/medlda.
import { gridMin } from '../lda/layout.ts';
import { SystemError } from '../../base/errors.ts';
import { together } from '../../base/together.ts';
import { partitionsFor } from '../../base/world.ts';
import type { Corpus } from '../../data/dataset.ts';
import type { Metrics } from '../../jobs/job.ts';
import {
  countTensors,
  documentsOf,
  savedTopics,
  placedTopics,
  readingOf,
  type TopicFacts,
} from '../lda/saved.ts';
import type { RunResult } from '../../supervisor/host.ts';
import {
  auditMetrics,
  type Model,
  type Predictions,
  type Session,
  type Tensor,
  type TrainedModel,
  type TrainOutcome,
  type TrainRequest,
} from '../model.ts';
import { pageOf, reportTopics } from '../topics/report/report.ts';
import { heldOut, placeMixtures } from '../topics/run.ts';
import { result, resultsOf } from './layout.ts';
import { defaultPasses, options, programOptions } from './options.ts';
import { medldaRotation } from './program.ts';

/** `samples`: passes that the means are of. */
type MedldaFacts = TopicFacts & { readonly samples: number };

function check({ data }: TrainRequest<Corpus>): void {
  const refuse = (text: string): never => {
    throw new SystemError('ERR_DATA', `medlda ${text}`);
  };
  if (data.tokens === 0) refuse('needs documents with words; found none');
  if (data.classes.length > 1) return;
  const found = `found ${data.classes.length === 0 ? 'no labels' : 'one class'}`;
  refuse(`needs documents of at least two classes; ${found}: lda needs none`);
}

async function train(session: Session, request: TrainRequest<Corpus>): Promise<TrainOutcome> {
  check(request);
  const { host, world } = session;
  const { data, seed, audit } = request;
  const program = programOptions(request);
  const policy = { consistency: 'bsp', staleness: 0 } as const;
  const grid = world.size > 1 ? partitionsFor(world) : Math.max(gridMin, host.threads);
  const run = await host.run(
    medldaRotation,
    {
      program: { builtIn: medldaRotation.name },
      ...{ userKernels: undefined, canary: undefined, data, seed, audit, policy },
      partitions: request.partitions ?? grid,
      options: program,
    },
    { onEvent: session.onEvent.bind(session), signal: session.signal },
  );
  const buffer = (name: string) => run.plan.buffers[name] ?? 0;
  const results = resultsOf({ arena: host.arena, buffer });
  const { topics, beta } = program;
  const facts: MedldaFacts = {
    samples: program.samples,
    ...{ topics, words: data.words, alpha: new Array<number>(topics).fill(program.alpha), beta },
    ...{ documents: data.documents, tokens: data.tokens, base: data.base },
    ...{ classes: data.classes, vocabulary: data.vocabulary },
  };
  const shape = [data.classes.length, topics];
  const weights: Tensor = { name: 'class_weights', shape, at: buffer('weights') };
  const tensors = [...countTensors(run, host, data), ...meanTensors(run, host, data), weights];
  const trained: TrainedModel = { model: 'medlda', facts, tensors };
  const counts = { placed: placedTopics(session, trained), data };
  const documents = documentsOf(session, trained);
  const page = pageOf(request.options);
  const reported = await reportTopics(session, { ...counts, documents }, page);
  const held = request.test && (await classify(session, trained, request.test));
  return {
    trained,
    objective: results[result.objective]!,
    metrics: {
      trainAccuracy: results[result.accuracy]!,
      drift: results[result.drift]!,
      ...(held !== undefined && { accuracy: held.accuracy }),
      ...auditMetrics(run),
    },
    ...{ converged: null, gap: null, tolerance: null, policy },
    ...{ clocks: run.clocks, passes: program.passes, ...(reported && { topics: reported }) },
    stalenessHistogram: run.stalenessHistogram,
  };
}

/** Chains of an unseen document's topics: one alone stays near the topics that it begins with. */
const chains = 10;
/** Of each chain: many short ones tell more than a few long ones of as many sweeps in all. */
const sweeps = { burn: 10, samples: 10 };

/** The counts of words, summed over the last passes: what unseen documents are read with. */
function meanTensors({ plan }: RunResult, { arena }: Session['host'], data: Corpus): Tensor[] {
  const at = (name: string) => plan.buffers[name] ?? 0;
  const entries = arena.i32[at('meanStarts') / 4 + data.words] ?? 0;
  const { topics } = plan.options as { readonly topics: number };
  return (
    [
      ['mean_starts', data.words + 1, 'meanStarts'],
      ['mean_topics', entries, 'meanTopics'],
      ['mean_counts', entries, 'meanCounts'],
      ['mean_totals', topics, 'meanTotals'],
    ] as const
  ).map(([name, count, buffer]) => ({ name, shape: [count], at: at(buffer), type: 'I32' }));
}

/** The model whose φ is the mean of the last passes': of S sums, β counts S times. */
function meanOf({ model, facts: own, tensors }: TrainedModel): TrainedModel {
  const { samples, ...facts } = own as MedldaFacts;
  const means: Readonly<Record<string, string>> = {
    mean_starts: 'word_starts',
    mean_topics: 'word_topics',
    mean_counts: 'word_counts',
    mean_totals: 'topic_totals',
  };
  const renamed = tensors.flatMap((tensor) => {
    const name = means[tensor.name];
    return name === undefined ? [] : [{ ...tensor, name }];
  });
  return { model, facts: { ...facts, beta: facts.beta * samples }, tensors: renamed };
}

/**
 * Classes of the documents that lie here, by number; accuracy: of all hosts' documents. Those of a
 * class that is not the model's are wrong.
 */
async function classify(session: Session, trained: TrainedModel, data: Corpus) {
  const { arena, kernels } = session.host;
  const { topics, words, alpha, classes } = trained.facts as TopicFacts;
  const weights = trained.tensors.find(({ name }) => name === 'class_weights')?.at ?? 0;
  const scoresBytes = classes.length * 4;
  const found = arena.allocate(data.documents * 4);
  const scores = arena.allocate(data.documents * scoresBytes);
  arena.u8.fill(0, scores, scores + data.documents * scoresBytes);
  const reading = readingOf(session, meanOf(trained), data);
  let right = 0;
  for (let chain = 0; chain < chains; chain++) {
    const seed = reading.seed + chain;
    const { mixtures } = await placeMixtures({ ...reading, seed }, { dense: true, sweeps });
    let document = 0;
    right = 0;
    for (const { documents, rowStart, index, count, target } of data.blocks) {
      right += kernels.medlda_classes(
        ...([documents, classes.length, topics, words, alpha[0]!, rowStart, index, count] as const),
        ...([target, mixtures + document * topics * 8, weights, found + document * 4] as const),
        scores + document * scoresBytes,
      );
      document += documents;
    }
  }
  const shares = await together(session.world, 'classes', (talk) => talk.exchange(right));
  const all = shares.reduce((sum, share) => sum + share, 0);
  const best = arena.i32.subarray(found / 4, found / 4 + data.documents);
  return { best, accuracy: all / data.documents };
}

async function evaluate(session: Session, trained: TrainedModel, data: Corpus): Promise<Metrics> {
  const { accuracy } = await classify(session, trained, data);
  const { perplexity, tokens } = await heldOut(readingOf(session, meanOf(trained), data));
  return { accuracy, perplexity, tokens };
}

async function predict(
  session: Session,
  trained: TrainedModel,
  data: Corpus,
  { probabilities }: { readonly probabilities: boolean },
): Promise<Predictions> {
  if (probabilities) {
    const rule = 'medlda predicts labels: what it compares classes by is no probability';
    throw new SystemError('ERR_CONFIG', `${rule}; leave --probabilities out`);
  }
  const { classes } = trained.facts as TopicFacts;
  const { best } = await classify(session, trained, data);
  const lines = function* () {
    for (const t of best) yield classes[t] ?? '';
  };
  return { rows: data.documents, lines: lines() };
}

export const medlda: Model<Corpus> = {
  name: 'medlda',
  summary: 'topics that tell classes of documents apart (max-margin supervised topic model)',
  input: 'corpus',
  defaultPasses,
  ...{ options, train, evaluate, predict, topics: savedTopics },
};
