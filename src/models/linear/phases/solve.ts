// Coordinate descent by phases, the scheduler's side.
//
//   candidates ─▶ moments, where they are not known ─▶ phase ─▶ … pipeline … ─▶ update
//   update     w_j ← S(h_j w_j − g_j, l1) / (h_j + l2)      each on its own, all of a phase at once
//   priority   |Δ_j| √h_j: its square is twice what the step has gained at least
//
// h_j bounds the curvature along variable j: Σ x²/n for the square loss, a quarter of it for the
// logistic loss. Columns count as centred where there is an intercept (x_j − m_j, so it conflicts
// with no variable) and as scaled where they are standardized, without being written anew. Here is
// what happens at one λ; path.ts has the whole run.
import { createPrng } from '../../../base/prng.ts';
import { createCorrelations, type Correlations } from '../../../scheduler/correlations.ts';
import { createSchedule, type Phase, type Schedule } from '../../../scheduler/schedule.ts';
import { auditPairs } from './audit.ts';
import { certify } from './certificate.ts';
import type { Flow } from './flow.ts';
import { cell, slotOf, traceCells, traceRowsMax } from './layout.ts';
import { ask, rowsOf, send, type Problem } from './scheduler.ts';
import type { PhaseWork } from './worker.ts';

/** A phase that was sent; `answers` works are pulled when its sums are there. */
type Flight = Phase & { readonly answers: number; readonly offset: number };

export type Solve = {
  readonly problem: Problem;
  schedule: Schedule;
  readonly correlations: Correlations | undefined;
  readonly prng: ReturnType<typeof createPrng>;
  readonly flights: Flight[];
  readonly counts: { updates: number; phases: number; turnedDown: number; certificates: number };
  /** Objective of w = 0, the best so far, and the best bound below. */
  start: number;
  best: number;
  dual: number;
  diverged: boolean;
  /** Of the best. */
  nonzeros: number;
  /** Objective at the last certificate. */
  last: number;
};

function openSchedule({ ctx, shape }: Problem, correlations: Correlations | undefined): Schedule {
  const { schedule, pipeline: depth } = ctx.options;
  const { kind, squared, floor, schedulers } = schedule;
  return createSchedule({
    // A filter breaks fixed blocks up: what it leaves out goes first, then on in order.
    kind: kind === 'static' && correlations !== undefined ? 'cyclic' : kind,
    ...{ variables: shape.variables, want: shape.size, squared, floor, schedulers },
    ...{ correlations, depth },
  });
}

export function openSolve(problem: Problem): Solve {
  const { ctx, shape } = problem;
  const { threshold } = ctx.options.schedule;
  const slots = Math.max(2, Math.min(shape.variables, Math.max(4096, 4 * shape.candidates)));
  const correlations = threshold < 1 ? createCorrelations({ threshold, slots }) : undefined;
  return {
    problem,
    schedule: openSchedule(problem, correlations),
    correlations,
    // Not the clock's: what is drawn must not depend on how many works an audit or a host adds.
    prng: createPrng(ctx.seed, 1),
    flights: [],
    counts: { updates: 0, phases: 0, turnedDown: 0, certificates: 0 },
    ...{ start: 0, best: Infinity, dual: -Infinity, diverged: false, last: Infinity, nonzeros: 0 },
  };
}

/** Has the moments of `list` computed and noted; centred, so they make Pearson's correlation. */
function* noteMoments(
  { problem }: Solve,
  correlations: Correlations,
  list: Int32Array,
): Flow<PhaseWork> {
  const { ctx, means } = problem;
  const count = list.length;
  const fresh = correlations.newOf(list);
  ctx.arena.i32.set(list, ctx.buffer('candidates') / 4);
  ctx.share('candidates', 0, count * 4);
  yield* ask(problem, { kind: 'moments', count, fresh });
  const at = ctx.buffer('moments');
  ctx.kernels.phase_gradient(fresh * count, ctx.partitions, 0, at, 0, 0, at);
  const gram = ctx.arena.f64.subarray(at / 8, at / 8 + fresh * count);
  if (ctx.options.intercept) {
    const n = rowsOf(problem);
    for (let j = 0; j < fresh; j++) {
      const own = n * (means[list[j] ?? 0] ?? 0);
      for (let k = 0; k < count; k++) gram[j * count + k]! -= own * (means[list[k] ?? 0] ?? 0);
    }
  }
  correlations.note(list, gram);
}

/** The next phase, when what has to be known of its candidates is; undefined: none can begin. */
function* nextPhase(solve: Solve): Flow<PhaseWork, Phase | undefined> {
  const { schedule, correlations, prng } = solve;
  for (;;) {
    const unknown = schedule.candidates(prng);
    if (unknown.length > 0 && correlations) yield* noteMoments(solve, correlations, unknown);
    const phase = schedule.next(prng);
    if (phase !== undefined || unknown.length === 0) return phase;
  }
}

function* beginPhase(solve: Solve, phase: Phase): Flow<PhaseWork> {
  const { problem, flights, counts } = solve;
  const { ctx, told: from, ended: to, offset: t } = problem;
  const { list } = slotOf(ctx, phase.number);
  ctx.arena.i32[list.at / 4] = phase.picked.length;
  ctx.arena.i32.set(phase.picked, list.at / 4 + 1);
  ctx.share('lists', list.offset, (phase.picked.length + 1) * 4);
  if (ctx.options.audit && ctx.options.schedule.threshold < 1) {
    const flying = flights.flatMap(({ picked }) => Array.from(picked));
    ctx.state.audited = yield* auditPairs(problem, phase.picked, flying);
  }
  ctx.began(phase);
  yield* send(problem, { kind: 'phase', phase: phase.number, t, from, to });
  problem.told = to;
  flights.push({ ...phase, answers: problem.sent, offset: t });
  counts.updates += phase.picked.length;
  counts.phases += 1;
  counts.turnedDown += phase.turnedDown;
}

const shrink = (x: number, by: number) => Math.sign(x) * Math.max(0, Math.abs(x) - by);

/** Σ g over all rows as the phase met it. */
function slopesOf({ ctx, shape }: Problem, flight: Flight): number {
  const { options, partitions, arena } = ctx;
  if (options.loss === 'square') return -(ctx.data as { rows: number }).rows * flight.offset;
  let sum = 0;
  const { sums } = slotOf(ctx, flight.number);
  for (let p = 0; p < partitions; p++) {
    sum += arena.f64[sums(p).at / 8 + shape.size + cell.slopes] ?? 0;
  }
  return sum;
}

/** Each variable of the phase moves to the optimum of its bound, all from what the phase met. */
function update(problem: Problem, flight: Flight): Float64Array {
  const { ctx, means, inverses, curvatures, weights } = problem;
  const { options, partitions, arena } = ctx;
  const { l1, l2 } = problem;
  const n = rowsOf(problem);
  const { changes, sums } = slotOf(ctx, flight.number);
  const slopes = slopesOf(problem, flight);
  const lines = Array.from({ length: partitions }, (_, p) => sums(p).at / 8);
  const moved = Float64Array.from(flight.picked, (j, i) => {
    const [m = 0, r = 1, h = 0, w = 0] = [means[j], inverses[j], curvatures[j], weights[j]];
    const dot = lines.reduce((sum, line) => sum + (arena.f64[line + i] ?? 0), 0);
    const gradient = ((dot - slopes * m) * r) / n;
    const c = problem.caution * h;
    const to = h > 0 ? shrink(c * w - gradient, l1) / (c + l2) : 0;
    weights[j] = to;
    arena.f64[changes.at / 8 + i] = (to - w) * r;
    problem.offset -= (to - w) * r * m;
    return Math.abs(to - w) * Math.sqrt(h);
  });
  // Phases in flight have not seen the last step of the intercept: it waits for one that has.
  if (options.loss === 'logistic' && options.intercept) {
    if (flight.number % (options.pipeline + 1) === 0) {
      problem.offset -= (4 * slopes) / (n * problem.rowWeight);
    }
  }
  ctx.share('changes', changes.offset, flight.picked.length * 8);
  problem.ended += 1;
  return moved;
}

/** Waits for the oldest phase in flight, and takes its changes in. */
function* endOldest(solve: Solve): Flow<PhaseWork> {
  const { problem, flights, schedule } = solve;
  const flight = flights.shift();
  if (flight === undefined) return;
  yield { pulled: flight.answers };
  const moved = update(problem, flight);
  problem.ctx.ended(flight.number);
  if (moved.every(Number.isFinite)) schedule.done(flight.number, moved);
  else solve.diverged = true;
}

/** Priorities by what each variable would move by now; the gradient is the certificate's. */
function refresh({ problem, schedule }: Solve): void {
  const { ctx, weights, curvatures, shape } = problem;
  const { l1, l2 } = problem;
  const n = rowsOf(problem);
  const at = ctx.buffer('gradient') / 8;
  const moves = new Float64Array(shape.variables);
  moves.forEach((_, j) => {
    const [h = 0, w = 0, g = 0] = [curvatures[j], weights[j], ctx.arena.f64[at + j]];
    const to = h > 0 ? shrink(h * w - g / n, l1) / (h + l2) : 0;
    moves[j] = Math.abs(to - w) * Math.sqrt(h);
  });
  schedule.setPriorities(moves);
}

/** Shorter steps. With h times the number of variables in flight no sum of them is too long. */
function takeCare(problem: Problem, times: number): boolean {
  const most = problem.shape.size * (problem.ctx.options.pipeline + 1);
  const isNew = problem.caution < most;
  problem.caution = Math.min(most, times * problem.caution);
  return isNew;
}

/** Back to w = 0, where what has diverged cannot have left rounding errors. */
function* startAgain(solve: Solve): Flow<PhaseWork> {
  const { problem, flights } = solve;
  const { ctx } = problem;
  flights.splice(0).forEach(({ number }) => ctx.ended(number));
  yield* ask(problem, { kind: 'reset' });
  problem.weights.fill(0);
  Object.assign(problem, { offset: 0, ended: 0, told: 0 });
  solve.schedule = openSchedule(problem, solve.correlations);
  Object.assign(solve, { diverged: false, last: Infinity });
}

/** An objective that much above the one of w = 0 does not come back. */
const growthMax = 2;

/** True when the run is to end. */
function* conclude(solve: Solve): Flow<PhaseWork, boolean> {
  const { problem, flights, counts } = solve;
  const { ctx } = problem;
  const { tolerance, relativeTo, schedule, damping } = ctx.options;
  while (flights.length > 0 && !solve.diverged) yield* endOldest(solve);
  if (!solve.diverged) {
    const { objective, dual } = yield* certify(problem);
    if (counts.certificates === 0) solve.start = objective;
    solve.diverged = !(objective <= growthMax * solve.start);
    if (damping && objective >= solve.last) takeCare(problem, 1.5);
    solve.last = objective;
    solve.dual = Math.max(solve.dual, dual);
    keep(solve, objective);
  }
  const row = Math.min(counts.certificates, traceRowsMax - 1) * traceCells;
  const gap = solve.best - solve.dual;
  const { updates, phases } = counts;
  ctx.arena.f64.set([updates, phases, solve.best, gap], ctx.buffer('trace') / 8 + row);
  counts.certificates += 1;
  ctx.report({ updates, objective: solve.best, gap });
  if (solve.diverged && damping && takeCare(problem, 4)) yield* startAgain(solve);
  else if (schedule.kind === 'dynamic' && schedule.refresh && !solve.diverged) refresh(solve);
  const scale = relativeTo === 'start' ? solve.start : solve.best;
  return solve.diverged || gap <= tolerance * scale;
}

/** Writes the result down when it is the best so far. */
function keep(solve: Solve, objective: number): void {
  const { problem } = solve;
  const { ctx, weights, inverses, shape } = problem;
  if (!(objective < solve.best)) return;
  solve.best = objective;
  const out = ctx.buffer('out') / 8;
  weights.forEach((w, j) => (ctx.arena.f64[out + j] = w * (inverses[j] ?? 1)));
  ctx.arena.f64[out + shape.variables] = problem.mean + problem.offset;
  const returned = ctx.arena.f64.subarray(out, out + shape.variables + 1);
  ctx.arena.f32.set(returned, ctx.buffer('coefficients') / 4);
  solve.nonzeros = returned.subarray(0, -1).reduce((sum, v) => sum + Number(v !== 0), 0);
}

/** Solves at one λ, from the weights that stand there; at most `passes` passes. */
export function* solveAt(solve: Solve, lambda: number): Flow<PhaseWork> {
  const { problem, flights, counts } = solve;
  const { passes, certifyEvery, pipeline, alpha } = problem.ctx.options;
  const { variables } = problem.shape;
  problem.l1 = lambda * alpha;
  problem.l2 = lambda * (1 - alpha);
  Object.assign(solve, { best: Infinity, dual: -Infinity, last: Infinity });
  const most = counts.updates + passes * variables;
  const begun = counts.updates;
  let done = yield* conclude(solve);
  let certifyAt = begun + certifyEvery * variables;
  while (!done) {
    while (flights.length > pipeline && !solve.diverged) yield* endOldest(solve);
    const phase = yield* nextPhase(solve);
    const idle = phase === undefined && flights.length === 0;
    if (phase !== undefined) yield* beginPhase(solve, phase);
    else yield* endOldest(solve);
    const over = counts.updates >= most || idle || solve.diverged;
    if (!over && counts.updates < certifyAt) continue;
    done = (yield* conclude(solve)) || over;
    const so = counts.updates - begun;
    certifyAt = counts.updates + Math.max(certifyEvery * variables, 0.1 * so);
  }
}
