// perpetuum demo: the train line on the data that comes with the package.
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SystemError } from '../../base/errors.ts';
import { shellText } from '../format.ts';

/** A path as it is typed here: relative where that is shorter. */
function typed(url: URL): string {
  const path = fileURLToPath(url);
  const near = relative(process.cwd(), path);
  return near.length < path.length ? near : path;
}

/** The arguments of the train line that the demo stands for. @throws ERR_DATA without its data. */
export function demoArguments(out: string, extra: readonly string[]): readonly string[] {
  // This file lies in build/dist or build/test: two levels below the package either way.
  const speeches = new URL('../../examples/data/sotu.tsv.gz', import.meta.url);
  if (!existsSync(speeches)) {
    const what = `${fileURLToPath(speeches)}: the demo's data is missing`;
    throw new SystemError(
      'ERR_DATA',
      `${what}\ninstall perpetuum again, or train on data of yours`,
    );
  }
  const model = ['--topics', '20', '--optimize-interval', '10'];
  const page = ['--title', 'State of the Union', '--page', 'topics.html'];
  return ['train', 'lda', typed(speeches), ...model, ...page, '--out', out, ...extra];
}

export function commandText(args: readonly string[]): string {
  return ['perpetuum', ...args].map(shellText).join(' ');
}

/** What to do after the demo has trained. */
export function demoNext(args: readonly string[], out: string): string {
  const [, , speeches = ''] = args;
  const [train, test] = ['a9a.gz', 'a9a.t.gz'].map((name) => speeches.replace('sotu.tsv.gz', name));
  return [
    '\nWhat to try next:',
    `  ${commandText(['topics', out, speeches, '--topic', '0'])}`,
    `  ${commandText(['predict', out, speeches])}`,
    `  ${commandText(['train', 'logistic', train ?? '', '--test', test ?? ''])}`,
    `  ${commandText(['train', 'lda', '--help'])}`,
    `  ${commandText(['models'])}`,
    'In a clone that is not installed: npx perpetuum …',
  ].join('\n');
}
