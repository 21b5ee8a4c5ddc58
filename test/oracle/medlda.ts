// Supervised topics in float64, straight from the formulas: the joint of assignments given weights
// and augmenting variables, by enumeration; and the Gaussian of the weights.
import { assignment, joint, type Documents, type Priors } from './lda.ts';

export type Supervised = Priors & {
  readonly eta: readonly (readonly number[])[];
  /** −1: no class. */
  readonly targets: readonly number[];
  /** A row a document. */
  readonly lambda: readonly (readonly number[])[];
  readonly cost: number;
  readonly margin: number;
};

/** z̄ of a document's topics. */
export function shares(z: readonly number[], topics: number): number[] {
  const mine = new Array<number>(topics).fill(0);
  for (const k of z) mine[k]! += 1 / z.length;
  return mine;
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** ζ of a document in class t. */
export function shortfall(
  problem: Supervised,
  mine: readonly number[],
  of: readonly [number, number],
) {
  const [target, t] = of;
  return problem.margin - (t === target ? 1 : -1) * dot(problem.eta[t]!, mine);
}

/** log p(w, z) − Σ (λ + c ζ)² / (2 λ), of all K^tokens assignments as shares; token 0 lowest. */
export function supervisedPosterior(documents: Documents, problem: Supervised): Float64Array {
  const topics = problem.alpha.length;
  const size = documents.flat().length;
  const logs = Float64Array.from({ length: topics ** size }, (_, code) => {
    const z = assignment(documents, topics, code);
    let sum = joint(documents, z, problem);
    z.forEach((own, d) => {
      const target = problem.targets[d]!;
      if (target < 0) return;
      problem.lambda[d]!.forEach((lambda, t) => {
        const zeta = shortfall(problem, shares(own, topics), [target, t]);
        sum -= (lambda + problem.cost * zeta) ** 2 / (2 * lambda);
      });
    });
    return sum;
  });
  const highest = Math.max(...logs);
  const weights = logs.map((value) => Math.exp(value - highest));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / all);
}

/** Σ⁻¹ and b of class t. */
export function system(problem: Supervised, z: Documents, t: number) {
  const topics = problem.alpha.length;
  const { cost: c, margin } = problem;
  const b = new Array<number>(topics).fill(0);
  const P = b.map((_, i) => b.map((__, j) => Number(i === j)));
  z.forEach((own, d) => {
    if (problem.targets[d]! < 0) return;
    const mine = shares(own, topics);
    const [lambda, y] = [problem.lambda[d]![t]!, problem.targets[d] === t ? 1 : -1];
    mine.forEach((x, i) => {
      b[i]! += ((c * y * (lambda + c * margin)) / lambda) * x;
      mine.forEach((other, j) => (P[i]![j]! += ((c * c) / lambda) * x * other));
    });
  });
  return { P, b };
}
