// Every benchmark runs at its smoke size, so that none of them rots.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const here = fileURLToPath(new URL('./', import.meta.url));
const benches = readdirSync(here).filter((file) => file.endsWith('.bench.js'));

for (const file of benches) {
  test(`${file.replace('.bench.js', '')} benchmark: runs at its smoke size and prints a table`, () => {
    const done = spawnSync(process.execPath, [here + file, '--smoke'], { encoding: 'utf8' });
    assert.is(done.status, 0, done.stderr);
    assert.match(done.stdout, /^\| ---/m, 'a table');
    assert.not.match(done.stdout, /NaN|undefined/, 'every cell has a value');
  });
}

test('benchmarks: there are some', () => {
  assert.ok(benches.length > 0, 'bench/*.bench.ts');
});

test.run();
