// The topics job: what a saved model of topics has to show.
import { SystemError } from '../base/errors.ts';
import { soloWorld } from '../base/world.ts';
import { loadModel } from '../models/model-directory.ts';
import { findModel, models } from '../models/registry.ts';
import { readCorpus, withLoaders } from './input.ts';
import type { JobDone, JobHooks, TopicsJob } from './job.ts';
import { corpusFacts } from './score.ts';
import { openSession, withHost } from './train.ts';

/** @throws ERR_CONFIG for a model without topics, and as the model's `topics` does. */
export function topicsJob(job: TopicsJob, hooks: JobHooks): Promise<JobDone> {
  const { modelDirectory, data: paths, ask, page, input, threads } = job;
  return withHost({ threads, reproducible: false }, async (host) => {
    const { trained } = await loadModel(modelDirectory, host.arena);
    const topics = findModel(trained.model)?.topics;
    if (topics === undefined) {
      const can = models.filter((model) => model.topics !== undefined).map(({ name }) => name);
      const rule = `${modelDirectory} must hold a model of ${can.join(' or ')}`;
      throw new SystemError('ERR_CONFIG', `${rule}, got ${trained.model}`);
    }
    // Names and dates are wanted; that words were left out, as in training, is no news.
    const quiet: JobHooks = {
      ...hooks,
      onEvent: (event) => event.kind !== 'warning' && hooks.onEvent(event),
    };
    const read = () =>
      withLoaders(
        host,
        (pool) => readCorpus({ host, pool, hooks: quiet, input }, paths, corpusFacts(trained)),
        paths,
      );
    const data = paths.length === 0 ? undefined : await read();
    const session = openSession(host, hooks, soloWorld(threads));
    const listing = await topics(session, trained, { ask, page, data });
    return { command: 'topics', model: trained.model, listing };
  });
}
