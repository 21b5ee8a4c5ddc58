// The command of the package: in a clone before and after the build, by npx, and in what is packed.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packageFolder } from './helpers/command.ts';

type Package = { name: string; version: string; bin: { perpetuum: string }; files: string[] };

const about = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as Package;
const command = about.bin.perpetuum;
const folder = mkdtempSync(join(tmpdir(), 'perpetuum-package-'));
test.after(() => rmSync(folder, { recursive: true }));

/** A clone as npm sees it, that is not built. */
function clone(name: string): string {
  const root = join(folder, name);
  mkdirSync(dirname(join(root, command)), { recursive: true });
  for (const path of ['package.json', command]) cpSync(join(packageFolder, path), join(root, path));
  return root;
}

/** A program in the place of the built one. */
function build(root: string): void {
  mkdirSync(join(root, 'build/dist'), { recursive: true });
  writeFileSync(join(root, 'build/dist/cli.js'), 'console.log("built", process.argv[2]);\n');
}

function run(program: string, args: readonly string[], cwd: string) {
  const settings = { npm_config_cache: join(folder, 'npm'), npm_config_offline: 'true' };
  const env = { ...process.env, ...settings, npm_config_update_notifier: 'false' };
  const done = spawnSync(program, args, { cwd, env, encoding: 'utf8', timeout: 60_000 });
  return { code: done.status, out: done.stdout, err: done.stderr };
}

test('package: the command is a committed program that can be executed', () => {
  assert.ok(existsSync(join(packageFolder, command)), command);
  accessSync(join(packageFolder, command), constants.X_OK);
  const { code, out } = run(join(packageFolder, command), ['--version'], folder);
  assert.equal([code, out], [0, `perpetuum ${about.version}\n`]);
});

test('package: before the build the command says what to do, then it works', () => {
  const root = clone('plain');
  const before = run(process.execPath, [join(root, command), 'models'], folder);
  assert.is(before.code, 2);
  assert.is(before.out, '');
  assert.match(before.err, 'perpetuum is not built yet: run npm start');
  build(root);
  const after = run(process.execPath, [join(root, command), 'models'], folder);
  assert.equal([after.code, after.out], [0, 'built models\n']);
});

test('package: npx in a clone works after the build, tried before it or not', () => {
  const root = clone('npx');
  const npx = () => run('npx', ['--yes', 'perpetuum', 'models'], root);
  const before = npx();
  assert.is(before.code, 2, before.err);
  assert.match(before.err, 'run npm start');
  build(root);
  const after = npx();
  assert.equal([after.code, after.out], [0, 'built models\n'], after.err);
});

test('package: what is packed has the command, the program, the kernels and the demo’s data', () => {
  const { code, out, err } = run('npm', ['pack', '--dry-run', '--json'], packageFolder);
  assert.is(code, 0, err);
  const [packed] = JSON.parse(out) as { files: { path: string; mode: number }[] }[];
  const paths = packed?.files.map(({ path }) => path) ?? [];
  const needed = ['build/dist/cli.js', 'build/dist/host-actor.cjs'];
  needed.push(
    command,
    'build/dist/worker-actor.cjs',
    'build/wasm/kernels.release.wasm',
    'examples/data/sotu.tsv.gz',
    'examples/data/a9a.gz',
    'LICENSE',
  );
  for (const path of needed) assert.ok(paths.includes(path), path);
  const foreign = paths.filter((path) => /^(test|bench|src\/(?!toolchain\/perpetuum))/.test(path));
  assert.equal(foreign, []);
});

test.run();
