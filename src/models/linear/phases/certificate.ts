// The certificate of coordinate descent by phases: objective and duality gap, from the gradient of
// all variables, in f64.
//
//   P(w, b) = (1/n) Σ f(z_i) + l1 ‖w‖₁ + l2 ‖w‖²/2
//   D(θ)    = (1/n) Σ −f*(−θ_i) − Σ_j (|x_jᵀθ/n| − l1)₊² / 2 l2           θ = −s g,  s ≤ 1
//
//   square     −f*(−θ) = θ y − θ²/2            logistic   −f*(−θ) = H(|θ|)
//
// With l2 = 0 s shrinks θ until no |x_jᵀθ/n| is above l1. With an intercept Σ θ must be 0: columns
// are centred, which makes it so for the square loss; for the logistic loss b is made optimal
// first, and the heavier class's θ shrink by what is left.
import type { Flow } from './flow.ts';
import { cell } from './layout.ts';
import { ask, rowsOf, sumCell, type Problem } from './scheduler.ts';
import type { PhaseWork } from './worker.ts';

export type Certificate = { readonly objective: number; readonly dual: number };
type At = { readonly t: number; readonly s0: number; readonly s1: number };

const newtonStepsMax = 30;
/** Of the mean slope: what is left is evened out. */
const balanced = 1e-12;

/** Measures at the offset, and takes in what the workers were not told yet. */
function* measure(problem: Problem): Flow<PhaseWork> {
  const { told: from, ended: to, offset: t } = problem;
  yield* ask(problem, { kind: 'measure', t, s0: 1, s1: 1, from, to });
  problem.told = to;
}

/** Moves the intercept to its optimum; factors of the classes' duals with which these even out. */
function* balance(problem: Problem): Flow<PhaseWork, At> {
  const n = rowsOf(problem);
  for (let step = 0; step < newtonStepsMax; step++) {
    const slope = sumCell(problem, cell.slopes);
    const curvature = sumCell(problem, cell.curvature);
    if (Math.abs(slope) <= balanced * n || !(curvature > 0)) break;
    // Newton's steps are too long where the loss is nearly linear.
    problem.offset -= Math.max(-1, Math.min(1, slope / curvature));
    yield* measure(problem);
  }
  const [mass1, mass0] = [sumCell(problem, cell.mass1), sumCell(problem, cell.mass0)];
  const share = (least: number, own: number) => (own > least ? least / own : 1);
  return { t: problem.offset, s0: share(mass1, mass0), s1: share(mass0, mass1) };
}

/** The gradient of all variables into its buffer, not divided by n; returns the largest. */
function* wholeGradient(problem: Problem, at: At, slopes: number): Flow<PhaseWork, number> {
  const { ctx, shape } = problem;
  yield* ask(problem, { kind: 'gradient', ...at });
  const { variables } = shape;
  const buffers = ['gradients', 'means', 'inverses', 'gradient'].map((name) => ctx.buffer(name));
  const [x = 0, m = 0, r = 0, out = 0] = buffers;
  return ctx.kernels.phase_gradient(variables, ctx.partitions, slopes, x, m, r, out);
}

function penalty({ ctx, shape, l1, l2 }: Problem): number {
  return ctx.kernels.phase_penalty(shape.variables, l1, l2, ctx.buffer('weights'));
}

/** What the penalty takes off the dual at θ = −s g; 0 where that is feasible. */
function excess({ ctx, shape, l1, l2 }: Problem, s: number, n: number): number {
  if (l2 === 0) return 0;
  return ctx.kernels.phase_excess(shape.variables, s / n, l1, ctx.buffer('gradient')) / (2 * l2);
}

/** Scales to try, the likelier first: where all is feasible, and 1. */
function scales({ l1, l2 }: Problem, largest: number): readonly number[] {
  const feasible = largest > l1 ? l1 / largest : 1;
  if (l2 === 0) return [feasible];
  return feasible < 1 && l1 > 0 ? [1, feasible] : [1];
}

function* squareCertificate(problem: Problem): Flow<PhaseWork, Certificate> {
  const n = rowsOf(problem);
  yield* measure(problem);
  const loss = sumCell(problem, cell.loss);
  const products = sumCell(problem, cell.products);
  const at = { t: problem.offset, s0: 1, s1: 1 };
  const largest = yield* wholeGradient(problem, at, -n * problem.offset);
  const duals = scales(problem, largest / n).map(
    (s) => (-s * products - s * s * loss) / n - excess(problem, s, n),
  );
  return { objective: loss / n + penalty(problem), dual: Math.max(...duals) };
}

function* logisticCertificate(problem: Problem): Flow<PhaseWork, Certificate> {
  const n = rowsOf(problem);
  yield* measure(problem);
  const { intercept } = problem.ctx.options;
  const at = intercept ? yield* balance(problem) : { t: problem.offset, s0: 1, s1: 1 };
  const loss = sumCell(problem, cell.loss);
  const largest = yield* wholeGradient(problem, at, 0);
  let dual = -Infinity;
  for (const s of scales(problem, largest / n)) {
    yield* ask(problem, { kind: 'entropy', s });
    dual = Math.max(dual, sumCell(problem, cell.loss) / n - excess(problem, s, n));
  }
  return { objective: loss / n + penalty(problem), dual };
}

export function* certify(problem: Problem): Flow<PhaseWork, Certificate> {
  const { loss } = problem.ctx.options;
  return yield* loss === 'square' ? squareCertificate(problem) : logisticCertificate(problem);
}
