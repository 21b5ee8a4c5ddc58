// lda on several hosts of this process: documents stay where they lie, words go round, and the
// result is that of one host, bit for bit.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rangeOf } from '../src/base/ranges.ts';
import { partitionsOf } from '../src/base/world.ts';
import { lda } from '../src/models/lda/model.ts';
import { withHost } from './helpers/hosts.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { placeCorpus, plantTopics, samplers } from './helpers/lda.ts';
import { hashOf, requestOf, sessionOf } from './helpers/models.ts';

const partitions = 8;
const shared = { topics: 9, 'optimize-interval': 2, 'evaluate-interval': 2 };
const ask = { partitions, passes: 5, audit: false };
/** Of document d. */
const yearOf = (d: number) => (d % 7 === 0 ? NaN : 1900 + (d % 40));

for (const sampler of samplers) {
  test(`lda: several hosts find the same bits as one (${sampler})`, async () => {
    const options = { ...shared, sampler };
    const known = plantTopics(prngOf(3), { topics: 5, documents: 90, length: 18 });
    const held = plantTopics(prngOf(4), { topics: 5, documents: 30, length: 18 }).documents;
    const { documents, words } = known;
    const alone = await withHost(2, async (host) => {
      const dates = Float64Array.from(documents, (_, d) => yearOf(d));
      const data = { ...placeCorpus(host.arena, documents, { words }), dates };
      const test = placeCorpus(host.arena, held, { words });
      const outcome = await lda.train(
        sessionOf(host),
        requestOf('lda', data, options, { ...ask, test }),
      );
      const { objective, topics } = outcome;
      return { hash: hashOf(host, outcome), objective, topics };
    });
    for (const threads of [
      [1, 1],
      [1, 2, 1],
      [2, 1],
    ]) {
      await withCluster(threads, async (hosts) => {
        const fitted = await Promise.all(
          hosts.map(async (host) => {
            const { world, arena } = host;
            const session = { ...sessionOf(host), world };
            const mine = (all: readonly (readonly number[])[]) => {
              const own = partitionsOf(world, partitions, world.rank);
              const first = rangeOf(all.length, partitions, own.first).first;
              const last = rangeOf(all.length, partitions, own.last - 1).last;
              const tokens = all.flat().length;
              const here = placeCorpus(arena, all.slice(first, last), { words });
              const dates = Float64Array.from(all.slice(first, last), (_, i) => yearOf(first + i));
              return { ...here, first, documents: all.length, tokens, dates };
            };
            const request = requestOf('lda', mine(documents), options, {
              ...ask,
              test: mine(held),
            });
            const outcome = await lda.train(session, request);
            const { objective, metrics, trained, topics } = outcome;
            assert.equal(topics, world.rank === 0 ? alone.topics : undefined, 'its table');
            const hash = world.rank === 0 ? hashOf(host, outcome) : alone.hash;
            return { objective, metrics, facts: trained.facts, hash };
          }),
        );
        for (const other of fitted) {
          assert.equal({ ...other, hash: '' }, { ...fitted[0], hash: '' }, 'all have the result');
          assert.is(other.objective, alone.objective, `hosts of ${threads.join(', ')} threads`);
          assert.is(other.hash, alone.hash, `hosts of ${threads.join(', ')} threads`);
          assert.ok(other.metrics['perplexity']! > 1);
        }
      });
    }
  });
}

test.run();
