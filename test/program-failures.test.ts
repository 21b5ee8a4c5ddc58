// Whatever a program does, its run ends soon, with a code, and with words that name who and when;
// and afterwards no thread is left.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError, type ErrorCode } from '../src/base/errors.ts';
import type { RunRequest } from '../src/program/plan.ts';
import type { RunHooks } from '../src/supervisor/host.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';

/** Far above what a run needs on a busy machine, far below for ever. */
const endMsMax = 8000;

/** Message ports of threads that this process still has. */
const portsOpen = () =>
  process.getActiveResourcesInfo().filter((name) => /MessagePort|Worker/.test(name)).length;

/** Runs to the failure that must come; checks that it came in time and left nothing behind. */
async function failureOf(
  module: string,
  options: unknown,
  more: Partial<RunRequest> & { pushTimeoutMs?: number; hooks?: RunHooks } = {},
): Promise<SystemError> {
  const { pushTimeoutMs = 5000, hooks, ...run } = more;
  const program = await programOf(run.program === undefined ? module : 'failing-program');
  const startMs = performance.now();
  let found: unknown;
  await withHost(
    2,
    async (host) => {
      const wanted = request(module, options, { partitions: 2, ...run });
      found = await host.run(program, wanted, hooks).catch((error: unknown) => error);
    },
    pushTimeoutMs,
  );
  const passedMs = performance.now() - startMs;
  assert.ok(passedMs < endMsMax, `ended after ${Math.round(passedMs)} ms`);
  assert.is(portsOpen(), 0, 'no thread is left');
  if (!(found instanceof SystemError)) throw new Error('no failure with a code', { cause: found });
  return found;
}

function hasWords(error: SystemError, code: ErrorCode, ...words: (string | RegExp)[]): void {
  assert.is(error.code, code, error.message);
  for (const word of words) assert.match(error.message, word, error.message);
}

const here = 'worker 1 at clock 2';
const failures: readonly (readonly [string, ErrorCode, ...(string | RegExp)[]])[] = [
  ['push', 'ERR_PROGRAM', 'push went wrong', here],
  ['text', 'ERR_PROGRAM', 'only a text', here],
  ['start', 'ERR_PROGRAM', 'start went wrong', 'worker 1 at clock 0'],
  ['reads', 'ERR_PROGRAM', 'reads went wrong', here],
  ['readsNone', 'ERR_PROGRAM', 'table "declared" has access "rows"', here],
  ['readsRow', 'ERR_PROGRAM', 'table "declared" has rows 0 to 49, reads() declares 1000000', here],
  ['tables', 'ERR_PROGRAM', 'tables went wrong', 'tables of program "failing"'],
  ['columns', 'ERR_CONFIG', 'table "dense": columns must be at most'],
  ['exit', 'ERR_PROGRAM', /worker 1 .*exit code 3 at clock 2/],
  ['late', 'ERR_PROGRAM', /worker 1 .*at clock \d: later went wrong/],
  ['gather', 'ERR_PROGRAM', 'out of bounds', here],
  ['repack', 'ERR_PROGRAM', 'out of bounds', here],
  ['tableName', 'ERR_PROGRAM', 'no table "wieghts"', 'declares dense, sparse', here],
  ['bufferName', 'ERR_PROGRAM', 'no buffer "lost"', here],
  ['getRow', 'ERR_PROGRAM', 'table "dense" has rows 0 to 4, got 5', here],
  ['getDeclared', 'ERR_PROGRAM', 'table "declared"', 'gives a push 2 rows, get names 2', here],
  ['getNone', 'ERR_PROGRAM', 'table "writeOnly"', 'gives a push 0 rows', here],
  ['incRow', 'ERR_PROGRAM', 'table "dense" has rows 0 to 4, got -1', here],
  ['incLength', 'ERR_PROGRAM', 'table "dense" has 3 columns, inc gives 2', here],
  ['incColumn', 'ERR_PROGRAM', 'table "sparse" has 100 columns, inc names column 100', here],
  ['incValues', 'ERR_PROGRAM', 'table "sparse"', 'values for 1', here],
  ['incRange', 'ERR_PROGRAM', 'table "dense" has rows 0 to 4, inc names 4 (2 rows)', here],
  ['incRows', 'ERR_PROGRAM', 'table "dense" has rows 0 to 4, inc names 5', here],
  ['incCount', 'ERR_PROGRAM', 'table "dense"', 'inc gives -1', here],
  ['log', 'ERR_LIMIT', /at most \d+ bytes of deltas, table "dense"/, 'deltaBytes', here],
  ['nan', 'ERR_NOT_FINITE', 'table "dense", row 3, clock 2', 'smaller'],
  ['infinite', 'ERR_NOT_FINITE', 'table "sparse", row 4, clock 2'],
  ['overflow', 'ERR_NOT_FINITE', 'table "dense", row 2, clock 2'],
  ['allocate', 'ERR_LIMIT', 'memory is full', here],
  ['report', 'ERR_LIMIT', 'a message is at most', here],
];

for (const [way, code, ...words] of failures) {
  test(`failing program: ${way} is ${code}`, async () => {
    hasWords(await failureOf('failing-program', { way }), code, ...words);
  });
}

for (const [consistency, way, code, words] of [
  ['ssp', 'push', 'ERR_PROGRAM', 'push went wrong (worker 1 at clock 2)'],
  ['ssp', 'nan', 'ERR_NOT_FINITE', 'table "dense", row 3, clock 2'],
  ['async', 'exit', 'ERR_PROGRAM', 'exit code 3 at clock 2'],
] as const) {
  test(`failing program: the same without a gate, ${way} is ${code} (${consistency})`, async () => {
    const policy = { consistency, staleness: 1 };
    hasWords(await failureOf('failing-program', { way }, { policy }), code, words);
  });
}

for (const [way, ...words] of [
  ['loop', 'worker 1 is pushing at clock 2'],
  ['startLoop', 'worker 1 is starting at clock 0'],
] as const) {
  test(`failing program: an endless ${way} is ERR_TIMEOUT`, async () => {
    const error = await failureOf('failing-program', { way }, { pushTimeoutMs: 800 });
    hasWords(error, 'ERR_TIMEOUT', ...words, /since \d+ ms/);
  });
}

test('failing program: a module that never ends loading is ERR_TIMEOUT', async () => {
  const url = new URL('./endless-import.js', import.meta.url).href;
  const run = { program: { url }, pushTimeoutMs: 800 };
  const error = await failureOf('endless-import', { way: 'none' }, run);
  hasWords(error, 'ERR_TIMEOUT', /worker \d is starting at clock 0/);
});

for (const [what, file, code, word] of [
  ['without program', 'no-program.js', 'ERR_CONFIG', 'exports `program`'],
  ['that is not there', 'not-there.js', 'ERR_PROGRAM', 'not-there.js'],
] as const) {
  test(`failing program: a module ${what} is ${code}`, async () => {
    const url = new URL(`./${file}`, import.meta.url).href;
    const error = await failureOf('failing-program', { way: 'none' }, { program: { url } });
    hasWords(error, code, word, /worker \d at clock 0/);
  });
}

for (const [way, code, ...words] of [
  ['startSchedule', 'ERR_PROGRAM', 'startSchedule went wrong (the scheduler at clock 0)'],
  ['schedule', 'ERR_PROGRAM', 'schedule went wrong (the scheduler at clock 2)'],
  ['pull', 'ERR_PROGRAM', 'pull went wrong (the scheduler at clock 2)'],
  ['push', 'ERR_PROGRAM', 'push went wrong (worker 1 at clock 2)'],
  ['partial', 'ERR_PROGRAM', 'Function', 'worker 1 at clock 2'],
  ['nan', 'ERR_NOT_FINITE', 'table "sum", row 1, clock 2'],
  ['works', 'ERR_PROGRAM', 'at most 2, got 3 (the scheduler at clock 2)'],
  ['scheduleExit', 'ERR_PROGRAM', 'the scheduler ended itself with exit code 4 at clock 2'],
] as readonly (readonly [string, ErrorCode, ...string[]])[]) {
  test(`failing schedule: ${way} is ${code}`, async () => {
    hasWords(await failureOf('failing-schedule', { way }), code, ...words);
  });
}

test('failing schedule: an endless schedule is ERR_TIMEOUT', async () => {
  const way = 'scheduleLoop';
  const error = await failureOf('failing-schedule', { way }, { pushTimeoutMs: 800 });
  hasWords(error, 'ERR_TIMEOUT', 'the scheduler is scheduling at clock 2');
});

test.run();
