// The lasso by coordinate descent, several variables at once, picked by a dynamic schedule: it
// prefers what changed most and keeps correlated variables apart. The weights are a table.
//
//   min_w 1/(2n) ‖y − Xw‖² + λ‖w‖₁     w_j ← S(w_j + x_j·r/‖x_j‖², λ n/‖x_j‖²)
// A module for the command line; prints an objective of about 0.28:
//     perpetuum train build/test/05-dynamic-schedule.js examples/data/a9a.gz
import { createCorrelations, createSchedule, defineProgram, stepwise } from '../src/index.ts';
import type { Context, Samples, ScheduleContext, Steps, StepState } from '../src/index.ts';

const lambda = 0.01;
type Work = { readonly kind: 'moments' | 'slopes'; readonly list: readonly number[] };
/** A worker's rows by column, their residual, and the weights that it has in it. */
type State = { columns: Map<number, number>[]; residual: Float64Array; seen: Float64Array };
type Plan = StepState<Work, number[]>;

const soft = (x: number, by: number) => Math.sign(x) * Math.max(0, Math.abs(x) - by);
const dot = (one: Map<number, number>, other: (i: number) => number | undefined) =>
  [...one].reduce((sum, [i, x]) => sum + x * (other(i) ?? 0), 0);
const total = (partials: readonly number[][]) =>
  partials.reduce((sums, partial) => sums.map((sum, i) => sum + partial[i]!));

function readRows({ arena, data, worker, workers }: Context<null> & { worker: number }): State {
  const { blocks, columns: count } = data as Samples;
  const columns = Array.from({ length: count }, () => new Map<number, number>());
  const targets: number[] = [];
  for (const { target, rowStart, index, value, rows } of blocks) {
    for (let i = worker; i < rows; i += workers) {
      for (let e = arena.i32[rowStart / 4 + i]!; e < arena.i32[rowStart / 4 + i + 1]!; e++) {
        columns[arena.i32[index / 4 + e]!]!.set(targets.length, arena.f32[value / 4 + e]!);
      }
      targets.push(arena.i32[target / 4 + i] === 1 ? 1 : -1);
    }
  }
  return { columns, residual: Float64Array.from(targets), seen: new Float64Array(count) };
}

function* steps(ctx: ScheduleContext<null, Plan>): Steps<Work, number[]> {
  const { rows, columns: variables } = ctx.data as Samples;
  const all = (kind: Work['kind'], of: Int32Array): readonly Work[] =>
    Array.from({ length: ctx.workers }, () => ({ kind, list: [...of] }));
  const norms = new Float64Array(variables);
  const correlations = createCorrelations({ threshold: 0.1 });
  const schedule = createSchedule({ kind: 'dynamic', variables, want: 8, correlations });
  for (let left = 80; left > 0; left--) {
    const list = schedule.candidates(ctx.prng);
    const gram = list.length > 0 ? total(yield all('moments', list)) : [];
    list.forEach((j, i) => (norms[j] = gram[i * list.length + i]!));
    correlations.note(list, gram);
    const phase = schedule.next(ctx.prng)!;
    ctx.began(phase);
    const [loss = 0, ...slopes] = total(yield all('slopes', phase.picked));
    const weights = Array.from(ctx.table('weights').each(), ([, [weight = 0]]) => weight);
    const norm1 = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
    ctx.report({ objective: loss / (2 * rows) + lambda * norm1 });
    const changes = Float64Array.from(phase.picked, (j, i) => {
      const next = norms[j]! > 0 ? weights[j]! + slopes[i]! / norms[j]! : 0;
      return soft(next, (lambda * rows) / norms[j]!) - weights[j]!;
    });
    changes.forEach((change, i) => ctx.table('weights').inc(phase.picked[i]!, [change]));
    schedule.done(phase.number, changes);
    ctx.ended(phase.number);
  }
}

export const program = defineProgram<null, Work, State, Plan, number[]>({
  name: 'lasso-by-schedule',
  tables: ({ data }) => [{ name: 'weights', rows: (data as Samples).columns, columns: 1 }],
  start: readRows,
  push({ state: { columns, residual, seen }, ...ctx }, { kind, list }) {
    const own = list.map((j) => columns[j]!);
    if (kind === 'moments') return own.flatMap((a) => own.map((b) => dot(a, (i) => b.get(i))));
    for (const [j, [weight = 0]] of ctx.table('weights').each()) {
      const changed = weight === seen[j] ? [] : columns[j]!;
      for (const [i, x] of changed) residual[i]! -= (weight - seen[j]!) * x;
      seen[j] = weight;
    }
    return [residual.reduce((s, r) => s + r * r, 0), ...own.map((x) => dot(x, (i) => residual[i]))];
  },
  ...stepwise<null, Work, number[]>(steps),
});
