// The program of the fuzz of scheduled programs. Each clock gives some of the workers work that
// depends on all partials before; pushes read and add to tables, hand tokens to other workers in a
// buffer or in place in a table, and gather words for the scheduler. What is shared is checked
// where it is needed; everything is told to `report`.
import { SystemError } from '../../src/base/errors.ts';
import type { Prng } from '../../src/base/prng.ts';
import {
  defineProgram,
  type Context,
  type PushContext,
  type ScheduleContext,
} from '../../src/program/program.ts';
import type { Partials } from '../checkers/partials.ts';
import { failureWords } from './ps-program.ts';
import type { ScheduledPlan } from './scheduled-plan.ts';

type Token = { readonly from: number; readonly clock: number; readonly value: number };
type Work = {
  readonly clock: number;
  readonly salt: number;
  readonly board: number;
  /** The worker that gets a token from this one; −1: nobody. */
  readonly to: number;
  readonly expect: readonly Token[];
};
type Partial = { readonly worker: number; readonly clock: number; readonly value: number };
type State = {
  digest: number;
  pulled: number;
  readonly sent: Map<number, readonly Work[]>;
  readonly tokens: Map<number, Token[]>;
};
type Push = PushContext<unknown, unknown>;
type Schedule = ScheduleContext<unknown, State>;

/** What the program tells; `wrong`: something shared was not there in time. */
export type ScheduledReport = Partials & { wrong(words: string): void };

const boardWords = 16;
const tokenWords = 8;
const gatherWords = 64;
const readsMax = 4;

export function mix(...values: readonly number[]): number {
  let hash = 0x2f0b4a37;
  for (const value of values) {
    hash = Math.imul(hash ^ value, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash | 0;
}

type Delta = { table: number; row: number; column: number; amount: number };

/** Adds to rows of random tables in every way there is; what was added. */
function addSome(
  ctx: Push | Schedule,
  { tables }: ScheduledPlan,
  prng: Prng,
  scratch: number,
): readonly Delta[] {
  const deltas: Delta[] = [];
  for (let n = prng.below(4); n > 0; n--) {
    const table = prng.below(tables.length);
    const spec = tables[table];
    if (spec === undefined) continue;
    const view = ctx.table(spec.name);
    const isFloat = spec.type === 'f32';
    const row = prng.below(spec.rows);
    const first = prng.below(spec.columns);
    const amounts = Array.from({ length: spec.columns - first }, () =>
      isFloat ? Math.fround(prng.uniform() - 0.3) : prng.below(9) - 3,
    );
    const whole = [...new Array<number>(first).fill(0), ...amounts];
    const words = isFloat ? ctx.arena.f32 : ctx.arena.i32;
    const way = prng.below(4);
    if (way === 0) view.inc(row, whole);
    else if (way === 1) view.incSpan(row, first, amounts);
    else if (way === 2) words.set(whole, view.incRange(row, Math.min(2, spec.rows - row)) / 4);
    else {
      ctx.arena.i32[scratch / 4] = row;
      words.set(whole, view.incRows(scratch, 1) / 4);
    }
    amounts.forEach((amount, i) => deltas.push({ table, row, column: first + i, amount }));
  }
  return deltas;
}

export function scheduledProgram(plan: ScheduledPlan, report: ScheduledReport) {
  const { tables, clocks, pipeline, seed } = plan;
  /** Places of each kind: more than clocks go by until one is written again. */
  const slots = 2 * pipeline + 8;
  const cells = (ctx: Context<unknown>, name: string, place: number, words: number) => {
    const at = ctx.buffer(name) / 4 + place * words;
    return ctx.arena.i32.subarray(at, at + words);
  };
  const holds = (words: Int32Array, value: number) =>
    words.every((word, i) => word === mix(value, i));
  const fill = (words: Int32Array, value: number) => {
    words.forEach((_, i) => (words[i] = mix(value, i)));
  };
  /** Tokens of even clocks are in a buffer, the others in a table that is written in place. */
  const tokenAt = (ctx: Push, { from, clock }: Pick<Token, 'from' | 'clock'>) => {
    const place = from * slots + (clock % slots);
    const name = clock % 2 === 0 ? 'tokens' : 'own';
    const at = name === 'own' ? ctx.table('own').at : ctx.buffer('tokens');
    const first = at / 4 + place * tokenWords;
    const words = ctx.arena.i32.subarray(first, first + tokenWords);
    return { name, from: place * tokenWords * 4, words };
  };

  const read = (ctx: Push): number => {
    let sum = 0;
    tables.forEach(({ name, rows, columns, access }, table) => {
      if (access === 'none') return;
      const view = ctx.table(name);
      const list = (ctx.scratch.at + 4 * readsMax * table) / 4;
      for (let i = 0; i < Math.min(readsMax, rows); i++) {
        const row = access === 'rows' ? (ctx.arena.i32[list + i] ?? 0) : ctx.prng.below(rows);
        const column = ctx.prng.below(columns);
        const value = view.get(access === 'rows' ? i : row)[column] ?? NaN;
        report.read(ctx.clock, { table, row, column }, value);
        sum = mix(sum, Math.round(value * 1000));
      }
    });
    // With a pipeline what is read depends on time, within bounds.
    return pipeline === 0 ? sum : 0;
  };

  const schedule = (ctx: Schedule): readonly Work[] | undefined => {
    const { state, clock, prng, workers } = ctx;
    report.begins();
    if (clock >= clocks) {
      cells(ctx, 'result', 0, boardWords).fill(state.digest);
      ctx.share('result', 0, boardWords * 4);
      return undefined;
    }
    if (clock > state.pulled && prng.below(6) === 0) return undefined;
    const count = prng.below(8) === 0 ? 0 : 1 + prng.below(workers);
    const salt = mix(seed, state.digest, clock);
    const slot = clock % slots;
    fill(cells(ctx, 'board', slot, boardWords), salt);
    const half = prng.below(boardWords) * 4;
    ctx.share('board', slot * boardWords * 4, half);
    ctx.share('board', slot * boardWords * 4 + half, boardWords * 4 - half);
    const own = addSome(ctx, plan, prng, ctx.scratch.at + 4096);
    for (const delta of own) report.schedulerAdded(delta);
    const works = Array.from({ length: count }, (_, worker): Work => {
      const due = state.tokens.get(worker) ?? [];
      state.tokens.delete(worker);
      const expect = due.filter((token) => token.clock > clock - slots + pipeline + 2);
      const to = prng.below(3) === 0 ? -1 : prng.below(workers);
      return { clock, salt: mix(salt, worker), board: salt, to, expect };
    });
    state.sent.set(clock, works);
    report.scheduled(clock, works.length);
    return works;
  };

  const push = (ctx: Push, work: Work): Partial => {
    const { worker, clock, prng } = ctx;
    const { failure } = plan;
    if (failure?.worker === worker && clock >= failure.clock) {
      throw new SystemError('ERR_PROGRAM', failureWords);
    }
    const at = `worker ${worker} at clock ${clock}`;
    if (work.clock !== clock) report.wrong(`${at} has the work of clock ${work.clock}`);
    if (!holds(cells(ctx, 'board', clock % slots, boardWords), work.board)) {
      report.wrong(`${at} does not see the board of its clock`);
    }
    for (const token of work.expect) {
      if (holds(tokenAt(ctx, token).words, token.value)) continue;
      report.wrong(`${at} does not see the token of worker ${token.from}, clock ${token.clock}`);
    }
    const value = mix(work.salt, read(ctx), Math.round(prng.uniform() * 1e6));
    const deltas = addSome(ctx, plan, prng, ctx.scratch.at + 4096);
    if (work.to >= 0) {
      const { name, from, words } = tokenAt(ctx, { from: worker, clock });
      fill(words, value);
      ctx.share(name, from, tokenWords * 4, work.to);
    }
    const place = worker * slots + (clock % slots);
    fill(cells(ctx, 'gathered', place, gatherWords), value);
    ctx.share('gathered', place * gatherWords * 4, gatherWords * 4);
    const partial = { worker, clock, value };
    report.pushed(worker, clock, { partial, deltas });
    return partial;
  };

  const pull = (ctx: Schedule, partials: readonly Partial[]): void => {
    const { state, clock, prng } = ctx;
    const views = tables.map(({ name }) => ctx.table(name));
    const { i32, f32 } = ctx.arena;
    report.pulled(clock, partials, (table, row, column) => {
      const { at = 0, rowBytes = 0 } = views[table] ?? {};
      const words = tables[table]?.type === 'i32' ? i32 : f32;
      return words[(at + row * rowBytes) / 4 + column] ?? NaN;
    });
    const works = state.sent.get(clock) ?? [];
    state.sent.delete(clock);
    partials.forEach(({ value }, worker) => {
      const place = worker * slots + (clock % slots);
      if (!holds(cells(ctx, 'gathered', place, gatherWords), value)) {
        report.wrong(`pull of clock ${clock} does not see what worker ${worker} gathered`);
      }
      state.digest = mix(state.digest, value);
      const to = works[worker]?.to ?? -1;
      if (to < 0) return;
      const tokens = state.tokens.get(to) ?? [];
      state.tokens.set(to, tokens);
      tokens.push({ from: worker, clock, value });
    });
    state.pulled = clock + 1;
    for (const delta of addSome(ctx, plan, prng, ctx.scratch.at + 4096)) {
      report.schedulerAdded(delta);
    }
  };

  return defineProgram<unknown, Work, null, State, Partial>({
    name: 'scheduled fuzz',
    tables: ({ workers }) => [
      ...tables,
      { name: 'own', rows: workers * slots, columns: tokenWords, type: 'i32', access: 'owned' },
    ],
    buffers: ({ workers }) => [
      { name: 'board', bytes: slots * boardWords * 4 },
      { name: 'tokens', bytes: workers * slots * tokenWords * 4 },
      { name: 'gathered', bytes: workers * slots * gatherWords * 4 },
      { name: 'result', bytes: boardWords * 4 },
    ],
    deltaBytes: () => 16 * 1024,
    pipeline: () => pipeline,
    start: () => null,
    startSchedule: () => ({ digest: seed, pulled: 0, sent: new Map(), tokens: new Map() }),
    reads(ctx) {
      const reads: Record<string, { at: number; count: number }> = {};
      tables.forEach(({ name, rows, access }, table) => {
        if (access !== 'rows') return;
        const at = ctx.scratch.at + 4 * readsMax * table;
        const count = Math.min(readsMax, rows);
        for (let i = 0; i < count; i++) ctx.arena.i32[at / 4 + i] = ctx.prng.below(rows);
        reads[name] = { at, count };
      });
      return reads;
    },
    ...{ schedule, push, pull },
  });
}
