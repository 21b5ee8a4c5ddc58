// lda: latent Dirichlet allocation (Blei, Ng and Jordan 2003) by collapsed Gibbs sampling.
//
//   θ_d ~ Dirichlet(α)    φ_k ~ Dirichlet(β)    z ~ θ_d, w ~ φ_z for each of the M tokens
//
//   objective   log p(w, z) / M, maximized: the joint log-likelihood per token
//                 Σ_d [ lnΓ(Σα) − lnΓ(N_d + Σα) + Σ_k lnΓ(n_dk + α_k) − lnΓ(α_k) ]
//               + Σ_k [ lnΓ(Vβ) − lnΓ(n_k + Vβ) + Σ_w lnΓ(n_kw + β) − lnΓ(β) ]
//   trained     φ_kw = (n_kw + β) / (n_k + Vβ)      θ_dk = (n_dk + α_k) / (N_d + Σα)
//
// Two programs, rotation in program.ts and the parameter server in server.ts, and for both two
// samplers, in sampler.ts.
import { SystemError } from '../../base/errors.ts';
import type { Corpus } from '../../data/dataset.ts';
import type { Metrics } from '../../jobs/job.ts';
import { partitionsFor } from '../../base/world.ts';
import {
  auditMetrics,
  type Model,
  type Predictions,
  type Session,
  type TrainedModel,
  type TrainOutcome,
  type TrainRequest,
} from '../model.ts';
import { coherence } from '../topics/coherence.ts';
import { pageOf, reportTopics } from '../topics/report/report.ts';
import { heldOut, type HeldOut, predictTopics } from '../topics/run.ts';
import { gridMin, result, resultsOf } from './layout.ts';
import { checkServer, defaultPasses, mustNotSpill, options, programOptions } from './options.ts';
import { ldaRotation } from './program.ts';
import { countTensors, documentsOf, placedTopics, readingOf, savedTopics } from './saved.ts';
import type { TopicFacts } from './saved.ts';
import { ldaServer } from './server.ts';
import { gatherCounts } from './server/gathered.ts';

/** What a trained model knows besides its counts. */
type Facts = TopicFacts & {
  /** Of held-out scores from left to right; 0: document completion. */
  readonly particles: number;
};

/**
 * Where a run in any order promises nothing, as many parts as workers: each reads all words. On
 * several hosts documents lie by parts already.
 */
function gridOf({ world, host }: Session, request: TrainRequest<Corpus>): number {
  const { partitions, policy, options: given } = request;
  if (partitions !== undefined) return partitions;
  if (world.size > 1) return partitionsFor(world);
  const server = given['parallel'] === 'server' && policy.consistency !== 'bsp';
  return server ? host.threads : Math.max(gridMin, host.threads);
}

function check({ data }: TrainRequest<Corpus>): void {
  if (data.tokens > 0) return;
  throw new SystemError('ERR_DATA', 'the documents have no words: topics need some');
}

async function train(session: Session, request: TrainRequest<Corpus>): Promise<TrainOutcome> {
  check(request);
  const { data, seed, audit } = request;
  const server = request.options['parallel'] === 'server';
  if (server) checkServer(request);
  const program = server ? ldaServer : ldaRotation;
  const lockStep = { consistency: 'bsp', staleness: 0 } as const;
  const policy = server ? request.policy : lockStep;
  const partitions = gridOf(session, request);
  const ldaOptions = programOptions(request, partitions);
  const run = await session.host.run(
    program,
    {
      ...{ program: { builtIn: program.name }, userKernels: undefined, canary: undefined },
      ...{ data, seed, audit, policy, partitions, options: ldaOptions },
    },
    { onEvent: session.onEvent.bind(session), signal: session.signal },
  );
  if (server) await gatherCounts(session, run, data);
  const { arena } = session.host;
  const buffer = (name: string) => run.plan.buffers[name] ?? 0;
  const results = resultsOf({ arena, buffer });
  const alpha = arena.f64.subarray(buffer('alpha') / 8, buffer('alpha') / 8 + ldaOptions.topics);
  const facts: Facts = {
    ...{ topics: ldaOptions.topics, words: data.words, alpha: [...alpha] },
    ...{ beta: results[result.beta]!, documents: data.documents, tokens: data.tokens },
    ...{
      particles: request.options['particles'] as number,
      base: data.base,
      classes: data.classes,
      vocabulary: data.vocabulary,
    },
  };
  const trained: TrainedModel = {
    model: 'lda',
    facts,
    tensors: countTensors(run, session.host, data),
  };
  const placed = placedTopics(session, trained);
  const documents = documentsOf(session, trained);
  const topics = await reportTopics(session, { placed, documents, data }, pageOf(request.options));
  const held = request.test && (await perplexityOf(session, trained, request.test));
  return {
    trained,
    objective: results[result.likelihood]!,
    metrics: {
      ...(!server && { drift: results[result.drift]! }),
      ...(held !== undefined && { perplexity: held.perplexity }),
      ...auditMetrics(run),
    },
    ...{ converged: null, gap: null, tolerance: null },
    ...{ clocks: run.clocks, passes: ldaOptions.passes },
    ...{ policy, stalenessHistogram: run.stalenessHistogram, ...(topics && { topics }) },
  };
}

/** By document completion, or left to right where the model was trained with --particles. */
function perplexityOf(session: Session, trained: TrainedModel, data: Corpus): Promise<HeldOut> {
  const { particles } = trained.facts as Facts;
  return heldOut(readingOf(session, trained, data), { particles });
}

async function evaluate(session: Session, trained: TrainedModel, data: Corpus): Promise<Metrics> {
  const { perplexity, tokens } = await perplexityOf(session, trained, data);
  const { meanNpmi } = await coherence(readingOf(session, trained, data));
  return { perplexity, coherence: meanNpmi, tokens };
}

function predict(
  session: Session,
  trained: TrainedModel,
  data: Corpus,
  { probabilities }: { readonly probabilities: boolean },
): Promise<Predictions> {
  return predictTopics(readingOf(session, trained, data), probabilities);
}

export const lda: Model<Corpus> = {
  name: 'lda',
  summary: 'topics of documents (latent Dirichlet allocation) by collapsed Gibbs sampling',
  ...{ input: 'corpus', mustNotSpill },
  defaultPasses,
  ...{ options, train, evaluate, predict, topics: savedTopics },
};
