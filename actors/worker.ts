// Thread entry of a worker actor. The loop is in src/program; between runs it does what loaders do.
import { loaderOn } from '../src/data/parse/thread.ts';
import { runLoaderTask } from '../src/data/parse/run.ts';
import type { LoaderTask } from '../src/data/tasks.ts';
import { builtInPrograms } from '../src/models/programs.ts';
import { workerActor } from '../src/program/actor.ts';
import { serveActor } from '../src/supervisor/actor-entry.ts';

serveActor((boot) => {
  const loader = loaderOn(boot, { slot: boot.thread, number: boot.thread });
  return workerActor(boot, builtInPrograms, (task) => runLoaderTask(loader, task as LoaderTask));
});
