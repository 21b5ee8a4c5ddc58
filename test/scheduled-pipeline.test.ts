// Pipelines on real hosts, one and several: works in flight before one is pulled, and every end.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../src/base/limits.ts';
import { SystemError } from '../src/base/errors.ts';
import type { Event, ScheduleEvent } from '../src/mailbox/messages.ts';
import { built, packageFolder, perpetuum } from './helpers/command.ts';
import { programOf, request, withHost } from './helpers/hosts.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import type { PipelineOptions } from './programs/pipeline-program.ts';

const program = await programOf('pipeline-program');
const count = 1000;
const squares = (999 * 1000 * 1999) / 6;

type Found = Readonly<Record<string, number>>;

/** Runs it on hosts of so many threads; what rank 0 reported last. */
async function piped(threads: readonly number[], options: PipelineOptions, audit = false) {
  const events: Event[] = [];
  const wanted = request('pipeline-program', options, { audit });
  const onEvent = (event: Event) => void events.push(event);
  if (threads.length === 1) {
    const { clocks, auditedPairs } = await withHost(threads[0]!, (host) =>
      host.run(program, wanted, { onEvent }),
    );
    return { clocks, auditedPairs, events, found: lastOf(events) };
  }
  return withCluster(threads, async (hosts) => {
    const runs = await Promise.all(
      hosts.map((host, rank) => host.run(program, wanted, rank === 0 ? { onEvent } : {})),
    );
    const { clocks = 0, auditedPairs } = runs[0] ?? {};
    for (const run of runs) assert.is(run.clocks, clocks, 'all hosts count the same clocks');
    return { clocks, auditedPairs, events, found: lastOf(events) };
  });
}

function lastOf(events: readonly Event[]): Found {
  return events.reduce<Found>((last, e) => (e.kind === 'progress' ? e.values : last), {});
}

for (const threads of [[1], [3], [1, 1], [2, 1, 1]]) {
  for (const depth of [0, 1, 5]) {
    const name = `depth ${depth}, threads ${threads.join('+')}`;
    test(`pipeline: sums are exact, pulls in order, reads whole (${name})`, async () => {
      const { clocks, found } = await piped(threads, { count, clocks: 30, depth });
      const works = 30 * threads.reduce((a, b) => a + b);
      const expected = { total: 30 * squares, deepest: depth, pushed: 30 * count, works };
      assert.equal(found, { ...expected, paused: 0 });
      assert.is(clocks, 30);
    });
  }
}

for (const threads of [[2], [1, 1]]) {
  test(`pipeline: more than rings hold is in flight (threads ${threads.join('+')})`, async () => {
    const depth = 40;
    const ballast = 30_000;
    assert.ok(depth * ballast > 4 * limits.ringBytes, 'rings are too small for it');
    const { found } = await piped(threads, { count, clocks: 60, depth, ballast });
    assert.is(found['total'], 60 * squares);
    assert.is(found['deepest'], depth);
  });

  test(`pipeline: nothing for now is not the end (threads ${threads.join('+')})`, async () => {
    const { clocks, found } = await piped(threads, { count, clocks: 9, depth: 2, pauseAt: 5 });
    assert.is(clocks, 9);
    assert.is(found['paused'], 1);
    assert.is(found['total'], 9 * squares);
  });

  test(`pipeline: an error in the middle ends it (threads ${threads.join('+')})`, async () => {
    const options = { count, clocks: 1e6, depth: 3, failAt: 17 };
    const failed = await piped(threads, options).catch((error: unknown) => error);
    assert.instance(failed, SystemError);
    assert.is((failed as SystemError).code, 'ERR_PROGRAM');
    assert.match((failed as SystemError).message, /planted .*clock 17/);
  });
}

test('pipeline: a row that takes long to fold is read whole', async () => {
  const { found } = await piped([3], { count, clocks: 30, depth: 5, columns: 200_000 });
  assert.is(found['total'], 30 * squares);
});

test('pipeline: a stop in the middle ends it', async () => {
  const stopping = new AbortController();
  const wanted = request('pipeline-program', { count, clocks: 1e9, depth: 4, items: 1e9 });
  const failed = await withHost(2, (host) =>
    host.run(program, wanted, {
      signal: stopping.signal,
      onEvent: (event) => event.kind === 'schedule' && stopping.abort(),
    }),
  ).catch((error: unknown) => error);
  assert.is((failed as SystemError).code, 'ERR_ABORTED');
});

test('pipeline: deeper than the limit, or half a work, is refused', async () => {
  for (const depth of [limits.pipelineMax + 1, -1, 0.5]) {
    const failed = await piped([1], { count, clocks: 1, depth }).catch((error: unknown) => error);
    assert.is((failed as SystemError).code, 'ERR_PROGRAM');
    assert.match((failed as SystemError).message, /pipeline is a whole number from 0 to 64/);
  }
});

for (const threads of [[2], [1, 1]]) {
  test(`audit: a schedule that picks what is in flight is caught (${threads.join('+')})`, async () => {
    const options = { count, clocks: 20, depth: 3, items: 3 };
    const failed = await piped(threads, options, true).catch((error: unknown) => error);
    assert.is((failed as SystemError).code, 'ERR_SCHEDULE');
    const words = /phases 0 and 3 have 0 and 0 in flight at once: they are the same; filter/;
    assert.match((failed as SystemError).message, words);
    const ruled = piped(threads, { ...options, items: 8, depth: 7 }, true);
    const broken = await ruled.catch((error: unknown) => error);
    assert.match(
      (broken as SystemError).message,
      /phases 0 and 7 have 0 and 7 .*: they are 7 apart/,
    );
    // Nobody looks, nothing is found.
    assert.is((await piped(threads, options)).auditedPairs, undefined);
  });
}

test('audit: pairs in flight are counted, phases are told of at most every 100 ms', async () => {
  const { auditedPairs, events } = await piped([2], { count, clocks: 4, depth: 0, items: 4 }, true);
  assert.is(auditedPairs, 0);
  const phases = events.filter((event): event is ScheduleEvent => event.kind === 'schedule');
  assert.ok(phases.length >= 1);
  const [first] = phases;
  assert.equal([first?.phase, first?.size, first?.picked, first?.skipped], [0, 1, [0], 0]);
  const told = phases.reduce((sum, { skipped }) => sum + 1 + skipped, 0);
  assert.ok(told <= 4);
});

test('perpetuum train --audit: exit code 6, and phases as JSON lines', async () => {
  const set = (options: Readonly<Record<string, number>>) =>
    Object.entries(options).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const data = join(packageFolder, 'examples', 'data', 'a9a.gz');
  const train = ['train', built('pipeline-program.js'), data, '--json', '--audit'];
  const options = { count: 100, clocks: 40, depth: 3, items: 3 };
  const broken = await perpetuum([...train, ...set(options)]);
  assert.is(broken.code, 6, broken.err);
  assert.match(broken.err, /ERR_SCHEDULE phases 0 and 3 have 0 and 0 in flight at once/);
  const fine = await perpetuum([...train, ...set({ ...options, items: 5 })]);
  assert.is(fine.code, 0, fine.err);
  const lines = fine.out.trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as { event: string; metrics?: Found });
  assert.ok(
    events.some(({ event }) => event === 'schedule'),
    fine.out,
  );
  // 40 phases, each with the three before it.
  assert.is(events.at(-1)?.metrics?.['auditedPairs'], 3 * 40 - 6);
});

test('mf --audit: all blocks of a stratum are asked about, and share nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'perpetuum-audit-'));
  const data = join(folder, 'ratings');
  const lines = Array.from({ length: 3000 }, (_, i) => `${i % 97} ${(i * 31) % 89} ${1 + (i % 5)}`);
  writeFileSync(data, `${lines.join('\n')}\n`);
  const { code, out, err } = await perpetuum(
    ['train', 'mf', data, '--json', '--audit', '--passes', '2', '--blocks', '6'],
    folder,
  );
  rmSync(folder, { recursive: true });
  assert.is(code, 0, err);
  const done = JSON.parse(out.trim().split('\n').at(-1) ?? '') as { metrics: Found };
  // 2 passes of 6 strata of 6 blocks.
  assert.is(done.metrics['auditedPairs'], (2 * 6 * (6 * 5)) / 2);
});

test.run();
