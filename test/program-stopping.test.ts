// An AbortSignal ends a run soon, wherever its threads are, and the event loop stays free.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import type { Consistency } from '../src/ps/freshness.ts';
import type { Host } from '../src/supervisor/host.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import type { PatientOptions } from './programs/patient-program.ts';

/** The longest that a 5 ms timer was late. */
function watchEventLoop(): { end(): number } {
  let last = performance.now();
  let worst = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - last - 5);
    last = now;
  }, 5);
  return {
    end() {
      clearInterval(timer);
      return worst;
    },
  };
}

const cases: readonly (readonly [PatientOptions['way'], Consistency, string])[] = [
  ['small', 'bsp', 'small pushes'],
  ['small', 'async', 'small pushes'],
  ['waits', 'bsp', 'workers that wait for a slow one'],
  ['waits', 'ssp', 'workers that wait for a slow one'],
  ['endless', 'bsp', 'a push that never returns'],
  ['endless', 'async', 'a push that never returns'],
  ['polls', 'bsp', 'a push that polls for ever'],
];

for (const [way, consistency, what] of cases) {
  test(`stopping: ERR_ABORTED within 2 s (${what}, ${consistency})`, async () => {
    await withHost(3, async (host) => {
      const abort = new AbortController();
      let abortedAtMs = 0;
      let loop: ReturnType<typeof watchEventLoop> | undefined;
      const hooks = {
        signal: abort.signal,
        onEvent() {
          if (loop !== undefined) return;
          loop = watchEventLoop();
          // Some pushes later: every thread is in the middle of its work.
          setTimeout(() => {
            abortedAtMs = performance.now();
            abort.abort();
          }, 30);
        },
      };
      const run = { consistency, partitions: 3 };
      const wanted = request('patient-program', { way }, run);
      const program = await programOf('patient-program');
      const found: unknown = await host.run(program, wanted, hooks).catch((e: unknown) => e);
      const tookMs = performance.now() - abortedAtMs;
      const lateMs = loop?.end() ?? Infinity;
      assert.ok(found instanceof SystemError && found.code === 'ERR_ABORTED', String(found));
      const numbers = `${way} ${consistency}: stop ${tookMs.toFixed(0)} ms, loop ${lateMs.toFixed(0)} ms`;
      process.stdout.write(`MEASURED ${numbers}\n`);
      assert.ok(tookMs < 2000, numbers);
      assert.ok(lateMs < 1000, numbers);
    });
  });
}

test('stopping: a push that polls is not taken for an endless loop', async () => {
  const pushTimeoutMs = 1000;
  const body = async (host: Host) => {
    const abort = new AbortController();
    let reported = false;
    const wanted = request('patient-program', { way: 'polls' });
    const found: unknown = await host
      .run(await programOf('patient-program'), wanted, {
        signal: abort.signal,
        onEvent() {
          if (!reported) setTimeout(() => abort.abort(), 1.5 * pushTimeoutMs);
          reported = true;
        },
      })
      .catch((error: unknown) => error);
    assert.ok(found instanceof SystemError && found.code === 'ERR_ABORTED', String(found));
  };
  await withHost(1, body, pushTimeoutMs);
});

test('stopping: a signal that fired before the run ends it at its start', async () => {
  await withHost(2, async (host) => {
    const wanted = request('patient-program', { way: 'small' });
    const run = host.run(await programOf('patient-program'), wanted, {
      signal: AbortSignal.abort(),
    });
    const found: unknown = await run.catch((error: unknown) => error);
    assert.ok(found instanceof SystemError && found.code === 'ERR_ABORTED', String(found));
  });
});

test('stopping: a host that is closed in the middle of a run ends the run and its threads', async () => {
  await withHost(2, async (host) => {
    const wanted = request('patient-program', { way: 'endless' });
    let reported: (() => void) | undefined;
    const started = new Promise<void>((resolve) => (reported = resolve));
    const run = host.run(await programOf('patient-program'), wanted, {
      onEvent: () => reported?.(),
    });
    const found = run.catch((error: unknown) => error);
    await started;
    // What the tests of failures count afterwards is there while threads are.
    assert.ok(process.getActiveResourcesInfo().includes('MessagePort'));
    await host.close();
    const error = await found;
    assert.ok(error instanceof SystemError && error.code === 'ERR_ABORTED', String(error));
  });
});

test.run();
