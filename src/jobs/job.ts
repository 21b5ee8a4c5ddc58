// What the command line asks of a host process, and what comes back, as plain data: the guardian
// sends one Job over the process channel and receives JobEvents, then one JobDone or one fault.
import type { TopicsAsk } from '../models/topics/report/details.ts';
import type { TopicsListing } from '../models/topics/report/listing.ts';
import type { TopicRow } from '../models/topics/report/table.ts';
import type { ClusterPlace } from '../base/place.ts';
import type { CorpusOptions, TextOptions } from '../data/load-corpus.ts';
import type { Format } from '../data/tasks.ts';
import type { LinkStatistics } from '../mailbox/network.ts';
import type { ScheduleEvent } from '../mailbox/messages.ts';
import type { Sending } from '../program/plan.ts';
import type { Consistency, Policy } from '../ps/freshness.ts';
import type { NetworkOptions } from '../sim/options.ts';

/** How input is read; what is undefined is detected. */
export type InputOptions = {
  readonly format: Format | undefined;
  /** CSV: name or number of the label column, or `last`. */
  readonly label: string;
  readonly delimiter: string | undefined;
  readonly header: boolean | undefined;
  /** How documents are read. */
  readonly corpus?: CorpusReading;
};

export type CorpusReading = Pick<
  CorpusOptions,
  'vocabulary' | 'documents' | 'textColumn' | 'dateColumn' | 'nameColumn' | keyof TextOptions
>;

export type TrainJob = {
  readonly command: 'train';
  /** A built-in model's name, or the path of a module that exports `program`. */
  readonly model: string;
  readonly data: readonly string[];
  readonly test: readonly string[];
  /** Directory to save the model in; undefined saves nothing. */
  readonly out: string | undefined;
  readonly threads: number;
  readonly consistency: Consistency;
  readonly staleness: number;
  readonly partitions: number | undefined;
  readonly passes: number | undefined;
  readonly tolerance: number | undefined;
  readonly seed: number;
  readonly audit: boolean;
  readonly pushTimeoutMs: number;
  readonly input: InputOptions;
  /** Options of the model, checked against its OptionSpecs. */
  readonly options: ModelOptions;
  /** This host's place in a run of several; a run of one host has none. */
  readonly cluster?: ClusterPlace;
  /** How deltas travel between hosts; whole and at once when absent. */
  readonly sending?: Sending;
  /** Directory for the files of documents that are not kept in memory. */
  readonly spill?: string;
  /** Directory to write down in what `replay` needs. */
  readonly record?: string | undefined;
};

export type PredictJob = {
  readonly command: 'predict';
  readonly modelDirectory: string;
  readonly data: readonly string[];
  /** File to write, one prediction a line; undefined is standard output. */
  readonly out: string | undefined;
  readonly probabilities: boolean;
  readonly threads: number;
  readonly input: InputOptions;
};

export type EvaluateJob = {
  readonly command: 'evaluate';
  readonly modelDirectory: string;
  readonly data: readonly string[];
  readonly threads: number;
  readonly input: InputOptions;
};

/** The same train job on simulated hosts, under one policy after the other. */
export type SimulateJob = {
  readonly command: 'simulate';
  /** Its policy, threads and folder to save in do not count. */
  readonly train: TrainJob;
  readonly hosts: number;
  readonly threads: number;
  readonly network: NetworkOptions;
  /** Virtual time of the push of one partition, with its unit. */
  readonly push: string;
  /** Of delays, losses and stragglers; the job has its own. */
  readonly seed: number;
  readonly policies: readonly Policy[];
  /** Mean loss of a pass that counts as reached; undefined: a little above bsp's last. */
  readonly objective: number | undefined;
};

/** What a saved model of topics has to show. */
export type TopicsJob = {
  readonly command: 'topics';
  readonly modelDirectory: string;
  /** The documents that it was trained on, for their names and dates; none: they have numbers. */
  readonly data: readonly string[];
  readonly ask: TopicsAsk;
  readonly page: { readonly file: string; readonly title: string } | undefined;
  readonly threads: number;
  readonly input: InputOptions;
};

/** A recorded run again, on this machine, in one thread. */
export type ReplayJob = { readonly command: 'replay'; readonly directory: string };

export type Job = TrainJob | PredictJob | EvaluateJob | TopicsJob | SimulateJob | ReplayJob;

export type ModelOptions = Readonly<Record<string, number | string | boolean>>;

/** An option of a model: how the command line reads, checks and explains it. */
export type OptionSpec = {
  /** Without dashes: `learning-rate`. A boolean `x` is also `--no-x`. */
  readonly name: string;
  readonly type: 'number' | 'integer' | 'boolean' | 'choice' | 'text';
  readonly choices?: readonly string[];
  /** Undefined: chosen from the data when training starts. */
  readonly default: number | string | boolean | undefined;
  readonly minimum?: number;
  /** minimum itself is not allowed. */
  readonly exclusive?: boolean;
  readonly maximum?: number;
  /** What stands for the value in help: FILE, DIR, … */
  readonly placeholder?: string;
  /** Words for the default where it is not a plain value. */
  readonly defaultText?: string;
  readonly help: string;
};

export type Metrics = Readonly<Record<string, number>>;

export type JobEvent =
  /** Reading input: bytes of all files. */
  | { readonly kind: 'load'; readonly bytesDone: number; readonly bytesTotal: number }
  /** What was read, in words: rows, columns, classes. */
  | { readonly kind: 'facts'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }
  /** A step of training: names to numbers, e.g. pass, passes, objective, rmse, gap. */
  | { readonly kind: 'progress'; readonly clock: number; readonly values: Metrics }
  /** A phase that a schedule has begun. */
  | ScheduleEvent
  /** A line that a program printed. */
  | { readonly kind: 'log'; readonly thread: number; readonly line: string }
  /** Rank 0 of several hosts waits for the others here. */
  | { readonly kind: 'listening'; readonly host: string; readonly port: number }
  /** Predictions for standard output. */
  | { readonly kind: 'output'; readonly text: string };

/** What became of one λ of a path. */
export type PathPoint = {
  readonly lambda: number;
  readonly objective: number;
  readonly gap: number;
  readonly nonzeros: number;
  /** Of cross-validation: mean squared error over the folds, and its standard error. */
  readonly error?: number;
  readonly standardError?: number;
};

/** The largest topics, and the page that shows all. */
export type TopicsDone = {
  readonly rows: readonly TopicRow[];
  /** First year of the first and of the last period, where documents have dates. */
  readonly years?: readonly [number, number];
  /** The file that --page wrote. */
  readonly page?: string;
};

/** A λ path: the largest first, and which of them the model is of. */
export type Path = { readonly values: readonly PathPoint[]; readonly chosen: number };

export type TrainDone = {
  readonly model: string;
  readonly objective: number;
  readonly metrics: Metrics;
  /** Null where the solver measures no gap. */
  readonly converged: boolean | null;
  readonly gap: number | null;
  readonly tolerance: number | null;
  /** What the tolerance is a share of; absent where it is compared with the gap itself. */
  readonly gapScale?: number;
  readonly clocks: number;
  readonly passes: number;
  readonly threads: number;
  readonly hosts: number;
  readonly consistency: Consistency;
  readonly staleness: number;
  readonly seed: number;
  readonly seconds: { readonly load: number; readonly train: number; readonly total: number };
  readonly memoryBytesMax: number;
  readonly bytesSent: number;
  /** Traffic of this host with each of the others. */
  readonly links: readonly LinkStatistics[];
  readonly stalenessHistogram: readonly number[];
  /** Of models that were trained for several λ. */
  readonly path?: Path;
  /** Of models of topics. */
  readonly topics?: TopicsDone;
  readonly modelHash: string;
  /** p99 delay of the supervisor's event loop while training, milliseconds. */
  readonly eventLoopLagP99Ms: number;
  /** Where the model was saved. */
  readonly out: string | null;
};

/** A policy on virtual time. */
export type SimulatedPolicy = Policy & {
  /** Virtual seconds until the objective was reached; null when it was not. */
  readonly secondsToObjective: number | null;
  /** Virtual seconds of the whole training. */
  readonly seconds: number;
  /** The model's formula at the final parameters. */
  readonly objective: number;
  readonly clocks: number;
  /** Clocks that reads lagged behind, on average. */
  readonly meanStaleness: number;
  /** Share of the workers' time that they waited. */
  readonly waited: number;
  /** On average. */
  readonly bytesSentPerHost: number;
  /** When each pass ended, and its mean loss. */
  readonly passes: readonly { readonly seconds: number; readonly loss: number }[];
  readonly modelHash: string;
  readonly traceHash: string;
};

export type SimulateDone = {
  readonly model: string;
  readonly hosts: number;
  readonly threads: number;
  readonly seed: number;
  /** The mean loss that counts as reached; null when the program reports none. */
  readonly target: number | null;
  /** Virtual milliseconds of a push, and what one really took here at the median. */
  readonly pushMs: number;
  readonly measuredPushMs: number;
  readonly policies: readonly SimulatedPolicy[];
  /** Of all policies' traces: equal for equal seeds. */
  readonly traceHash: string;
};

export type ReplayDone = {
  readonly model: string;
  readonly hosts: number;
  readonly objective: number;
  /** Of the replayed and of the recorded model: they are equal. */
  readonly modelHash: string;
  /** Runs whose order was replayed, and others, which always end the same. */
  readonly runs: { readonly replayed: number; readonly plain: number };
};

export type JobDone =
  | { readonly command: 'replay'; readonly result: ReplayDone }
  | { readonly command: 'simulate'; readonly result: SimulateDone }
  | { readonly command: 'train'; readonly result: TrainDone }
  | { readonly command: 'predict'; readonly rows: number; readonly out: string | null }
  | {
      readonly command: 'evaluate';
      readonly model: string;
      readonly rows: number;
      readonly metrics: Metrics;
    }
  | { readonly command: 'topics'; readonly model: string; readonly listing: TopicsListing };

export type JobHooks = {
  onEvent(event: JobEvent): void;
  readonly signal: AbortSignal;
};
