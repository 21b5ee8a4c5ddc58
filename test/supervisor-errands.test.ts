// Tasks for workers between runs: the queue over handles that the test drives, and real workers.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { helperPool } from '../src/data/helper-pool.ts';
import { readSamples, withLoaders } from '../src/jobs/input.ts';
import type { Helper, Outcome } from '../src/program/actor.ts';
import { openErrands, type HelperHandle } from '../src/supervisor/errands.ts';
import { Host } from '../src/supervisor/host.ts';
import { exampleData } from './helpers/models.ts';

/** A worker that comes up and answers when it is told to. */
function openPuppet() {
  const tasks: unknown[] = [];
  const answers: ((outcome: Outcome<unknown>) => void)[] = [];
  let up: () => void = () => undefined;
  const isUp = new Promise<Outcome<true>>((resolve) => {
    up = () => resolve({ ok: true, value: true });
  });
  const actor: Helper = {
    ready: () => isUp,
    errand(task) {
      tasks.push(task);
      return new Promise((resolve) => answers.push(resolve));
    },
  };
  const handle: HelperHandle = { call: (method) => method(actor) };
  return { handle, tasks, up, answer: (outcome: Outcome<unknown>) => answers.shift()?.(outcome) };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const done = (value: unknown): Outcome<unknown> => ({ ok: true, value });

test('errands: a task waits for a worker that is up, and each has one at a time', async () => {
  const [a, b] = [openPuppet(), openPuppet()];
  const errands = openErrands([a.handle, b.handle]);
  assert.is(errands.threads, 2);
  const outcomes = [1, 2, 3].map((task) => errands.run(task));
  await settled();
  assert.equal([a.tasks, b.tasks], [[], []], 'nobody is up');
  b.up();
  await settled();
  assert.equal([a.tasks, b.tasks], [[], [1]], 'the first that is up has the first task');
  b.answer(done('one'));
  await settled();
  assert.equal([a.tasks, b.tasks], [[], [1, 2]], 'the next goes to whoever is idle');
  a.up();
  await settled();
  assert.equal([a.tasks, b.tasks], [[3], [1, 2]]);
  a.answer(done('three'));
  b.answer(done('two'));
  assert.equal(await Promise.all(outcomes), [done('one'), done('two'), done('three')]);
});

test('errands: the end of a worker is the answer to its task, and to all later ones', async () => {
  const fault = { code: 'ERR_PROGRAM', message: 'worker 0 ended itself' } as const;
  const dead: HelperHandle = { call: () => Promise.resolve({ ok: false, fault }) };
  const pool = helperPool(openErrands([dead]));
  const task = { kind: 'probe', path: 'nowhere', purpose: 'samples' } as const;
  for (let n = 0; n < 3; n++) assert.equal(await pool.run(task), { kind: 'failure', ...fault });
});

test('errands: workers read files as loader threads do', async () => {
  const host = new Host({ threads: 2, loaders: 2, variant: 'release' });
  const hooks = { signal: new AbortController().signal, onEvent: () => undefined };
  const input = { format: undefined, label: 'last', delimiter: undefined, header: undefined };
  const path = exampleData('a9a.gz');
  const read = (paths?: readonly string[]) =>
    withLoaders(host, (pool) => readSamples({ host, pool, hooks, input }, [path]), paths);
  try {
    const samples = await read([path]);
    assert.is(samples.rows, 32_561);
    const missing = { kind: 'probe', path: 'no-such-file', purpose: 'samples' } as const;
    const failed = await helperPool(host.errands()).run(missing);
    assert.is(failed.kind === 'failure' && failed.code, 'ERR_DATA');
    const own = await read();
    const again = await read([path]);
    const contents = (from: typeof samples) =>
      from.blocks.map(({ index, nonzeros, target, rows }) => {
        const at = (place: number, n: number) => host.arena.i32.slice(place / 4, place / 4 + n);
        return [at(index, nonzeros), at(target, rows)];
      });
    assert.equal(contents(again), contents(samples), 'as the workers read it the first time');
    assert.equal(contents(own), contents(samples), 'as threads of its own read it');
  } finally {
    await host.close();
  }
  const after = await host.errands().run({ kind: 'probe', path, purpose: 'samples' });
  assert.is(!after.ok && after.fault.code, 'ERR_ABORTED', 'a closed host answers, too');
});

test.run();
