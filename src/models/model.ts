// A model of the library: its name, its options, and how it trains, scores and is saved. What runs
// on the actors are its programs; this is what the supervisor's side knows of it.
import type { ListingRequest, TopicsListing } from './topics/report/listing.ts';
import type { Dataset } from '../data/dataset.ts';
import type { TensorType } from '../data/safetensors.ts';
import type { Metrics, ModelOptions, OptionSpec, Path, TopicsDone } from '../jobs/job.ts';
import type { Event } from '../mailbox/messages.ts';
import type { Policy } from '../ps/freshness.ts';
import type { World } from '../base/world.ts';
import type { JobHost, RunResult } from '../supervisor/host.ts';

/** An array of the model: shape, and where its values are in the host's memory. */
export type Tensor = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly at: number;
  /** F32 when absent. */
  readonly type?: TensorType;
};

/** A trained model: plain facts for model.json, and tensors for weights.safetensors. */
export type TrainedModel = {
  readonly model: string;
  /** What scoring needs besides the tensors: classes, scale, mean, … */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly tensors: readonly Tensor[];
};

export type Session = {
  readonly host: JobHost;
  /** The hosts that take part; this one alone where a model knows nothing of others. */
  readonly world: World;
  readonly signal: AbortSignal;
  onProgress(clock: number, values: Metrics): void;
  onEvent(event: Event, thread: number): void;
  warn(text: string): void;
};

export type TrainRequest<Data> = {
  readonly data: Data;
  readonly test: Data | undefined;
  readonly options: ModelOptions;
  readonly policy: Policy;
  readonly partitions: number | undefined;
  readonly passes: number | undefined;
  readonly tolerance: number | undefined;
  readonly seed: number;
  readonly audit: boolean;
};

export type TrainOutcome = {
  readonly trained: TrainedModel;
  /** The formula of the model's header, in float64, at the returned parameters. */
  readonly objective: number;
  readonly metrics: Metrics;
  /** Null where nothing certifies it: solvers that end after their passes. */
  readonly converged: boolean | null;
  readonly gap: number | null;
  readonly tolerance: number | null;
  /** What the tolerance is a share of; absent where it is compared with the gap itself. */
  readonly gapScale?: number;
  /** Of a model that was trained for several λ. */
  readonly path?: Path;
  /** Of models of topics: what is said of them at the end. */
  readonly topics?: TopicsDone;
  readonly clocks: number;
  readonly passes: number;
  readonly stalenessHistogram: readonly number[];
  /** The policy that the run really had. */
  readonly policy: Policy;
};

/** What the auditor of a scheduled run has to say: nothing where there was none. */
export function auditMetrics({ auditedPairs }: RunResult): Metrics {
  return auditedPairs === undefined ? {} : { auditedPairs };
}

/** What a scheduled program without conflicts says to --audit: no read of it could be stale. */
export const nothingToAudit =
  '--audit has nothing to check here: this solver runs in lock-step, no read of it can be stale';

/** One prediction a line, given out in pieces so that nothing large is built. */
export type Predictions = { readonly rows: number; readonly lines: Iterable<string> };

export type Model<Data extends Dataset> = {
  readonly name: string;
  /** One sentence for `perpetuum models`. */
  readonly summary: string;
  readonly input: Data['kind'];
  /** What labels of samples are; classes when absent. */
  readonly labels?: 'class' | 'number';
  /** Of models that train on documents in a file (`Corpus.spill`): why not with these options. */
  mustNotSpill?(options: ModelOptions): string | undefined;
  readonly options: readonly OptionSpec[];
  /** As help shows it: a number, or which solver makes how many. */
  readonly defaultPasses: number | string;
  train(session: Session, request: TrainRequest<Data>): Promise<TrainOutcome>;
  evaluate(session: Session, trained: TrainedModel, data: Data): Promise<Metrics>;
  predict(
    session: Session,
    trained: TrainedModel,
    data: Data,
    options: { readonly probabilities: boolean },
  ): Promise<Predictions>;
  /** Of models of topics: what they look like. */
  topics?(session: Session, trained: TrainedModel, request: ListingRequest): Promise<TopicsListing>;
};
