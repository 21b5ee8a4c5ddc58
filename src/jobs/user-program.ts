// A user's own program as a model: `perpetuum train ./my-program.js DATA`. Its tables are saved as
// tensors; what it reports last is its result.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SystemError } from '../base/errors.ts';
import { partitionsFor } from '../base/world.ts';
import type { Ratings, Samples } from '../data/dataset.ts';
import { auditMetrics, type Model, type Session, type Tensor } from '../models/model.ts';
import type { TrainOutcome, TrainRequest } from '../models/model.ts';
import type { RunResult } from '../supervisor/host.ts';
import type { ProgramModule } from '../program/program.ts';

function tensorsOf(session: Session, run: RunResult): Tensor[] {
  const { arena, kernels } = session.host;
  const dense = run.plan.tables.filter((table) => table.layout === 'dense' && table.type === 'f32');
  return dense.map(({ name, rows, columns, rowBytes, at }) => {
    const packed = arena.allocate(rows * columns * 4);
    kernels.rows_repack(rows, columns * 4, rowBytes, columns * 4, at, packed);
    return { name, shape: [rows, columns], at: packed };
  });
}

const unsupported = () => {
  const remedy = 'a user program is trained only; read its tables from weights.safetensors';
  return Promise.reject(new SystemError('ERR_CONFIG', remedy));
};

/** Loads the module at `path` and wraps it. */
export async function userModel(path: string): Promise<Model<Samples>> {
  const url = pathToFileURL(resolve(path)).href;
  const loaded = (await import(url).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SystemError('ERR_CONFIG', `${path} cannot be loaded: ${why}`, { cause });
  })) as Partial<ProgramModule>;
  const { program, input = 'samples', kernels } = loaded;
  if (program === undefined) {
    const rule = `${path} must export \`program\` (see defineProgram)`;
    throw new SystemError('ERR_CONFIG', `${rule}, it exports ${Object.keys(loaded).join(', ')}`);
  }
  const userKernels = kernels === undefined ? undefined : new URL(kernels, url).href;

  const train = async (
    session: Session,
    request: TrainRequest<Samples | Ratings>,
  ): Promise<TrainOutcome> => {
    const { data, policy, seed, audit, options, passes, tolerance } = request;
    const partitions = request.partitions ?? partitionsFor(session.world);
    let last: Readonly<Record<string, number>> = {};
    const run = await session.host.run(
      program,
      {
        ...{ program: { url }, userKernels, data, policy, seed, audit, partitions },
        ...{ canary: undefined, options: { ...options, passes, tolerance } },
      },
      {
        signal: session.signal,
        onEvent(event, thread) {
          if (event.kind === 'progress') last = { ...last, ...event.values };
          session.onEvent(event, thread);
        },
      },
    );
    const { objective = NaN, ...rest } = last;
    const metrics = { ...rest, ...auditMetrics(run) };
    return {
      trained: { model: program.name, facts: { program: path }, tensors: tensorsOf(session, run) },
      ...{ objective, metrics, converged: null, gap: null, tolerance: null, policy },
      ...{ clocks: run.clocks, passes: passes ?? 0, stalenessHistogram: run.stalenessHistogram },
    };
  };
  return {
    ...{ name: program.name, summary: path, options: [], defaultPasses: 1 },
    ...{ input: input as 'samples', train, evaluate: unsupported, predict: unsupported },
  };
}
