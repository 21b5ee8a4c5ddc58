// Command line → Request: the configuration of everything below, checked once and here.
//
//   argv ── command ── MODEL (train) ── grammar ── values ── Request
//
// The options of `train` depend on MODEL, and options may stand before it. So MODEL is found first,
// with the options of all models, and then the line is read with that model's own.
import { assert } from '../../base/assert.ts';
import { isProgramPath } from '../../base/program-path.ts';
import { policyFrom, type Consistency, type Policy } from '../../ps/freshness.ts';
import { limits } from '../../base/limits.ts';
import type { Job, OptionSpec, TrainJob } from '../../jobs/job.ts';
import type { JoinOptions } from '../../launcher/join.ts';
import { helpText } from './help.ts';
import { checkData, inputOf, threadsOf } from './input.ts';
import { readLaunch, type LaunchRequest } from './launch.ts';
import { checkTrainLine } from './train-line.ts';
import { parseScoring, parseTopics } from './scoring.ts';
import { readSimulate, simulateJobOf } from './simulate.ts';
import { commandNames, commonOptions, laterCommands, optionsOf } from './options.ts';
import type { CommandName, CommandOption } from './options.ts';
import { givenOptions, ownOptions } from './model-options.ts';
import { didYouMean } from './suggest.ts';
import { isOption, readArguments, unknownOption, usage, type Values } from './values.ts';

/** What the command line needs to know of a model. */
export type ModelInfo = {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  readonly defaultPasses: number | string;
};

/** How to show what happens. */
export type View = {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly noColor: boolean;
};

export type JobRequest = {
  readonly kind: 'job';
  readonly job: Job;
  /** Of a train: what was said of other hosts, and --threads if it was given. */
  readonly join?: JoinOptions;
  readonly threads: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly view: View;
};

export type Request =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'models' }
  | { readonly kind: 'doctor'; readonly view: View }
  /** `extra` are the options that the demo hands on to train. */
  | { readonly kind: 'demo'; readonly extra: readonly string[]; readonly out: string }
  | { readonly kind: 'launch'; readonly launch: LaunchRequest; readonly train: JobRequest }
  | JobRequest;

type Read = { readonly positionals: readonly string[]; readonly values: Values };

const overview = 'perpetuum --help lists the commands';

/** The command, and all other arguments in their order. @throws ERR_CONFIG if there is none. */
function splitCommand(argv: readonly string[]): { command: CommandName; args: readonly string[] } {
  const at = argv.findIndex((argument) => !isOption(argument));
  const before = at < 0 ? argv : argv.slice(0, at);
  const unknownHint = 'options of a command stand after it: perpetuum train MODEL DATA --threads 2';
  readArguments(before, { options: commonOptions, context: 'perpetuum', unknownHint });
  const word = argv[at];
  if (word === undefined) {
    throw usage('a command is missing', `perpetuum demo is a first run; ${overview}`);
  }
  const command = commandNames.find((name) => name === word);
  if (command) return { command, args: [...before, ...argv.slice(at + 1)] };
  if (laterCommands.some((name) => name === word)) {
    const next = `this version has ${commandNames.join(', ')}`;
    throw usage(`the command "${word}" is not in this version`, next);
  }
  throw usage(`there is no command "${word}"${didYouMean(word, commandNames)}`, overview);
}

function modelOptions(model: ModelInfo): readonly CommandOption[] {
  const own = optionsOf('train');
  for (const { name } of model.options) {
    const clash = [...own, ...commonOptions].some((option) => option.name === name);
    assert(!clash, `option --${name} of ${model.name} is not an option of train`);
  }
  return model.options;
}

/** MODEL of a train line: its first argument that is neither an option nor an option's value. */
function findModelName(args: readonly string[], models: readonly ModelInfo[]): string | undefined {
  const options = [...optionsOf('train'), ...commonOptions, ...models.flatMap(modelOptions)];
  const grammar = { options, context: 'perpetuum train' };
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? '';
    if (argument === '--') return args[at + 1];
    if (!isOption(argument)) return argument;
    const name = argument.replace(/^--?/, '').replace(/=.*/s, '');
    const known = options.find((option) => option.name === name || option.short === name);
    if (known === undefined) {
      if (options.some((option) => `no-${option.name}` === name)) continue;
      throw unknownOption(name, grammar);
    }
    const alone = known.type === 'switch' || known.type === 'boolean';
    if (!alone && !argument.includes('=')) at += 1;
  }
  return undefined;
}

function findModel(name: string, models: readonly ModelInfo[]): ModelInfo {
  const model = models.find((candidate) => candidate.name === name);
  if (model) return model;
  const names = models.map((candidate) => candidate.name);
  const next =
    'perpetuum models lists the models; a program of your own is a path that ends in .js or .mjs';
  throw usage(`there is no model "${name}"${didYouMean(name, names)}`, next);
}

function policyOf(values: Values): Policy {
  return policyFrom(
    values.text('consistency') as Consistency | undefined,
    values.number('staleness'),
  );
}

type Sending = NonNullable<TrainJob['sending']>;

function sendingOf(values: Values): Sending {
  const megabits = values.number('link-rate');
  return {
    bytesPerSecond: megabits === undefined ? undefined : (megabits * 1e6) / 8,
    early: values.flag('send-early'),
    order: (values.text('send-order') ?? 'magnitude') as Sending['order'],
    encoding: (values.text('delta-encoding') ?? 'full') as Sending['encoding'],
  };
}

function parseTrain(args: readonly string[], models: readonly ModelInfo[]): Read & { job: Job } {
  const name = findModelName(args, models);
  if (name === undefined) {
    throw usage('perpetuum train needs MODEL and DATA', 'perpetuum models lists the models');
  }
  if (/\.[cm]?ts$/.test(name)) {
    const next = 'compile it to a .js or .mjs file';
    throw usage(`a program of your own must be JavaScript, got "${name}"`, next);
  }
  const own = isProgramPath(name);
  const model = own ? undefined : findModel(name, models);
  const context = `perpetuum train ${name}`;
  const read = readArguments(args, {
    options: [...(model ? modelOptions(model) : []), ...optionsOf('train'), ...commonOptions],
    context,
    ...(own && { unknownHint: "a program's own options are given as --set NAME=VALUE" }),
  });
  const { positionals, values } = read;
  const settings = values.list('set');
  if (!own && settings.length > 0) {
    const rule = '--set is for programs of your own';
    throw usage(`${rule}, got "${settings[0]}"`, `${context} --help lists the options of ${name}`);
  }
  const record = values.text('record');
  const spill = values.text('spill');
  const job: TrainJob = {
    command: 'train',
    model: name,
    data: checkData(positionals.slice(1), context),
    test: values.list('test'),
    out: values.text('out'),
    threads: threadsOf(values),
    ...policyOf(values),
    partitions: values.number('partitions'),
    passes: values.number('passes'),
    tolerance: values.number('tolerance'),
    seed: values.number('seed') ?? 1,
    audit: values.flag('audit'),
    pushTimeoutMs: (values.number('push-timeout') ?? limits.pushTimeoutMs / 1000) * 1000,
    input: inputOf(values),
    options: model ? givenOptions(model, values) : ownOptions(settings),
    sending: sendingOf(values),
    ...(record !== undefined && { record }),
    ...(spill !== undefined && { spill }),
  };
  return { ...read, job };
}

function viewOf(values: Values, has: { json: boolean }): View {
  return {
    json: has.json && values.flag('json'),
    quiet: values.flag('quiet'),
    verbose: values.flag('verbose'),
    noColor: values.flag('no-color'),
  };
}

function joinOf(values: Values): JoinOptions {
  return {
    ...{ rank: values.number('host-rank'), size: values.number('world-size') },
    ...{ master: values.text('master'), secret: values.text('secret') },
    insecure: values.flag('insecure'),
  };
}

function parseLaunch(args: readonly string[], models: readonly ModelInfo[]): Request {
  const { launch, rest, values } = readLaunch(args);
  const train = parse(rest, models);
  if (train.kind !== 'job') return train;
  checkTrainLine(train, 'launch');
  const own = viewOf(values, { json: false });
  const { json, quiet, verbose, noColor } = train.view;
  const view = {
    ...{ json, quiet: quiet || own.quiet, verbose: verbose || own.verbose },
    noColor: noColor || own.noColor,
  };
  return { kind: 'launch', launch, train: { ...train, view } };
}

function parseReplay(args: readonly string[]): JobRequest {
  const context = 'perpetuum replay';
  const options = [...optionsOf('replay'), ...commonOptions];
  const { positionals, values } = readArguments(args, { options, context });
  const [directory, extra] = positionals;
  if (directory === undefined || extra !== undefined) {
    const next = 'DIR is the folder that perpetuum train --record wrote';
    throw usage(`${context} needs one DIR, got ${positionals.length}`, next);
  }
  const seconds = values.number('deadline');
  const deadlineMs = seconds === undefined ? undefined : seconds * 1000;
  const job = { command: 'replay', directory } as const;
  return { kind: 'job', job, deadlineMs, view: viewOf(values, { json: true }), threads: 1 };
}

function parseSimulate(args: readonly string[], models: readonly ModelInfo[]): Request {
  const { rest, values } = readSimulate(args);
  const train = parse(rest, models);
  if (train.kind !== 'job') return train;
  const own = viewOf(values, { json: true });
  const view = {
    ...{ json: own.json || train.view.json, quiet: own.quiet || train.view.quiet },
    verbose: own.verbose || train.view.verbose,
    noColor: own.noColor || train.view.noColor,
  };
  const seconds = values.number('deadline');
  const deadlineMs = seconds === undefined ? train.deadlineMs : seconds * 1000;
  const job = simulateJobOf(values, train);
  return { kind: 'job', job, deadlineMs, view, threads: job.threads };
}

/** A command that takes nothing but options. */
function parsePlain(command: 'models' | 'doctor' | 'demo', args: readonly string[]): Read {
  const context = `perpetuum ${command}`;
  const options = [...optionsOf(command), ...commonOptions];
  const read = readArguments(args, { options, context });
  const [extra] = read.positionals;
  if (extra !== undefined) {
    throw usage(`${context} takes no arguments, got "${extra}"`, `write ${context}`);
  }
  return read;
}

/** The demo's options as arguments of the train line that it stands for. */
function parseDemo(args: readonly string[]): Request {
  const { values } = parsePlain('demo', args);
  const extra = [...optionsOf('demo'), ...commonOptions].flatMap(({ name }) => {
    const value = values.get(name);
    if (value === undefined || name === 'out') return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
  return { kind: 'demo', extra, out: values.text('out') ?? './model' };
}

/** --help anywhere wins over every error in the rest of the line. */
function parseHelp(argv: readonly string[], models: readonly ModelInfo[]): Request | undefined {
  const end = argv.indexOf('--');
  const line = end < 0 ? argv : argv.slice(0, end);
  const asked = line.some((argument) => argument === '--help' || argument === '-h');
  const words = line.filter((argument) => !isOption(argument));
  if (!asked && words[0] !== 'help') return undefined;
  const [word, ...rest] = words[0] === 'help' ? words.slice(1) : words;
  if (word === undefined) return { kind: 'help', text: helpText({ models }) };
  const { command } = splitCommand([word]);
  // An option's value may stand before MODEL, so any word that is a model's name is taken for it.
  const model = command === 'train' ? models.find(({ name }) => rest.includes(name)) : undefined;
  return { kind: 'help', text: helpText({ models, command, ...(model && { model }) }) };
}

function readJob(
  command: 'train' | 'predict' | 'evaluate' | 'topics',
  args: readonly string[],
  models: readonly ModelInfo[],
): Read & { job: Job } {
  if (command === 'train') return parseTrain(args, models);
  return command === 'topics' ? parseTopics(args) : parseScoring(command, args);
}

/** @throws ERR_CONFIG with the first rule that the command line breaks. */
export function parse(argv: readonly string[], models: readonly ModelInfo[]): Request {
  const help = parseHelp(argv, models);
  if (help) return help;
  const end = argv.indexOf('--');
  if (argv.slice(0, end < 0 ? undefined : end).includes('--version')) return { kind: 'version' };
  const { command, args } = splitCommand(argv);
  switch (command) {
    case 'models':
      parsePlain(command, args);
      return { kind: 'models' };
    case 'doctor':
      return { kind: 'doctor', view: viewOf(parsePlain(command, args).values, { json: false }) };
    case 'demo':
      return parseDemo(args);
    case 'train':
    case 'predict':
    case 'evaluate':
    case 'topics': {
      const read = readJob(command, args, models);
      const seconds = read.values.number('deadline');
      const deadlineMs = seconds === undefined ? undefined : seconds * 1000;
      const view = viewOf(read.values, { json: true });
      const threads = read.values.number('threads');
      const join = command === 'train' ? { join: joinOf(read.values) } : {};
      return { kind: 'job', job: read.job, deadlineMs, view, threads, ...join };
    }
    case 'launch':
      return parseLaunch(args, models);
    case 'simulate':
      return parseSimulate(args, models);
    case 'replay':
      return parseReplay(args);
  }
}
