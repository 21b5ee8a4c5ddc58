// Every numbered example, run as its reader would run it: it prints what its header says.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { built, packageFolder, perpetuum, startScript } from './helpers/command.ts';

const folder = join(packageFolder, 'examples');
const examples = readdirSync(folder).filter((name) => /^\d.*(?<!\.kernel)\.ts$/.test(name));

test('there are examples, numbered from 01', () => {
  assert.ok(examples.length >= 4, examples.join(' '));
  examples.forEach((name, i) => assert.is(Number(name.slice(0, 2)), i + 1, name));
});

for (const name of examples) {
  const source = readFileSync(join(folder, name), 'utf8');
  const header = source.slice(0, source.search(/^[^/]/m));
  const line = /^\/\/ Prints "(.*)"\.$/m.exec(header)?.[1];
  const command = /^\/\/ +perpetuum (train .*)$/m.exec(header)?.[1];

  test(`examples/${name}: imports the library alone, and says what it prints`, () => {
    const imports = [...source.matchAll(/from '([^']+)'/g)].map(([, from]) => from);
    assert.equal([...new Set(imports)], ['../src/index.ts']);
    assert.ok(line !== undefined || command !== undefined, header);
  });

  if (line !== undefined) {
    test(`examples/${name}: prints "${line}"`, async () => {
      const { code, out, err } = await startScript(built(name.replace('.ts', '.js')), []).ended;
      assert.equal([code, out, err], [0, `${line}\n`, '']);
    });
  } else if (command !== undefined) {
    test(`perpetuum ${command}: works`, async () => {
      const { code, out, err } = await perpetuum(command.split(' '));
      assert.is(code, 0, err);
      const said = Number(/objective of (?:about )?([\d.]+\d)/.exec(header)?.[1]);
      const got = Number(/^ +objective +([\d.]+)$/m.exec(out)?.[1]);
      assert.ok(Math.abs(got / said - 1) <= 0.05, `header ${said}, printed ${got}`);
    });
  }
}

test.run();
