// medlda on several hosts of this process: documents stay where they lie, words and the classes'
// sums go round, and the result is that of one host, bit for bit.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { rangeOf } from '../src/base/ranges.ts';
import { partitionsOf } from '../src/base/world.ts';
import type { ModelOptions } from '../src/jobs/job.ts';
import { medlda } from '../src/models/medlda/model.ts';
import type { Host } from '../src/supervisor/host.ts';
import { lastEvent, perpetuum, withFolder } from './helpers/command.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { libsvmOf } from './helpers/lda.ts';
import { placeClasses, plantClasses } from './helpers/medlda.ts';
import { hashOf, requestOf, sessionOf, tensorOf, trainOn } from './helpers/models.ts';
import { openProxy } from './helpers/proxy.ts';
import { a9aJob, simulate } from './helpers/simulate.ts';

type Known = ReturnType<typeof plantClasses>;
type Fit = {
  readonly options: ModelOptions;
  readonly partitions: number;
  readonly passes: number;
  readonly onProgress?: () => void;
};
const classes = 3;
const known = plantClasses(prngOf(31), { classes, documents: 150, length: 12 });
const held = plantClasses(prngOf(32), { classes, documents: 60, length: 12 });

/** Those of `all` that the parts of a host have. */
function shareOf({ arena, world }: Host, all: Known, partitions: number) {
  const own = partitionsOf(world, partitions, world.rank);
  const { length } = all.documents;
  const first = rangeOf(length, partitions, own.first).first;
  const last = own.last > own.first ? rangeOf(length, partitions, own.last - 1).last : first;
  const cut = <T>(values: readonly T[]) => values.slice(first, last);
  const mine = { ...all, documents: cut(all.documents), targets: cut(all.targets) };
  const tokens = all.documents.flat().length;
  return { ...placeClasses(arena, mine, classes), first, documents: length, tokens };
}

async function fit(host: Host, { options, partitions, passes, onProgress }: Fit) {
  const { world } = host;
  const onEvent = ({ kind }: { kind: string }) => void (kind === 'progress' && onProgress?.());
  const session = { ...sessionOf(host), world, onEvent };
  const test = shareOf(host, held, partitions);
  const ask = { partitions, passes, test, audit: false };
  const data = shareOf(host, known, partitions);
  const outcome = await medlda.train(session, requestOf('medlda', data, options, ask));
  const { objective, metrics, trained, topics } = outcome;
  const everywhere = [
    'word_starts',
    'word_topics',
    'word_counts',
    'topic_totals',
    'mean_starts',
    'mean_topics',
    'mean_counts',
    'mean_totals',
    'class_weights',
  ];
  const tensors = everywhere.map((name) => [...tensorOf(host, outcome, name)]);
  const here = test.blocks.reduce((sum, { documents }) => sum + documents, 0);
  const { lines } = await medlda.predict(session, trained, test, { probabilities: false });
  const hash = hashOf(host, outcome);
  return {
    hash,
    topics,
    lines: [...lines].slice(0, here),
    same: { objective, metrics, facts: trained.facts, tensors },
  };
}

test('medlda: several hosts find the same bits as one', async () => {
  for (const [partitions, topics, casts] of [
    [
      8,
      6,
      [
        [1, 1],
        [1, 2, 1],
        [2, 1],
      ],
    ],
    // More workers than parts: a host has no documents; and more threads than classes.
    [
      2,
      9,
      [
        [1, 1, 1],
        [4, 1],
      ],
    ],
  ] as const) {
    const job = { partitions, passes: 6, options: { topics, samples: 2 } };
    const [alone] = await withCluster([2], (hosts) => Promise.all(hosts.map((h) => fit(h, job))));
    for (const threads of casts) {
      const label = `hosts of ${threads.join(', ')} threads`;
      await withCluster(threads, async (hosts) => {
        const fitted = await Promise.all(hosts.map((host) => fit(host, job)));
        for (const { same } of fitted) assert.equal(same, alone!.same, label);
        assert.is(fitted[0]!.hash, alone!.hash, label);
        assert.equal(fitted[0]!.topics, alone!.topics, label);
        assert.equal(
          fitted.flatMap(({ lines }) => lines),
          alone!.lines,
          label,
        );
      });
    }
  }
});

test('medlda: a host that goes away ends all, with the usual error', async () => {
  const open = { proxy: undefined as Awaited<ReturnType<typeof openProxy>> | undefined };
  const through = async (port: number) => {
    open.proxy = await openProxy(port);
    return open.proxy.port;
  };
  const onProgress = () => open.proxy?.block(true);
  const job = { partitions: 8, passes: 100_000, options: { topics: 6 }, onProgress };
  const failures = await withCluster(
    [1, 1],
    (hosts) => Promise.all(hosts.map((host) => fit(host, job).catch((error: unknown) => error))),
    through,
  );
  open.proxy?.close();
  for (const failure of failures) {
    assert.instance(failure, SystemError, String(failure));
    assert.is((failure as SystemError).code, 'ERR_PEER_LOST', String(failure));
  }
});

test('medlda: simulated hosts and a launch that is replayed find the bits of one host', async () => {
  await withFolder(async (folder) => {
    const data = join(folder, 'train.svm');
    const records = join(folder, 'records');
    writeFileSync(data, libsvmOf(known.documents, known.targets));
    const options = { topics: 6, samples: 2 };
    const job = { data, options, passes: 4, partitions: 16, audit: false };
    const real = await trainOn('medlda', job);
    const train = { ...a9aJob({ ...job, model: 'medlda', data: [data] }), partitions: undefined };
    const network = { latency: '1ms', jitter: '2ms', loss: '1%', straggler: '3x' };
    const { policies } = await simulate({ hosts: 3, network, train });
    assert.equal(
      policies.map(({ modelHash, objective }) => ({ modelHash, objective })),
      [{ modelHash: real.modelHash, objective: real.objective }],
      'a program with a schedule is simulated once',
    );
    const line = ['train', 'medlda', data, '--topics', '6', '--samples', '2', '--passes', '4'];
    const more = ['--threads', '1', '--json', '--record', records];
    const launched = await perpetuum(['launch', '--local', '2', '--', ...line, ...more]);
    assert.is(launched.code, 0, launched.err);
    assert.is(lastEvent(launched)['modelHash'], real.modelHash);
    const again = await perpetuum(['replay', records]);
    assert.is(again.code, 0, again.err);
  });
});

test.run();
