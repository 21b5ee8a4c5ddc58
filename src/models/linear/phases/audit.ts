// What the auditor of --audit asks of two variables in flight: do their columns correlate? Before a
// phase begins, all hosts measure its variables and those in flight, each over its own rows: from
// the columns, whatever the filter was told or remembers.
//
//   a partition's line   Σ x of `count` variables │ Σ x² │ Σ x_j x_k, `count` for each of `fresh`
import type { Context } from '../../../program/program.ts';
import { addColumns, dots, type Columns } from '../columns.ts';
import type { Flow } from './flow.ts';
import { auditLine } from './layout.ts';
import { ask, rowsOf, type Problem } from './scheduler.ts';
import type { PhaseWork } from './worker.ts';

/** Of `count` variables the first `fresh` are about to begin, the others are in flight. */
export type Audit = { readonly count: number; readonly fresh: number };

/** Correlations of pairs in flight, by `pairOf`: Pearson's with an intercept, else the cosine. */
export type Audited = ReadonlyMap<string, number>;

export const pairOf = (j: number, k: number) => `${Math.min(j, k)} ${Math.max(j, k)}`;

type Place = Pick<Context<unknown>, 'arena' | 'kernels' | 'poll' | 'scratch'>;

/** Writes a partition's line at `out`. `column`: zeros, one for each row, before and after. */
export function measurePairs(
  ctx: Place,
  { columns, column }: { readonly columns: Columns; readonly column: number },
  { count, fresh, list, out }: Audit & { readonly list: number; readonly out: number },
): void {
  const { f64 } = ctx.arena;
  const [squares, products] = [out + count * 8, out + count * 16];
  const all = { at: list, count };
  f64.fill(1, column / 8, column / 8 + columns.rows);
  dots(ctx, columns, { list: all, v: column, out });
  f64.fill(0, column / 8, column / 8 + columns.rows);
  const factor = ctx.scratch.at;
  for (let k = 0; k < count; k++) {
    const own = { at: list + k * 4, count: 1 };
    f64[factor / 8] = 1;
    addColumns(ctx, columns, { list: own, a: factor, v: column });
    dots(ctx, columns, { list: own, v: column, out: squares + k * 8 });
    const line = products + k * count * 8;
    if (k < fresh) dots(ctx, columns, { list: all, v: column, out: line });
    // x − x is 0, to the bit.
    f64[factor / 8] = -1;
    addColumns(ctx, columns, { list: own, a: factor, v: column });
  }
}

/** Has pairs of those that are about to begin measured, with each other and with `flying`. */
export function* auditPairs(
  problem: Problem,
  picked: Int32Array,
  flying: readonly number[],
): Flow<PhaseWork, Audited> {
  const { ctx, shape } = problem;
  const list = Int32Array.from([...picked, ...flying]);
  const [count, fresh] = [list.length, picked.length];
  ctx.arena.i32.set(list, ctx.buffer('candidates') / 4);
  ctx.share('candidates', 0, count * 4);
  yield* ask(problem, { kind: 'audit', count, fresh });
  const sum = (index: number) => {
    let all = 0;
    for (let p = 0; p < ctx.partitions; p++) {
      all += ctx.arena.f64[ctx.buffer('audit') / 8 + p * auditLine(shape) + index] ?? NaN;
    }
    return all;
  };
  const n = rowsOf(problem);
  const mean = (k: number) => (ctx.options.intercept ? sum(k) / n : 0);
  const means = Array.from(list, (_, k) => mean(k));
  const moment = (index: number, j: number, k: number) => sum(index) - n * means[j]! * means[k]!;
  const norms = means.map((_, k) => Math.sqrt(moment(count + k, k, k)));
  const found = new Map<string, number>();
  for (let j = 0; j < fresh; j++) {
    for (let k = j + 1; k < count; k++) {
      const scale = norms[j]! * norms[k]!;
      const both = moment((2 + j) * count + k, j, k);
      found.set(pairOf(list[j]!, list[k]!), scale > 0 ? both / scale : 0);
    }
  }
  return found;
}
