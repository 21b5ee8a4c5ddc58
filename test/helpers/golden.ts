// Golden files: readable scenarios of a machine. A block is commands, `----`, and what the machine
// answered; a line that starts with # is a comment. REWRITE=1 writes the answers anew: commit a
// changed line only if you can say why it changed.
import * as assert from 'uvu/assert';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../test/testdata/', import.meta.url));

/** The scenarios of one machine, by file name. */
export function goldenFiles(machine: string): readonly string[] {
  return readdirSync(join(root, machine)).filter((name) => name.endsWith('.txt'));
}

/** Runs a file against a fresh machine; `answer` takes a command and returns lines. */
export function runGolden(
  machine: string,
  file: string,
  answer: (command: string) => readonly string[],
): void {
  const path = join(root, machine, file);
  const text = readFileSync(path, 'utf8');
  const blocks = text
    .trimEnd()
    .split('\n\n')
    .map((block) => {
      const [before = ''] = block.split(/^----$/m);
      const commands = before.trimEnd().split('\n');
      const answers = commands.filter((line) => !line.startsWith('#')).flatMap(answer);
      return [...commands, '----', ...answers].join('\n');
    });
  const found = `${blocks.join('\n\n')}\n`;
  if (process.env['REWRITE'] === '1') writeFileSync(path, found);
  else assert.is(found, text, `${machine}/${file}: REWRITE=1 shows what changed`);
}
