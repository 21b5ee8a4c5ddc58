// The lines of commands over a saved model: predict, evaluate, topics.
import type { Job, TopicsJob } from '../../jobs/job.ts';
import { checkData, inputOf, threadsOf } from './input.ts';
import { commonOptions, optionsOf } from './options.ts';
import { readArguments, usage } from './values.ts';

export function parseScoring(command: 'predict' | 'evaluate', args: readonly string[]) {
  const context = `perpetuum ${command}`;
  const options = [...optionsOf(command), ...commonOptions];
  const read = readArguments(args, { options, context });
  const { positionals, values } = read;
  const [modelDirectory, ...data] = positionals;
  if (modelDirectory === undefined) {
    const next = 'MODELDIR is the folder that perpetuum train --out wrote';
    throw usage(`${context} needs MODELDIR and DATA`, next);
  }
  const base = {
    modelDirectory,
    data: checkData(data, `${context} ${modelDirectory}`),
    threads: threadsOf(values),
    input: inputOf(values),
  };
  const out = values.text('out');
  const job: Job =
    command === 'evaluate'
      ? { command, ...base }
      : { command, ...base, out, probabilities: values.flag('probabilities') };
  return { ...read, job };
}

export function parseTopics(args: readonly string[]) {
  const context = 'perpetuum topics';
  const options = [...optionsOf('topics'), ...commonOptions];
  const read = readArguments(args, { options, context });
  const { positionals, values } = read;
  const [modelDirectory, ...data] = positionals;
  if (modelDirectory === undefined) {
    const next = 'MODELDIR is the folder that perpetuum train lda --out wrote';
    throw usage(`${context} needs MODELDIR`, next);
  }
  const page = values.text('page');
  const job: Job = {
    ...{ command: 'topics', modelDirectory, threads: 1, input: inputOf(values) },
    data: data.length === 0 ? [] : checkData(data, `${context} ${modelDirectory}`),
    ask: {
      by: (values.text('by') ?? 'relevance') as TopicsJob['ask']['by'],
      show: values.number('show') ?? 20,
      words: values.number('words') ?? 12,
      topic: values.number('topic'),
    },
    page: page === undefined ? undefined : { file: page, title: values.text('title') ?? 'Topics' },
  };
  return { ...read, job };
}
