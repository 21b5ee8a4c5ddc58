// Reducers: another F than A ← A + Δ, applied where a row's owner takes deltas in. Copies of the
// row on other hosts show the plain sum until the owner's value arrives.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Arena } from '../memory/arena.ts';
import { recordKind, type DeltaRecord } from './delta-log.ts';
import type { FoldPlace, RowRange } from './fold.ts';
import type { TablePlan, TableSpec } from './table.ts';

/**
 * How the owner of a dense row takes a delta in:
 *
 * - `nonnegative`: A ← max(0, A + Δ).
 * - `softThreshold`: A + Δ, moved towards 0 by that much: the proximal step of the L1 norm.
 * - `adaRevision`: Δ is a step before scaling, minus a gradient; it is scaled for each parameter by
 *   initialStep / √(1 + Σ squares), and revised for what others added since it was computed
 *   (McMahan & Streeter 2014). Keeps 16 bytes for each parameter next to the table.
 * - `kernel`: an export of the program's own kernel module, called with
 *   (count, rowBytes, rows, deltas, base): for i < count, the row whose number is the i-th i32 at
 *   `rows` stands at base + number · rowBytes and takes in the delta row at deltas + i · rowBytes.
 *   It returns −1, or the number of a row that is not finite.
 *
 * One delta is one row of one inc; from another host it is all that this host added to the row
 * since it sent last, except in bulk-synchronous runs. A row of zeros is no delta.
 */
export type Reducer =
  | 'nonnegative'
  | { readonly softThreshold: number }
  | { readonly adaRevision: { readonly initialStep: number } }
  | { readonly kernel: string };

export type ReducerPlan = {
  readonly how: Reducer;
  /** The rows of this host: no others are reduced. */
  readonly own: RowRange;
  /** Where the state of row 0 would be, and bytes from one row's to the next. */
  readonly state: number;
  readonly stateBytes: number;
};

/** Why a table cannot have its reducer, or undefined. */
export function reducerRefusal(spec: TableSpec): string | undefined {
  const { reducer, type = 'f32', layout = 'dense', access, columns } = spec;
  if (reducer === undefined) return undefined;
  if (layout !== 'dense' || access === 'owned') return 'a reducer is for dense rows with deltas';
  if (columns > limits.reducedColumnsMax) {
    return `a table with a reducer has at most ${limits.reducedColumnsMax} columns`;
  }
  if (typeof reducer === 'object' && 'kernel' in reducer) return undefined;
  if (type !== 'f32') return 'this reducer is for f32 values';
  if (reducer === 'nonnegative') return undefined;
  const [step, rule] =
    'softThreshold' in reducer
      ? [reducer.softThreshold, 'softThreshold']
      : [reducer.adaRevision.initialStep, 'initialStep'];
  return Number.isFinite(step) && step >= 0 ? undefined : `${rule} must be a number >= 0`;
}

/** Allocates what the reducer of a table keeps. */
export function planReducer(
  arena: Arena,
  spec: TableSpec,
  own: RowRange,
  rowBytes: number,
): ReducerPlan | undefined {
  const { reducer: how } = spec;
  if (how === undefined) return undefined;
  const keeps = typeof how === 'object' && 'adaRevision' in how;
  if (!keeps) return { how, own, state: 0, stateBytes: 0 };
  const stateBytes = 16 + 4 * rowBytes;
  const bytes = (own.last - own.first) * stateBytes;
  const at = arena.allocate(bytes);
  arena.u8.fill(0, at, at + bytes);
  return { how, own, state: at - own.first * stateBytes, stateBytes };
}

/** `count` rows of deltas at `values`, `stride` bytes apart. */
export type DeltaRows = {
  /** Their numbers (i32); 0: the rows from `first` on. */
  readonly list: number;
  readonly first: number;
  readonly count: number;
  readonly values: number;
  readonly stride: number;
};

type Reduce = (count: number, rows: number, deltas: number) => number;

function reduceOf(place: FoldPlace, table: TablePlan, plan: ReducerPlan, clock: number): Reduce {
  const { kernels, userKernels } = place;
  const { how, state, stateBytes } = plan;
  const { rowBytes, at } = table;
  if (how === 'nonnegative') {
    return (count, rows, deltas) => kernels.rows_add_nonnegative(count, rowBytes, rows, deltas, at);
  }
  if ('softThreshold' in how) {
    const { softThreshold: by } = how;
    return (count, rows, deltas) => kernels.rows_add_shrunk(by, count, rowBytes, rows, deltas, at);
  }
  if ('adaRevision' in how) {
    const { initialStep } = how.adaRevision;
    const head = [initialStep, clock, stateBytes] as const;
    return (count, rows, deltas) =>
      kernels.rows_add_revised(...head, count, rowBytes, rows, deltas, at, state);
  }
  const kernel = userKernels[how.kernel];
  if (kernel !== undefined) {
    return (count, rows, deltas) => kernel(count, rowBytes, rows, deltas, at);
  }
  const rule = `table "${table.name}": its reducer is an export of the program's kernel module`;
  throw new SystemError('ERR_PROGRAM', `${rule}, which has no "${how.kernel}"`);
}

/** Rows that are looked at in one go. */
const chunkBytes = 512 * 1024;

/**
 * Lets the reducer of `table` take in those of the delta rows that are own and in `within`. Returns
 * −1, or a row that is not finite. Uses the scratch of `place`.
 */
export function reduceRows(
  place: FoldPlace,
  table: TablePlan,
  deltas: DeltaRows,
  at: { readonly within: RowRange; readonly clock: number },
): number {
  const { arena, kernels, scratch } = place;
  const { reducer: plan, rowBytes, columns } = table;
  if (plan === undefined) return -1;
  const { i32 } = arena;
  const first = Math.max(plan.own.first, at.within.first);
  const last = Math.min(plan.own.last, at.within.last);
  const most = Math.max(1, Math.min(4096, Math.floor(chunkBytes / rowBytes)));
  const [list, counts, room] = [scratch, scratch + 4 * most, scratch + ((8 * most + 15) & ~15)];
  const reduce = reduceOf(place, table, plan, at.clock);
  for (let done = 0; done < deltas.count; done += most) {
    const n = Math.min(most, deltas.count - done);
    for (let i = 0; i < n; i++) {
      const named = deltas.list === 0 ? deltas.first + done + i : i32[deltas.list / 4 + done + i];
      i32[list / 4 + i] = named ?? 0;
    }
    let values = deltas.values + done * deltas.stride;
    if (deltas.stride !== rowBytes) {
      arena.u8.fill(0, room, room + n * rowBytes);
      kernels.rows_repack(n, columns * 4, deltas.stride, rowBytes, values, room);
      values = room;
    }
    kernels.rows_nonzeros(n, columns, rowBytes, 0, values, counts);
    const counted = (i: number) => {
      const row = i32[list / 4 + i] ?? 0;
      return i < n && row >= first && row < last && i32[counts / 4 + i] !== 0;
    };
    for (let from = 0; from < n; from++) {
      if (!counted(from)) continue;
      let to = from + 1;
      while (counted(to)) to++;
      const bad = reduce(to - from, list + 4 * from, values + from * rowBytes);
      if (bad >= 0) return bad;
      from = to;
    }
  }
  return -1;
}

/** Room for one row of deltas, where `reduceRows` does not look for its own. */
function rowRoom(place: FoldPlace, { rowBytes }: TablePlan): number {
  const at = place.scratch + 3 * chunkBytes;
  place.arena.u8.fill(0, at, at + rowBytes);
  return at;
}

/** Entries of one row: `count` (i32 at `counts`) columns and values. */
export function reduceEntries(
  place: FoldPlace,
  table: TablePlan,
  entries: { row: number; counts: number; columns: number; values: number },
  at: { readonly within: RowRange; readonly clock: number },
): number {
  const { row: first, counts, columns, values } = entries;
  const { rowBytes } = table;
  const isFloat = table.type === 'f32' ? 1 : 0;
  const row = rowRoom(place, table);
  const { entries_add } = place.kernels;
  const bad = entries_add(isFloat, 0, 1, rowBytes, 0, counts, columns, values, row);
  if (bad >= 0) return first;
  const one = { list: 0, first, count: 1, values: row, stride: rowBytes };
  return reduceRows(place, table, one, at);
}

/** Values of `count` columns of one row, from `column` on. */
export function reduceSpan(
  place: FoldPlace,
  table: TablePlan,
  span: { row: number; column: number; count: number; values: number },
  at: { readonly within: RowRange; readonly clock: number },
): number {
  const { u8 } = place.arena;
  const row = rowRoom(place, table);
  u8.copyWithin(row + 4 * span.column, span.values, span.values + 4 * span.count);
  const stride = table.rowBytes;
  return reduceRows(place, table, { list: 0, first: span.row, count: 1, values: row, stride }, at);
}

/** A record of a delta log. */
export function reduceRecord(
  place: FoldPlace,
  table: TablePlan,
  record: DeltaRecord,
  at: { readonly within: RowRange; readonly clock: number },
): number {
  const { kind, first, count, keys, values } = record;
  const stride = table.rowBytes;
  if (kind === recordKind.entries) {
    return reduceEntries(place, table, { row: first, counts: keys - 4, columns: keys, values }, at);
  }
  if (kind === recordKind.span) {
    const column = place.arena.i32[keys / 4] ?? 0;
    return reduceSpan(place, table, { row: first, column, count, values }, at);
  }
  const list = kind === recordKind.rows ? keys : 0;
  return reduceRows(place, table, { list, first, count, values, stride }, at);
}
