// What the lines of several commands have in common: their files, and how these are read.
import { defaultThreads } from '../../base/threads.ts';
import type { InputOptions } from '../../jobs/job.ts';
import { usage, type Values } from './values.ts';

export function inputOf(values: Values): InputOptions {
  const delimiter = values.text('delimiter');
  const character = delimiter === 'tab' || delimiter === '\\t' ? '\t' : delimiter;
  if (character !== undefined && !/^[^\r\n"\w.+-]$/.test(character)) {
    const rule = '--delimiter must be one character that no number has, or tab';
    throw usage(`${rule}, got "${delimiter}"`, "for example --delimiter ';'");
  }
  return {
    format: values.text('format') as InputOptions['format'],
    label: values.text('label') ?? 'last',
    delimiter: character,
    header: values.boolean('header'),
    ...corpusOf(values),
  };
}

/** What was said of documents; nothing when nothing was. */
function corpusOf(values: Values): Pick<InputOptions, 'corpus'> {
  const said = {
    vocabulary: values.text('vocabulary'),
    documents: values.text('documents') as 'files' | 'lines' | undefined,
    stopWords: values.text('stop-words'),
    minDocuments: values.number('min-df'),
    maxShare: values.number('max-df'),
    minLength: values.number('min-length'),
    textColumn: values.text('text-column'),
    dateColumn: values.text('date-column'),
    nameColumn: values.text('name-column'),
  };
  const some = Object.entries(said).filter(([, value]) => value !== undefined);
  return some.length === 0 ? {} : { corpus: Object.fromEntries(some) };
}

export function checkData(data: readonly string[], context: string): readonly string[] {
  if (data.length === 0) {
    throw usage(`${context} needs DATA`, `name one or more files: ${context} DATA …`);
  }
  if (data.includes('-')) {
    throw usage('DATA must be files, got "-"', 'save standard input to a file first');
  }
  return data;
}

export function threadsOf(values: Values): number {
  return values.number('threads') ?? defaultThreads();
}
