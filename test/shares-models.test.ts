// Models over samples that lie on several hosts: what they gather before and after a run is what
// one host alone finds, and jobs end with one result.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { partitionsFor, type World } from '../src/base/world.ts';
import type { Samples } from '../src/data/dataset.ts';
import { createLoaderPool } from '../src/data/loader-pool.ts';
import { loadSamples } from '../src/data/load-samples.ts';
import type { JobEvent } from '../src/jobs/job.ts';
import { putIn, takeOut } from '../src/library/estimator.ts';
import { columnCounts, defaultLearningRate } from '../src/models/mlr/gathered.ts';
import { mlr } from '../src/models/mlr/model.ts';
import { openRows } from '../src/models/rows.ts';
import type { Session } from '../src/models/model.ts';
import type { JobHost } from '../src/supervisor/host.ts';
import { prngOf } from './helpers/lab.ts';
import { withHost } from './helpers/hosts.ts';
import { hashOf, requestOf, sessionOf, trainOn } from './helpers/models.ts';
import { reasons, values, closeShares } from './helpers/shares.ts';
import { fakeWorlds, onAll } from './helpers/worlds.ts';

const folder = mkdtempSync(join(tmpdir(), 'perpetuum-shares-'));
test.after(async () => {
  rmSync(folder, { recursive: true });
  await closeShares();
});

let files = 0;
function put(text: string): string {
  const path = join(folder, `data${files++}`);
  writeFileSync(path, text);
  return path;
}

function sparseText(rows: number): string {
  const prng = prngOf(rows);
  const line = (row: number) => {
    const columns = Array.from({ length: 30 }, (_, j) => j + 1).filter(() => prng.below(4) === 0);
    const entries = [...columns, 31 + (row % 40)].map((j) => `${j}:${prng.uniform()}`);
    return `${prng.below(3)} ${entries.join(' ')}\n`;
  };
  return Array.from({ length: rows }, (_, row) => line(row)).join('');
}

function denseText(rows: number): string {
  const prng = prngOf(rows);
  const line = () => `${prng.uniform()},${prng.uniform()},${prng.below(2) ? 'yes' : 'no'}\n`;
  return Array.from({ length: rows }, line).join('');
}

async function loadInto(
  host: JobHost,
  world: World,
  path: string,
  like?: Samples,
): Promise<Samples> {
  const { memory, layout } = host.arena;
  const pool = createLoaderPool({
    memory,
    layout,
    module: host.module,
    threads: 1,
    chunkBytes: 500,
  });
  try {
    return await loadSamples([path], like ? { like } : {}, { arena: host.arena, pool, world });
  } finally {
    await pool.close();
  }
}

type Opened = { readonly session: Session; readonly data: Samples; readonly world: World };

/** `body` on hosts that each hold their share of the file. */
async function onHosts<T>(
  threads: readonly number[],
  path: string,
  body: (opened: Opened) => Promise<T>,
): Promise<T[]> {
  const worlds = fakeWorlds(threads.length, { threads });
  const settled = await onAll(worlds, (world) =>
    withHost(threads[world.rank] ?? 1, async (host) => {
      const data = await loadInto(host, world, path);
      return body({ session: { ...sessionOf(host), world }, data, world });
    }),
  );
  return values(settled);
}

for (const [kind, textOf] of [
  ['sparse', sparseText],
  ['dense', denseText],
] as const) {
  test(`mlr: ${kind}: the default learning rate is that of one host`, async () => {
    for (const rows of [2, 700, 1500]) {
      const path = put(textOf(rows));
      const rateOf = ({ session, data }: Opened) => defaultLearningRate(session, data);
      const [alone = NaN] = await onHosts([1], path, rateOf);
      const rates = await onHosts([1, 2, 1], path, rateOf);
      assert.ok(alone > 0);
      for (const rate of rates) {
        assert.is(rate, rates[0]);
        assert.ok(Math.abs(rate / alone - 1) < 1e-12, `${rate} and ${alone}`);
      }
    }
  });

  test(`mlr: ${kind}: scores of several hosts are those of one`, async () => {
    const path = put(textOf(300));
    for (const test of [1, 2, 300].map((rows) => put(textOf(rows)))) {
      const [fitted, alone] = await withHost(2, async (host) => {
        const world = fakeWorlds(1, { threads: [2] })[0]!;
        const session = { ...sessionOf(host), world };
        const data = await loadInto(host, world, path);
        const request = requestOf('mlr', data, { solver: 'sgd' }, { audit: false, passes: 2 });
        const { trained } = await mlr.train(session, request);
        const copy = takeOut(host, trained);
        const scored = await loadInto(host, world, test, data);
        return [copy, await mlr.evaluate(session, trained, scored)] as const;
      });
      const metrics = await onHosts([1, 2, 1], path, async ({ session, data, world }) => {
        const scored = await loadInto(session.host, world, test, data);
        return mlr.evaluate(session, putIn(session.host, fitted), scored);
      });
      for (const own of metrics) {
        assert.is(own['accuracy'], alone['accuracy']);
        assert.ok(Math.abs(own['logLoss']! / alone['logLoss']! - 1) < 1e-12);
      }
    }
  });
}

test('mlr: column counts are those of all rows', async () => {
  const text = sparseText(400);
  const wanted = Array.from({ length: 70 }, () => 0);
  for (const [, column] of text.matchAll(/ (\d+):/g)) wanted[Number(column) - 1]! += 1;
  const counts = await onHosts([1, 2, 1], put(text), async ({ session, data }) => {
    const at = await columnCounts(session, data);
    return [...session.host.arena.i32.subarray(at / 4, at / 4 + data.columns)];
  });
  assert.equal(counts, [wanted, wanted, wanted]);
  const none = await onHosts([2], put(text), ({ session, data }) => columnCounts(session, data));
  assert.equal(none, [0], 'one host leaves the counting to its workers');
});

test('mlr: sgd with counts that were handed to it ends at the same weights', async () => {
  const path = put(sparseText(300));
  const hashes = await Promise.all(
    [false, true].map((given) =>
      withHost(1, async (host) => {
        const [world, other] = [fakeWorlds(1)[0]!, fakeWorlds(2)[0]!];
        const data = await loadInto(host, world, path);
        // To a world of two the second host adds no rows.
        const zeros = new Uint8Array(data.columns * 4 + 1);
        const two: World = {
          ...other,
          threads: [1, 0],
          allGather: (name, bytes) =>
            Promise.resolve([
              bytes,
              name.startsWith('column') ? zeros.slice(0, bytes.length) : bytes,
            ]),
        };
        const session = { ...sessionOf(host), world: given ? two : world };
        const options = { solver: 'sgd', 'learning-rate': 0.5 };
        const request = requestOf('mlr', data, options, { audit: false, passes: 3 });
        return hashOf(host, await mlr.train(session, request));
      }),
    ),
  );
  assert.is(hashes[0], hashes[1]);
});

test('rows: a range that does not lie here is a bug', async () => {
  await onHosts([1, 1], put(denseText(40)), async ({ session, data, world }) => {
    const elsewhere = world.rank === 0 ? { first: 10, last: 21 } : { first: 19, last: 30 };
    assert.throws(() => openRows(session.host, data, elsewhere), /lies on this host/);
    assert.is(openRows(session.host, data, { first: data.first, last: data.first + 20 }).count, 20);
    return Promise.resolve();
  });
});

test('partitions: one for every worker of all hosts, 16 at least', () => {
  assert.is(partitionsFor({ threads: [1, 2] }), 16);
  assert.is(partitionsFor({ threads: [16, 8] }), 24);
});

const steady = new URL('./steady-program.js', import.meta.url).pathname;

test('train: one result for all hosts, one model saved, rank 0 speaks', async () => {
  const data = put(sparseText(100));
  const events: JobEvent[][] = [[], []];
  const out = [0, 1].map((rank) => join(folder, `model${rank}`));
  const worlds = fakeWorlds(2);
  const settled = await onAll(worlds, (world) => {
    const job = {
      ...{ data, threads: 1, out: out[world.rank]!, audit: false },
      onEvent: (event: JobEvent) => void events[world.rank]?.push(event),
    };
    return trainOn(steady, job, world);
  });
  const [first, second] = values(settled);
  assert.equal(second, first);
  assert.is(first?.hosts, 2);
  assert.ok(existsSync(out[0]!) && !existsSync(out[1]!), 'rank 0 alone saves');
  assert.match(readFileSync(join(out[0]!, 'model.json'), 'utf8'), /steady/);
  assert.ok(events[0]!.some(({ kind }) => kind === 'facts'));
  const said = new Set(events[1]!.map(({ kind }) => kind));
  assert.equal([...said].sort(), ['load', 'progress'], 'how far it is, and nothing else');
});

test('train: a model that cannot be saved fails on all hosts', async () => {
  const data = put(sparseText(50));
  const settled = await onAll(fakeWorlds(2), (world) =>
    trainOn(steady, { data, threads: 1, out: join(data, 'below'), audit: false }, world),
  );
  const found = await reasons(settled);
  assert.match(found[0] ?? '', /ERR_/);
  assert.is(found[1], found[0]);
});

test.run();
