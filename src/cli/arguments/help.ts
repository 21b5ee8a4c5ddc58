// The help texts, made from the option tables: what is printed is what is parsed.
import { commandNames, commands, commonOptions, inputOptions, laterCommands } from './options.ts';
import { optionsOf } from './options.ts';
import { demoOptions, evaluateOptions, joinOptions, launchOptions } from './options.ts';
import { simulateOptions } from './options.ts';
import { sendingOptions } from './options.ts';
import { predictOptions, topicsOptions, trainOptions } from './options.ts';
import type { CommandName, CommandOption } from './options.ts';
import type { ModelInfo } from './parse.ts';
import { rangeText } from './values.ts';

const helpColumns = 34;
const lineColumns = 96;

/** Words in lines of at most `lineColumns`, the later ones indented by `indent`. */
function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > lineColumns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}

function row(left: string, right: string): string {
  const gap = left.length < helpColumns - 3;
  const head = gap
    ? `  ${left}`.padEnd(helpColumns)
    : `  ${left}\n`.concat(' '.repeat(helpColumns));
  return head + wrap(right, helpColumns);
}

function spelling(option: CommandOption): string {
  const { name, type, short, placeholder, choices = [] } = option;
  switch (type) {
    case 'switch':
      return short === undefined ? `--${name}` : `-${short}, --${name}`;
    case 'boolean':
      return `--${name}, --no-${name}`;
    case 'choice':
      return `--${name} ${choices.join('|')}`;
    case 'text':
    case 'number':
    case 'integer':
      return `${short === undefined ? '' : `-${short}, `}--${name} ${placeholder ?? (type === 'integer' ? 'N' : 'X')}`;
  }
}

function defaultOf(option: CommandOption): string {
  const { defaultText, type } = option;
  if (defaultText !== undefined) return defaultText;
  if (option.default === undefined) return 'chosen from the data';
  if (type === 'boolean') return option.default === true ? 'yes' : 'no';
  return String(option.default);
}

/** One option: what it does, its rule, its default. */
function optionRow(option: CommandOption): string {
  const numeric = option.type === 'number' || option.type === 'integer';
  const ruled = numeric && (option.minimum !== undefined || option.maximum !== undefined);
  const hasDefault = option.type !== 'switch' && option.repeatable !== true;
  const facts = [
    ...(ruled ? [rangeText(option)] : []),
    ...(hasDefault ? [`default: ${defaultOf(option)}`] : []),
  ];
  const tail = facts.length > 0 ? ` (${facts.join('; ')})` : '';
  return row(spelling(option), option.help + tail);
}

function section(title: string, rows: readonly string[]): string {
  return rows.length === 0 ? '' : `\n${title}\n${rows.join('\n')}\n`;
}

const options = (title: string, list: readonly CommandOption[]) =>
  section(title, list.map(optionRow));

const exitCodes =
  '\nExit codes: 0 done, 1 internal error or failed program, 2 usage, 3 data, 4 peer lost, ' +
  '5 diverged,\n6 staleness bound or schedule broken, 7 unreadable model, 124 deadline passed, ' +
  '128+n signal n.\n';

/** What stands after a command's name. */
const operands: Readonly<Record<CommandName, string>> = {
  ...{ train: 'MODEL DATA…', predict: 'MODELDIR DATA…', evaluate: 'MODELDIR DATA…' },
  ...{ topics: 'MODELDIR [DATA…]', simulate: '--hosts N -- train …', replay: 'DIR' },
  ...{ launch: 'HOSTS -- train …', models: '', doctor: '', demo: '' },
};

function overview(models: readonly ModelInfo[]): string {
  const commandRows = commandNames.map((name) =>
    row([name, operands[name]].join(' ').trim(), commands[name]),
  );
  return [
    'perpetuum: machine learning on every core of this machine\n',
    '\nUsage: perpetuum COMMAND [arguments] [options]\n',
    section('Commands:', commandRows),
    section('Models of train:', modelRows(models)),
    options('Options of all commands:', commonOptions),
    '\nFirst steps:\n',
    '  perpetuum doctor                                is this machine ready?\n',
    '  perpetuum demo                                  train on data that comes along\n',
    '  perpetuum train mlr train.csv --test test.csv --out model\n',
    '  perpetuum predict model new.csv\n',
    exitCodes,
    `Not in this version: ${laterCommands.join(', ')}.\n`,
    'perpetuum COMMAND --help and perpetuum train MODEL --help say more.\n',
  ].join('');
}

function modelRows(models: readonly ModelInfo[]): string[] {
  return models.map(({ name, summary }) => row(name, summary));
}

const dataText =
  '\nDATA is one or more files, .gz or not: libsvm, Matrix Market, CSV, ratings, or idx (images, ' +
  'then\nlabels); for models of documents counts of words (libsvm, lda-c, UCI bag of words, Matrix ' +
  'Market),\nor texts: a folder of files, a file of lines, or a CSV column. The format is detected ' +
  'and can be\nforced with --format.\n';

const joinText =
  '\nUnder torchrun, mpirun (Open MPI, MPICH) and srun, every process of perpetuum train becomes ' +
  'one\nhost of the run; with the options above, under anything else. Rank 0 prints the result ' +
  'and saves\nthe model.\n';

function trainHelp(models: readonly ModelInfo[]): string {
  return [
    'perpetuum train: trains a model\n',
    '\nUsage: perpetuum train MODEL DATA… [options] [options of the model]\n',
    section('MODEL is one of', modelRows(models)),
    '\n  or the path of a program of your own: a .js or .mjs module that exports `program`.\n',
    '  Its own options are given as --set NAME=VALUE; numbers and true/false are parsed.\n',
    dataText,
    options('Options:', trainOptions),
    options('Input:', inputOptions),
    options('Between hosts:', sendingOptions),
    options('Joining other hosts:', joinOptions),
    joinText,
    options('Options of all commands:', commonOptions),
    '\nExamples:\n',
    '  perpetuum train mlr a9a.gz --test a9a.t.gz --out model\n',
    '  perpetuum train ./my-program.mjs data.csv --set rate=0.1\n',
    '\nperpetuum train MODEL --help lists the options of a model.\n',
  ].join('');
}

function modelHelp(model: ModelInfo): string {
  const { name, summary, defaultPasses } = model;
  return [
    `perpetuum train ${name}: ${summary}\n`,
    `\nUsage: perpetuum train ${name} DATA… [options]\n`,
    dataText,
    options(`Options of ${name}:`, model.options),
    options(
      'Options of train:',
      trainOptions
        .filter((option) => option.name !== 'set')
        .map((option) =>
          option.name === 'passes' ? { ...option, defaultText: String(defaultPasses) } : option,
        ),
    ),
    options('Input:', inputOptions),
    options('Between hosts:', sendingOptions),
    options('Joining other hosts:', joinOptions),
    options('Options of all commands:', commonOptions),
    '\nExample:\n',
    `  perpetuum train ${name} train.data --test test.data --out model\n`,
  ].join('');
}

function launchHelp(): string {
  return [
    'perpetuum launch: trains on several hosts\n',
    '\nUsage: perpetuum launch (--local N | -H a:2,b:2 | --hosts FILE) [options] -- train MODEL …\n',
    '\nStarts one host process per host, on this machine or by ssh, with the job behind `--`. Code\n',
    'goes over the connection: a host needs Node.js and an ssh login without a password, nothing\n',
    'else. Data is read by each host at the path given, and a program of your own, too. Rank 0 is\n',
    'the first host: it prints the result and saves the model. What hosts say begins with [rank\n',
    'host]. Ctrl-C stops all, a second one kills them.\n',
    options('Options:', launchOptions),
    '\nFILE has one host a line: `name slots=N`, N worker threads, without slots one per core; or\n',
    '`id address port`, as Bösen has it. `user@name` is a name, too; # begins a comment.\n',
    options('Options of all commands:', commonOptions),
    '\nExamples:\n',
    '  perpetuum launch --local 2 -- train mlr a9a.gz --out model\n',
    '  perpetuum launch -H a:8,b:8 --dry-run -- train mf ratings.csv --passes 20\n',
    '  perpetuum launch --hosts hosts.txt --ssh "ssh -p 2222" -- train mlr data.csv\n',
  ].join('');
}

function topicsHelp(): string {
  return [
    'perpetuum topics: shows the topics of a saved model\n',
    '\nUsage: perpetuum topics MODELDIR [DATA…] [options]\n',
    '\nMODELDIR is the folder that perpetuum train lda (or medlda) --out wrote. DATA are the files\n',
    'that it was trained on, again: only they know the names and dates of documents.\n',
    options('Options:', topicsOptions),
    options('Input:', inputOptions),
    options('Options of all commands:', commonOptions),
    '\nExamples:\n',
    '  perpetuum topics model --by lift --show 50\n',
    '  perpetuum topics model speeches.csv --topic 7\n',
    '  perpetuum topics model speeches.csv --page topics.html\n',
  ].join('');
}

function replayHelp(): string {
  return [
    'perpetuum replay: repeats a recorded run, bit for bit\n',
    '\nUsage: perpetuum replay DIR [options]\n',
    '\nDIR is what perpetuum train --record DIR wrote: a folder host-R for each host, all of them\n',
    'here. The run is repeated in one process and one thread, each thread and each packet in its\n',
    'recorded turn; the exit code is 1 when it ends with another model, or where it diverged\n',
    'first. Needs the same version, the same data, and kernels of the same kind.\n',
    options('Options:', optionsOf('replay')),
    options('Options of all commands:', commonOptions),
    '\nExample:\n',
    '  perpetuum launch --local 2 -- train mlr a9a.gz --solver sgd --record run1\n',
    '  perpetuum replay run1\n',
  ].join('');
}

function simulateHelp(): string {
  return [
    'perpetuum simulate: compares policies on simulated hosts\n',
    '\nUsage: perpetuum simulate [options] -- train MODEL DATA… [options]\n',
    '\nTrains once for each policy, bsp first, in one process and one thread: the real program on\n',
    'the real data, but the time of pushes and of the network is virtual. Every policy has the\n',
    'same partitions, the same order of rows, and stragglers at the same times. The objective is\n',
    "reached when a pass over the data has a mean loss of at most 1.001 times that of bsp's last\n",
    'pass, or at the end, when the objective is so low there. The same seeds give the same trace.\n',
    'A program with a schedule (mf, lasso, logistic, mlr by default) is simulated once: policies do\n',
    'not change it, and neither do stragglers or losses but for its time.\n',
    options('Options:', simulateOptions),
    '\nHOW may be transient:4clocks:50%: the workers of one host at a time, drawn at random, stand\n',
    'still for about as long as 4 clocks take, so that together they do for half of the time. With\n',
    'frozen in the place of transient all of the host does: it receives and answers nothing. TIME\n',
    'is a number with us, ms or s, RATE one with kbit, mbit, gbit, kB, MB or GB, SHARE one with %.\n',
    options('Options of all commands:', commonOptions),
    '\nExamples:\n',
    '  perpetuum simulate --hosts 16 --straggler 3x --latency 1ms -- train mlr a9a.gz --solver sgd\n',
    '  perpetuum simulate --straggler transient:4clocks:50% --only essp:4 -- train mlr a9a.gz \\\n',
    '    --solver sgd --passes 4\n',
  ].join('');
}

function commandHelp(command: CommandName, models: readonly ModelInfo[]): string {
  const common = options('Options of all commands:', commonOptions);
  switch (command) {
    case 'train':
      return trainHelp(models);
    case 'predict':
      return [
        'perpetuum predict: applies a saved model to data\n',
        '\nUsage: perpetuum predict MODELDIR DATA… [--out FILE] [--probabilities] [options]\n',
        '\nMODELDIR is the folder that perpetuum train --out wrote. Prints one prediction a line.\n',
        dataText,
        options('Options:', predictOptions),
        options('Input:', inputOptions),
        common,
      ].join('');
    case 'evaluate':
      return [
        'perpetuum evaluate: scores a saved model on data that has labels\n',
        '\nUsage: perpetuum evaluate MODELDIR DATA… [--json] [options]\n',
        dataText,
        options('Options:', evaluateOptions),
        options('Input:', inputOptions),
        common,
      ].join('');
    case 'topics':
      return topicsHelp();
    case 'launch':
      return launchHelp();
    case 'simulate':
      return simulateHelp();
    case 'replay':
      return replayHelp();
    case 'models':
      return `perpetuum models: lists the models\n\nUsage: perpetuum models\n${common}`;
    case 'doctor':
      return (
        'perpetuum doctor: checks this machine; exit code 1 when perpetuum cannot run on it\n' +
        `\nUsage: perpetuum doctor\n${common}`
      );
    case 'demo':
      return [
        'perpetuum demo: topics of the State of the Union addresses, which come with the package\n',
        '\nUsage: perpetuum demo [--out DIR] [options]\n',
        options('Options:', demoOptions),
        common,
      ].join('');
  }
}

type Topic = {
  readonly models: readonly ModelInfo[];
  readonly command?: CommandName;
  readonly model?: ModelInfo;
};

export function helpText({ models, command, model }: Topic): string {
  if (model) return modelHelp(model);
  return command === undefined ? overview(models) : commandHelp(command, models);
}

/** What `perpetuum models` prints. */
export function modelsText(models: readonly ModelInfo[]): string {
  const rows = models.map(({ name, summary }) => `${name.padEnd(14)}${summary}\n`);
  return `${rows.join('')}perpetuum train MODEL --help lists the options of a model.\n`;
}
