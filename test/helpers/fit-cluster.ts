// Models trained on several hosts of this process, each with its own memory, threads and files.
import * as assert from 'uvu/assert';
import { createLoaderPool, type LoaderPool } from '../../src/data/loader-pool.ts';
import { loadSamples } from '../../src/data/load-samples.ts';
import type { Samples } from '../../src/data/dataset.ts';
import type { ModelOptions } from '../../src/jobs/job.ts';
import type { Model } from '../../src/models/model.ts';
import type { Host } from '../../src/supervisor/host.ts';
import { withCluster } from './joined-hosts.ts';
import { hashOf, requestOf, sessionOf } from './models.ts';

export async function withPool<T>(
  { arena, module }: Host,
  chunkBytes: number,
  body: (pool: LoaderPool) => Promise<T>,
): Promise<T> {
  const { memory, layout } = arena;
  const pool = createLoaderPool({ memory, layout, module, threads: 1, chunkBytes });
  try {
    return await body(pool);
  } finally {
    await pool.close();
  }
}

export type Fitted = { hash: string; objective: number; metrics: unknown; clocks: number };

type Fit = {
  readonly data: string;
  readonly test?: string;
  readonly options: ModelOptions;
  readonly partitions?: number;
};

/** Trains on all hosts; what rank 0 found, and the others agree with. */
export async function fitSamples(
  model: Model<Samples>,
  threads: readonly number[],
  { partitions, options, ...paths }: Fit,
): Promise<Fitted> {
  return withCluster(threads, async (hosts) => {
    const fitted = await Promise.all(
      hosts.map(async (host): Promise<Fitted> => {
        const { world, arena } = host;
        const [data, held] = await withPool(host, 20_000, async (pool) => {
          const place = { arena, pool, world };
          const cut = partitions === undefined ? {} : { partitions };
          const train = await loadSamples([paths.data], cut, place);
          if (paths.test === undefined) return [train, undefined];
          return [train, await loadSamples([paths.test], { like: train, ...cut }, place)];
        });
        const session = { ...sessionOf(host), world };
        const asked = { audit: false, test: held, partitions };
        const outcome = await model.train(session, requestOf(model.name, data, options, asked));
        const { objective, metrics, clocks } = outcome;
        return { hash: hashOf(host, outcome), objective, metrics, clocks };
      }),
    );
    const [first] = fitted;
    for (const other of fitted) assert.equal(other, first, 'all hosts have the result');
    return first!;
  });
}
