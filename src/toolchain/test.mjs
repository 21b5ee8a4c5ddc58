// npm test [-- --only NAME] [--all]: build, static checks, then every test file in a process of its
// own, so that a hang or a crash is one failure with a name and never a silent stop.
// Ends with the plain line `N passed, N failed`; zero tests is a failure.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { root, setup } from './setup.mjs';

const fileTimeoutMs = 240_000;

setup();
const { buildKernels } = await import('./kernels.mjs');
const { bundleProgram, bundleTests } = await import('./bundle.mjs');

function run(name, arguments_, timeoutMs, environment = {}) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, arguments_, {
      cwd: root,
      env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (timedOut) output += `\n${name}: no end after ${timeoutMs} ms, killed\n`;
      const seconds = (performance.now() - started) / 1000;
      resolve({ name, failed: code !== 0, code: code ?? signal, output, seconds });
    });
  });
}

/**
 * uvu prints `Total: 5` and `Passed: 4`; a file that crashed or ran nothing counts as one failure.
 */
function counts(result) {
  const read = (word) => Number(new RegExp(`${word}:\\s+(\\d+)`).exec(result.output)?.[1] ?? 0);
  const total = read('Total');
  const passed = read('Passed');
  const skipped = read('Skipped');
  const failed = total - passed - skipped;
  const broken = total === 0 || (result.failed && failed === 0);
  return { passed, failed: broken ? failed + 1 : failed, skipped };
}

async function pool(jobs, width, each) {
  const queue = [...jobs];
  const runners = Array.from({ length: width }, async () => {
    for (let job = queue.shift(); job; job = queue.shift()) each(await job());
  });
  await Promise.all(runners);
}

const onlyAt = process.argv.indexOf('--only');
const only = onlyAt > 0 ? process.argv[onlyAt + 1] : undefined;
const all = process.argv.includes('--all');
const totals = { passed: 0, failed: 0, skipped: 0 };

await buildKernels();
await bundleProgram();
await bundleTests();

const tool = (script) => join(root, 'node_modules', script);
const checks = [
  ['format (prettier)', [tool('prettier/bin/prettier.cjs'), '--check', '.']],
  ['types (tsc)', [tool('typescript/bin/tsc'), '-p', '.']],
  ['lint (eslint, type-aware)', [tool('eslint/bin/eslint.js'), '.', '--max-warnings', '0']],
];
const files = readdirSync(join(root, 'build/test'))
  .filter((name) => name.endsWith('.test.js') && (!only || name.includes(only)))
  .sort();
const width = Math.min(2, availableParallelism());
if (!only) {
  await pool(
    checks.map(
      ([name, arguments_]) =>
        () =>
          run(name, arguments_, fileTimeoutMs),
    ),
    width,
    (result) => {
      console.log(
        `${result.failed ? 'FAIL' : 'ok  '} ${result.name} ${result.seconds.toFixed(1)} s`,
      );
      if (result.failed) console.log(result.output);
      totals[result.failed ? 'failed' : 'passed'] += 1;
    },
  );
}
await pool(
  files.map((name) => () => {
    const path = join(root, 'build/test', name);
    const timeoutMs = all ? 10 * fileTimeoutMs : fileTimeoutMs;
    const environment = all ? { TEST_ALL: '1' } : {};
    return run(name, ['--enable-source-maps', path], timeoutMs, environment);
  }),
  width,
  (result) => {
    const count = counts(result);
    totals.passed += count.passed;
    totals.failed += count.failed;
    totals.skipped += count.skipped;
    const head = `${count.failed > 0 ? 'FAIL' : 'ok  '} ${result.name}`;
    console.log(`${head} ${count.passed} passed ${result.seconds.toFixed(1)} s`);
    for (const line of result.output.match(/^SKIPPED.*$/gm) ?? []) console.log(`     ${line}`);
    if (count.failed > 0) console.log(result.output, `exit ${result.code}`);
  },
);
const tail = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
console.log(`${totals.passed} passed, ${totals.failed} failed${tail}`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;
