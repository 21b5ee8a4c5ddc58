// Regression problems whose columns are correlated in a known way, and runs of `linear-phases` on
// them.
import type { Samples } from '../../src/data/dataset.ts';
import type { Arena } from '../../src/memory/arena.ts';
import {
  phasesShape,
  result,
  traceCells,
  traced,
  type PhaseSchedule,
  type PhasesOptions,
} from '../../src/models/linear/phases/layout.ts';
import { linearPhases } from '../../src/models/linear/phases/program.ts';
import type { RunRequest } from '../../src/program/plan.ts';
import type { Host, RunHooks } from '../../src/supervisor/host.ts';
import type { Prng } from '../../src/base/prng.ts';
import type { Design } from '../oracle/coordinate.ts';
import { prngOf } from './lab.ts';
import { placeSamples } from './models.ts';

/** Standard normal (Box and Muller 1958). */
function normalOf(prng: Prng): number {
  const radius = Math.sqrt(-2 * Math.log(1 - prng.uniform()));
  return radius * Math.cos(2 * Math.PI * prng.uniform());
}

type Size = { readonly rows: number; readonly columns: number; readonly seed: number };
/** By row. */
type Rows = readonly (readonly number[])[];

function rowsBy({ rows, seed }: Size, row: (prng: Prng) => number[]): Rows {
  const prng = prngOf(seed);
  return Array.from({ length: rows }, () => row(prng).map(Math.fround));
}

/** Columns j and k have correlation rho^|j − k|. */
export function autoregressive(size: Size, rho: number): Rows {
  return rowsBy(size, (prng) => {
    const out = [normalOf(prng)];
    while (out.length < size.columns) {
      out.push(rho * out.at(-1) + Math.sqrt(1 - rho * rho) * normalOf(prng));
    }
    return out;
  });
}

/** Columns of one block have correlation rho, those of two have none. */
export function blocks(size: Size, block: number, rho: number): Rows {
  return rowsBy(size, (prng) => {
    let common = 0;
    return Array.from({ length: size.columns }, (_, j) => {
      if (j % block === 0) common = normalOf(prng);
      return Math.sqrt(rho) * common + Math.sqrt(1 - rho) * normalOf(prng);
    });
  });
}

/** Each of columns / copies columns comes `copies` times, all but the first a little disturbed. */
export function duplicates(size: Size, copies: number): Rows {
  return rowsBy(size, (prng) => {
    let own = 0;
    return Array.from({ length: size.columns }, (_, j) => {
      if (j % copies === 0) own = normalOf(prng);
      return j % copies === 0 ? own : own + 0.4 * normalOf(prng);
    });
  });
}

/** Counts of words: column j occurs in a share 1/(j + 2) of the rows, but all rows have some. */
export function textLike(size: Size): Rows {
  return rowsBy(size, (prng) => {
    const out = Array.from({ length: size.columns }, (_, j) =>
      prng.uniform() < 2 / (j + 4) ? 1 + prng.below(3) : 0,
    );
    out[prng.below(size.columns)] = 1;
    return out;
  });
}

export type DesignOptions = Partial<Omit<Design, 'columns' | 'y'>> & {
  /** λ as a share of the one that makes all coefficients 0; default 0.1. */
  readonly share?: number;
  readonly noise?: number;
  /** Coefficients that are not 0; default a tenth. */
  readonly truth?: number;
};

/** Targets from some of the columns, and a penalty for them. */
export function designOf(rows: Rows, seed: number, options: DesignOptions = {}): Design {
  const { loss = 'square', intercept = false, standardize = false, share = 0.1 } = options;
  const prng = prngOf(seed);
  const width = rows[0]!.length;
  const { truth = Math.max(1, Math.round(width / 10)), noise = 0.5 } = options;
  const weights = new Map<number, number>();
  while (weights.size < truth) weights.set(prng.below(width), 2 * normalOf(prng));
  const scores = rows.map((row) =>
    [...weights].reduce((sum, [j, w]) => sum + w * row[j]!, noise * normalOf(prng)),
  );
  const y = Float64Array.from(scores, (z) =>
    loss === 'square'
      ? Math.fround(z + (intercept ? 3 : 0))
      : z + noise * normalOf(prng) > 0
        ? 1
        : -1,
  );
  const columns = Array.from({ length: width }, (_, j) =>
    Float64Array.from(rows, (row) => row[j]!),
  );
  const n = rows.length;
  const centre = (x: Float64Array) => x.reduce((sum, own) => sum + own, 0) / n;
  const mean = intercept ? centre(y) : 0;
  const most = Math.max(
    ...columns.map((x) => Math.abs(x.reduce((sum, own, i) => sum + own * (y[i]! - mean), 0)) / n),
  );
  const lambda = share * most * (loss === 'square' ? 1 : 0.5);
  const { l1 = lambda, l2 = 0 } = options;
  return { columns, y, loss, l1, l2, intercept, standardize };
}

export type Ask = Partial<PhaseSchedule> & {
  readonly storage?: 'f32' | 'csr';
  readonly partitions?: number;
  readonly pipeline?: number;
  readonly tolerance?: number;
  readonly passes?: number;
  readonly certifyEvery?: number;
  readonly damping?: boolean;
  readonly seed?: number;
  readonly audit?: boolean;
};

/** The design as a loader would place it. */
export function placeDesign(arena: Arena, design: Design, storage: 'f32' | 'csr' = 'f32'): Samples {
  const values = Array.from(design.y, (_, i) => design.columns.map((x) => x[i]!));
  const numbers = design.loss === 'square';
  const targets = Array.from(design.y, (own) => (numbers ? 0 : Number(own > 0)));
  const shape = { columns: design.columns.length, classes: 2, scale: 1 };
  const data = placeSamples(arena, { storage, values, targets, ...shape });
  if (!numbers) return data;
  let row = 0;
  for (const { target, rows } of data.blocks) {
    for (let i = 0; i < rows; i++) arena.f32[target / 4 + i] = design.y[row + i]!;
    row += rows;
  }
  return { ...data, labels: 'number', classes: [] };
}

export function optionsOf(design: Design, ask: Ask): PhasesOptions {
  const { kind = 'dynamic', phaseSize = 8, threshold = 0.5, squared = false } = ask;
  const { floor = 0.01, refresh = false, schedulers = 1 } = ask;
  const { pipeline = 0, tolerance = 1e-6, passes = 2000, certifyEvery = 1, damping = false } = ask;
  const { loss, l1, l2, intercept, standardize } = design;
  return {
    ...{
      loss,
      lambda: l1 + l2,
      alpha: l1 / (l1 + l2),
      lambdaRatio: 0,
      path: 0,
      pathRatio: 1,
      classWeights: [1, 1],
      intercept,
      standardize,
      pipeline,
      tolerance,
      passes,
      certifyEvery,
      damping,
      audit: ask.audit ?? false,
    },
    ...{
      relativeTo: 'start',
      schedule: { kind, phaseSize, threshold, squared, floor, refresh, schedulers },
    },
  };
}

export function phasesRequest(data: Samples, design: Design, ask: Ask): RunRequest {
  const { partitions = 3, seed = 1, audit = false } = ask;
  return {
    ...{ program: { builtIn: 'linear-phases' }, userKernels: undefined, canary: undefined },
    ...{ data, options: optionsOf(design, ask), partitions, seed, audit },
    policy: { consistency: 'bsp', staleness: 0 },
  };
}

export type Solved = Readonly<Record<keyof typeof result, number>> & {
  readonly v: Float64Array;
  readonly b: number;
  readonly trace: readonly Readonly<Record<keyof typeof traced, number>>[];
};

/** What a run has left in the buffers of `host`. */
export function solvedOf(
  { arena }: Pick<Host, 'arena'>,
  { plan }: { readonly plan: { readonly buffers: Readonly<Record<string, number>> } & RunRequest },
): Solved {
  const at = (name: string) => (plan.buffers[name] ?? 0) / 8;
  const { variables } = phasesShape(plan as never);
  const named = <K extends string>(names: Readonly<Record<K, number>>, from: number) =>
    Object.fromEntries(
      Object.entries<number>(names).map(([name, index]) => [name, arena.f64[from + index] ?? NaN]),
    ) as Record<K, number>;
  const results = named(result, at('results'));
  const trace = Array.from({ length: results.rows }, (_, row) =>
    named(traced, at('trace') + row * traceCells),
  );
  const out = at('out');
  const v = arena.f64.slice(out, out + variables);
  return { ...results, v, b: arena.f64[out + variables]!, trace };
}

/** Places a design and solves it, on one host. */
export async function solveDesign(
  host: Host,
  design: Design,
  ask: Ask = {},
  hooks: RunHooks = {},
): Promise<Solved> {
  const mark = host.arena.mark();
  const data = placeDesign(host.arena, design, ask.storage);
  const run = await host.run(linearPhases, phasesRequest(data, design, ask), hooks);
  const solved = solvedOf(host, run);
  host.arena.release(mark);
  return solved;
}
