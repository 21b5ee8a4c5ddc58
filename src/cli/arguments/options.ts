// The options of the command line as data: the parser reads them, the help prints them, so neither
// can say something that the other does not do.
import { limits } from '../../base/limits.ts';
import type { OptionSpec } from '../../jobs/job.ts';

export type CommandOption = Omit<OptionSpec, 'type'> & {
  /** switch: no value and no --no- form; the others as in OptionSpec. */
  readonly type: OptionSpec['type'] | 'switch';
  /** May be given several times; its value is a list. */
  readonly repeatable?: boolean;
  readonly short?: string;
};

const text = (name: string, placeholder: string, help: string): CommandOption => ({
  ...{ name, type: 'text', placeholder, help, default: undefined },
});
const flag = (name: string, help: string): CommandOption => ({
  ...{ name, type: 'switch', help, default: undefined },
});

export const commonOptions: readonly CommandOption[] = [
  flag('quiet', 'no progress; only warnings, errors and the result'),
  flag('verbose', 'stacks of errors'),
  flag('no-color', 'no colours (also: the environment variable NO_COLOR)'),
  { ...flag('help', 'this text'), short: 'h' },
  flag('version', 'the version'),
];

/** How documents are read, of models that train on them. */
const corpusOptions: readonly CommandOption[] = [
  {
    ...text(
      'vocabulary',
      'FILE',
      'documents: their words, one a line, in order; of texts, no others',
    ),
    defaultText: "the texts' own",
  },
  {
    ...{ name: 'documents', type: 'choice', choices: ['files', 'lines'], default: undefined },
    ...{ defaultText: 'files of a folder, lines of a file' },
    help: 'texts: what a document is',
  },
  {
    ...text(
      'stop-words',
      'WHICH',
      'words left out: english, none, or a file; of counts with --vocabulary',
    ),
    defaultText: 'texts: english',
  },
  {
    ...{ name: 'min-df', type: 'integer', default: undefined, defaultText: '2', minimum: 1 },
    help: 'texts: fewest documents that have a word',
  },
  {
    ...{ name: 'max-df', type: 'number', default: undefined, defaultText: '1' },
    ...{ minimum: 0, exclusive: true, maximum: 1 },
    help: 'texts: largest share of the documents that have a word',
  },
  {
    ...{ name: 'min-length', type: 'integer', default: undefined, defaultText: '2', minimum: 1 },
    help: 'texts: letters of the shortest word',
  },
  { ...text('text-column', 'COLUMN', 'texts in csv: name or number'), defaultText: 'text' },
  {
    ...text('date-column', 'COLUMN', 'texts in csv: year, YYYY-MM or YYYY-MM-DD'),
    defaultText: 'date or year, if there is one',
  },
  {
    ...text('name-column', 'COLUMN', 'texts in csv: what a document is called'),
    defaultText: 'name or title, if there is one',
  },
];

export const inputOptions: readonly CommandOption[] = [
  {
    ...{ name: 'format', type: 'choice', default: undefined, defaultText: 'detected' },
    choices: ['libsvm', 'mtx', 'csv', 'ratings', 'idx', 'bow', 'lda-c', 'text'],
    help: 'format of the data',
  },
  { ...text('label', 'COLUMN', 'csv: name or number of the label column'), defaultText: 'last' },
  { ...text('delimiter', 'CHAR', 'csv: one character, or tab'), defaultText: 'detected' },
  {
    ...{ name: 'header', type: 'boolean', default: undefined, defaultText: 'detected' },
    help: 'csv: the first line has names',
  },
  ...corpusOptions,
];

const threads: CommandOption = {
  ...{ name: 'threads', type: 'integer', default: undefined, defaultText: 'one per core' },
  ...{ minimum: 1, maximum: limits.workersMax },
  help: 'worker threads',
};

const deadline: CommandOption = {
  ...{ name: 'deadline', type: 'number', default: undefined, defaultText: 'none' },
  // setTimeout holds 31 bits of milliseconds.
  ...{ minimum: 0, exclusive: true, maximum: 2_000_000, placeholder: 'SECONDS' },
  help: 'end with exit code 124 when it is not done by then',
};

const json = flag('json', 'results as JSON, one object a line');

export const trainOptions: readonly CommandOption[] = [
  { ...text('test', 'FILE', 'data to evaluate on; may be repeated'), repeatable: true },
  { ...text('out', 'DIR', 'folder to save the model in'), defaultText: 'not saved' },
  threads,
  {
    ...{ name: 'consistency', type: 'choice', default: 'essp' },
    choices: ['bsp', 'ssp', 'essp', 'async', 'auto'],
    help: 'which updates of others a read may miss',
  },
  {
    ...{
      name: 'staleness',
      type: 'integer',
      default: 1,
      defaultText: '1; 0 with bsp, 8 with auto',
      minimum: 0,
    },
    help: 'clocks that a read may lag behind; with auto, at most',
  },
  {
    ...{ name: 'passes', type: 'integer', default: undefined, minimum: 1 },
    ...{ defaultText: "the model's" },
    help: 'most passes over the data',
  },
  {
    ...{ name: 'tolerance', type: 'number', default: undefined, minimum: 0 },
    ...{ defaultText: "the model's" },
    help: 'stop when converged to this',
  },
  {
    ...{ name: 'seed', type: 'integer', default: 1, minimum: 0, maximum: 2 ** 32 - 1 },
    help: 'seed of everything random',
  },
  deadline,
  json,
  flag('audit', 'check reads against their staleness bound, schedules against their conflicts'),
  {
    ...text('record', 'DIR', 'folder for what perpetuum replay needs, host-R for each host'),
    defaultText: 'not recorded',
  },
  {
    ...text('spill', 'DIR', 'documents are kept in files in this folder, not in memory'),
    defaultText: 'in memory',
  },
  {
    ...{ name: 'partitions', type: 'integer', default: undefined, minimum: 1 },
    ...{ defaultText: "the model's" },
    help: 'partitions of the data',
  },
  {
    ...{ name: 'push-timeout', type: 'number', default: limits.pushTimeoutMs / 1000 },
    ...{ minimum: 0, exclusive: true, maximum: 2_000_000, placeholder: 'SECONDS' },
    help: 'a push that takes longer is taken for an endless loop',
  },
  {
    ...text('set', 'NAME=VALUE', 'option of a program of your own; may be repeated'),
    repeatable: true,
  },
];

/** How deltas travel between the hosts of a run. */
export const sendingOptions: readonly CommandOption[] = [
  {
    ...{ name: 'link-rate', type: 'number', default: undefined, defaultText: 'no limit' },
    ...{ minimum: 0, exclusive: true, placeholder: 'MBIT' },
    help: 'megabits per second that each link between hosts may use',
  },
  flag('send-early', 'deltas and values go before their clock ends when links are idle'),
  {
    ...{ name: 'send-order', type: 'choice', default: 'magnitude' },
    choices: ['magnitude', 'random', 'first'],
    help: 'which rows go first then: by relative change, at random, in order',
  },
  {
    ...{ name: 'delta-encoding', type: 'choice', default: 'full' },
    choices: ['full', 'f16', 'bf16'],
    help: 'numbers of deltas on the wire; what rounding leaves is sent later',
  },
];

/** How a train becomes one host of a run that something else starts. */
export const joinOptions: readonly CommandOption[] = [
  {
    ...{ name: 'host-rank', type: 'integer', default: undefined, minimum: 0 },
    ...{ placeholder: 'R', defaultText: "the launcher's" },
    help: 'rank of this host, from 0',
  },
  {
    ...{ name: 'world-size', type: 'integer', default: undefined, minimum: 1 },
    ...{ maximum: limits.hostsMax, defaultText: "the launcher's" },
    help: 'hosts of the run',
  },
  {
    ...text('master', 'HOST:PORT', 'where rank 0 listens for the others'),
    defaultText: "the launcher's",
  },
  {
    ...text('secret', 'FILE', 'what all hosts of the run know: 16 bytes or more, from anywhere'),
    defaultText: 'none; needed off loopback',
  },
  flag('insecure', 'plain connections to other hosts, on a network that is yours alone'),
];

export const launchOptions: readonly CommandOption[] = [
  {
    ...{ name: 'local', type: 'integer', default: undefined, defaultText: 'none' },
    ...{ minimum: 1, maximum: limits.workersMax },
    help: 'so many hosts, all on this machine',
  },
  {
    ...text('host', 'a:2,b:2', 'hosts, and worker threads of each, without :N one per core'),
    ...{ short: 'H', defaultText: 'none' },
  },
  { ...text('hosts', 'FILE', 'hosts, one a line (below)'), defaultText: 'none' },
  {
    ...{ name: 'port', type: 'integer', default: undefined, defaultText: 'a free one' },
    ...{ minimum: 1, maximum: 65535 },
    help: 'port of rank 0',
  },
  {
    ...text('secret', 'FILE', 'what the hosts know and nobody else: 16 bytes or more'),
    defaultText: 'made for each run',
  },
  flag('insecure', 'plain connections between hosts, on a network that is yours alone'),
  { ...text('ssh', 'COMMAND', 'what reaches other hosts, with its options'), defaultText: 'ssh' },
  flag('dry-run', 'print the plan and start nothing'),
];

export const simulateOptions: readonly CommandOption[] = [
  {
    ...{ name: 'hosts', type: 'integer', default: 4, minimum: 2, maximum: limits.workersMax },
    help: 'simulated hosts',
  },
  {
    ...{ name: 'threads', type: 'integer', default: 1, minimum: 1, maximum: limits.workersMax },
    help: 'worker threads of each',
  },
  {
    ...text(
      'straggler',
      'HOW',
      '3x: the last host is 3 times slower; or transient, frozen (below)',
    ),
    defaultText: 'none',
  },
  { ...text('latency', 'TIME', 'one way, between any two hosts'), defaultText: '0ms' },
  { ...text('jitter', 'TIME', 'added to it: anything from 0 to this'), defaultText: '0ms' },
  { ...text('bandwidth', 'RATE', 'what a host can send or receive'), defaultText: 'no limit' },
  { ...text('loss', 'SHARE', 'segments that TCP has to send again'), defaultText: '0%' },
  { ...text('push', 'TIME', 'virtual time of the push of one partition'), defaultText: '5ms' },
  {
    ...{ name: 'sim-seed', type: 'integer', default: 1, minimum: 0, maximum: 2 ** 32 - 1 },
    help: 'seed of delays, losses and stragglers',
  },
  {
    ...text('only', 'LIST', 'policies, such as essp:4,ssp:1,auto,async; and bsp, to compare with'),
    defaultText: 'bsp,ssp:1,ssp:2,ssp:4,ssp:8,essp:1,essp:4,auto',
  },
  {
    ...{ name: 'objective', type: 'number', default: undefined, minimum: 0, exclusive: true },
    ...{ defaultText: "1.001 × bsp's last pass" },
    help: 'mean loss of a pass that is to be reached',
  },
  deadline,
  flag('json', 'one line of JSON for each policy, and one for all'),
];

/** Options of the stable command line that this version refuses. */
export const laterOptions: Readonly<Record<string, string>> = {
  slurm: 'is not in this version: under srun, perpetuum train joins by itself',
  kubernetes: 'is not in this version',
  checkpoint: 'arrives with fault tolerance: this version saves the model at the end, with --out',
};

export const predictOptions: readonly CommandOption[] = [
  { ...text('out', 'FILE', 'file to write, one prediction a line'), defaultText: 'stdout' },
  flag('probabilities', 'probability of every class instead of the class'),
  threads,
  deadline,
  flag('json', 'errors as JSON, too'),
];

export const evaluateOptions: readonly CommandOption[] = [threads, deadline, json];

export const topicsOptions: readonly CommandOption[] = [
  {
    ...{ name: 'by', type: 'choice', choices: ['relevance', 'weight', 'lift'] },
    ...{ default: 'relevance', help: 'which words of a topic come first' },
  },
  {
    ...{ name: 'words', type: 'integer', default: 12, minimum: 1, maximum: 1000 },
    help: 'words of each topic',
  },
  {
    ...{ name: 'show', type: 'integer', default: 20, minimum: 1, maximum: 100_000 },
    help: 'topics, the largest first',
  },
  {
    ...{ name: 'topic', type: 'integer', default: undefined, minimum: 0, defaultText: 'all' },
    help: 'one topic: words with their scores, nearest topics, typical documents',
  },
  {
    ...text('page', 'FILE', 'write a page that shows the topics in a browser'),
    defaultText: 'none',
  },
  { ...text('title', 'TEXT', 'heading of the page'), default: 'Topics' },
  deadline,
  flag('json', 'a line of JSON for each topic shown: words, nearest topics, typical documents'),
];

/** The demo is a `train`; these are handed on to it. */
export const demoOptions: readonly CommandOption[] = [
  { ...text('out', 'DIR', 'folder to save the model in'), defaultText: './model' },
  ...trainOptions.filter(({ name }) =>
    ['threads', 'passes', 'seed', 'deadline', 'json'].includes(name),
  ),
];

export const commands = {
  train: 'train a model',
  predict: 'apply a saved model to data',
  evaluate: 'score a saved model on data',
  topics: 'show the topics of a saved model',
  launch: 'train on several hosts',
  simulate: 'compare policies on simulated hosts',
  replay: 'repeat a recorded run, bit for bit',
  models: 'list the models',
  doctor: 'check this machine',
  demo: 'train on the data that comes with the package',
} as const;

export type CommandName = keyof typeof commands;
export const commandNames = Object.keys(commands) as readonly CommandName[];

/** Commands of the stable command line that this version refuses. */
export const laterCommands = ['profile', 'convert', 'status'] as const;

/** The options of a command besides the common ones. */
export function optionsOf(command: CommandName): readonly CommandOption[] {
  switch (command) {
    case 'train':
      return [...trainOptions, ...sendingOptions, ...joinOptions, ...inputOptions];
    case 'predict':
      return [...predictOptions, ...inputOptions];
    case 'evaluate':
      return [...evaluateOptions, ...inputOptions];
    case 'topics':
      return [...topicsOptions, ...inputOptions];
    case 'launch':
      return launchOptions;
    case 'simulate':
      return simulateOptions;
    case 'replay':
      return [deadline, json];
    case 'demo':
      return demoOptions;
    case 'models':
    case 'doctor':
      return [];
  }
}
