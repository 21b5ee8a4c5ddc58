// --updates independent of lasso, elastic-net and logistic: its options, and a run of linear-phases
// in place of the model's own solver.
import { SystemError } from '../../../base/errors.ts';
import { partitionsFor } from '../../../base/world.ts';
import type { Samples } from '../../../data/dataset.ts';
import type { Metrics, OptionSpec, PathPoint } from '../../../jobs/job.ts';
import type { RunResult } from '../../../supervisor/host.ts';
import { auditMetrics, type Session, type TrainRequest } from '../../model.ts';
import { pathCell, pathCells, result, type PhaseSchedule, type PhasesOptions } from './layout.ts';
import { linearPhases } from './program.ts';

/** Those of --updates independent; `schedule` and `updates` are the model's. */
export const independentOptions: readonly OptionSpec[] = [
  {
    ...{ name: 'phase-size', type: 'integer', minimum: 1, maximum: 4096, default: 32 },
    help: 'independent: variables that are updated at once',
  },
  {
    ...{ name: 'dependency-threshold', type: 'number', minimum: 0, exclusive: true, maximum: 1 },
    ...{
      default: 0.1,
      help: 'independent: less correlated than this, or not at once; 1: all; --json tells of both',
    },
  },
  {
    ...{ name: 'priority', type: 'choice', choices: ['change', 'square'], default: 'change' },
    help: 'independent: a dynamic schedule goes by |Δ| or by Δ²',
  },
  {
    ...{ name: 'pipeline', type: 'integer', minimum: 0, maximum: 64, default: 0 },
    help: 'independent: phases in flight before the newest, which does not see their changes',
  },
  {
    ...{ name: 'schedulers', type: 'integer', minimum: 1, maximum: 64, default: 1 },
    help: 'independent: ranges of the variables with a schedule each, which take turns',
  },
  {
    ...{ name: 'damping', type: 'boolean', default: true },
    help: 'independent: shorter steps where the objective grows, so that it converges',
  },
];

const passesDefault = 1000;
/** Few: each has a sum for every variable, and for every pair of candidates. */
const partitionsDefault = 4;

type Penalty = 'alpha' | 'lambda' | 'lambdaRatio' | 'path' | 'pathRatio';
type Given = Pick<PhasesOptions, 'loss' | 'classWeights' | 'relativeTo' | Penalty> & {
  readonly tolerance: number;
};

function phasesOptions(
  { options, audit }: Pick<TrainRequest<Samples>, 'options' | 'audit'>,
  given: Given,
  passes: number,
): PhasesOptions {
  return {
    ...given,
    intercept: options['intercept'] === true,
    standardize: options['standardize'] === true,
    ...{ passes, certifyEvery: 0.5, damping: options['damping'] === true, audit },
    pipeline: Number(options['pipeline']),
    schedule: {
      kind: (options['schedule'] ?? 'dynamic') as PhaseSchedule['kind'],
      phaseSize: Number(options['phase-size']),
      threshold: Number(options['dependency-threshold']),
      squared: options['priority'] === 'square',
      ...{ floor: 0.01, refresh: true, schedulers: Number(options['schedulers']) },
    },
  };
}

/** What the run has found; `of` reads a cell of its results. */
export type Independent = {
  readonly run: RunResult;
  readonly metrics: Metrics;
  of(name: keyof typeof result): number;
  /** Byte offset of the coefficients: f32, one for each column, and the intercept. */
  readonly coefficients: number;
  readonly intercept: number;
  readonly passes: number;
  /** Of every λ. */
  readonly converged: boolean;
  readonly path: readonly PathPoint[];
};

function readPath(session: Session, run: RunResult, values: number): readonly PathPoint[] {
  const { f64 } = session.host.arena;
  return Array.from({ length: values }, (_, index) => {
    const row = (run.plan.buffers['path'] ?? 0) / 8 + index * pathCells;
    const of = (name: keyof typeof pathCell) => f64[row + pathCell[name]] ?? NaN;
    const [lambda, objective] = [of('lambda'), of('objective')];
    return { lambda, objective, gap: of('gap'), nonzeros: of('nonzeros') };
  });
}

/** Solves it by phases of independent updates. */
export async function solveIndependent(
  session: Session,
  request: TrainRequest<Samples>,
  given: Given,
): Promise<Independent> {
  const { data, seed, audit, options, passes = passesDefault } = request;
  if (options['schedulers'] !== undefined && Number(options['schedulers']) > data.columns) {
    const rule = `--schedulers must be at most the number of columns, ${data.columns}`;
    throw new SystemError('ERR_CONFIG', `${rule}; got ${String(options['schedulers'])}`);
  }
  const { world, host } = session;
  const own = world.size > 1 ? partitionsFor(world) : partitionsDefault;
  const ask = {
    ...{ data, seed, audit, partitions: request.partitions ?? Math.min(own, data.rows) },
    ...{ options: phasesOptions(request, given, passes), userKernels: undefined },
    policy: { consistency: 'bsp', staleness: 0 } as const,
    ...{ program: { builtIn: linearPhases.name }, canary: undefined },
  };
  const hooks = { onEvent: session.onEvent.bind(session), signal: session.signal };
  const run = await host.run(linearPhases, ask, hooks);
  const { f64 } = host.arena;
  const results = (run.plan.buffers['results'] ?? 0) / 8;
  const of = (name: keyof typeof result) => f64[results + result[name]] ?? NaN;
  if (of('diverged') === 1) {
    const remedy = 'use --damping, a smaller --dependency-threshold or a smaller --phase-size';
    session.warn(`updates diverged, the best model on the way is kept: ${remedy}`);
  }
  const path = readPath(session, run, of('values'));
  const isSolved = ({ gap, objective }: PathPoint) =>
    gap <= given.tolerance * (given.relativeTo === 'start' ? of('start') : objective);
  const out = (run.plan.buffers['out'] ?? 0) / 8;
  return {
    ...{ run, of, coefficients: run.plan.buffers['coefficients'] ?? 0 },
    intercept: f64[out + data.columns] ?? 0,
    metrics: {
      ...{ updates: of('updates'), phases: of('phases'), rejected: of('turnedDown') },
      certificates: of('certificates'),
      ...auditMetrics(run),
    },
    passes: of('updates') / data.columns,
    converged: of('diverged') === 0 && path.every(isSolved),
    path,
  };
}
