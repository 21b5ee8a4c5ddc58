// What the auditor of --audit asks about two variables in flight: do their columns correlate? From
// the data, by a way of its own: no moments that the filter asked for, and no cache.
import { assert } from '../../../base/assert.ts';
import type { Samples } from '../../../data/dataset.ts';
import type { Context } from '../../../program/program.ts';
import { addColumns, dots, openColumns } from '../columns.ts';
import type { PhasesOptions } from './layout.ts';

/** Correlation of columns j and k: Pearson's with an intercept, else the cosine. */
export type Correlate = (j: number, k: number) => number;

/** All rows lie on this host. */
export function openCorrelate(ctx: Context<PhasesOptions>): Correlate {
  const { arena, options } = ctx;
  const data = ctx.data as Samples;
  const columns = openColumns(ctx, data, { first: 0, last: data.rows });
  const vector = () => {
    const at = arena.allocate(columns.length * 8 + 16);
    arena.f64.fill(0, at / 8, at / 8 + columns.length + 2);
    return at;
  };
  const [ones, column] = [vector(), vector()];
  arena.f64.fill(1, ones / 8, ones / 8 + data.rows);
  const out = ctx.scratch.at;
  const list = out + 16;
  /** x_k·v */
  const product = (k: number, v: number): number => {
    arena.i32[list / 4] = k;
    dots(ctx, columns, { list: { at: list, count: 1 }, v, out });
    return arena.f64[out / 8] ?? NaN;
  };
  const add = (k: number, a: number) => {
    arena.i32[list / 4] = k;
    arena.f64[out / 8] = a;
    addColumns(ctx, columns, { list: { at: list, count: 1 }, a: out, v: column });
  };
  const known = new Map<string, number>();
  return (j, k) => {
    const pair = `${Math.min(j, k)} ${Math.max(j, k)}`;
    const found = known.get(pair);
    if (found !== undefined) return found;
    assert(j !== k, 'a pair is of two');
    const mean = (of: number) => (options.intercept ? product(of, ones) / data.rows : 0);
    const means = [mean(j), mean(k)] as const;
    add(j, 1);
    const moment = (of: number, a: number, b: number) => product(of, column) - data.rows * a * b;
    const both = moment(k, ...means);
    const first = moment(j, means[0], means[0]);
    add(j, -1);
    add(k, 1);
    const second = moment(k, means[1], means[1]);
    add(k, -1);
    const scale = Math.sqrt(first) * Math.sqrt(second);
    const correlation = scale > 0 ? both / scale : 0;
    known.set(pair, correlation);
    return correlation;
  };
}
