// The penalty that passes begin with. Noise alone has directions, too: of a matrix with n_u and n_i
// ratings a row, of deviation σ, they are up to about σ (1/√n_u + 1/√n_i) strong, and a direction
// grows from pass to pass if it is stronger than λ (Negahban and Wainwright 2012, whose λ is that
// norm). With a smaller λ the minimum fits noise, the more the higher the rank. So the first passes
// have the λ of the noise, under which only what is stronger comes up, and then it falls to the one
// asked for: predictions are best soon after, and the end is a minimum of the objective as before.
//
//   λ_t = max(λ, λ_noise 0.6^t)      λ_noise = 0.6 s (√(users/n) + √(items/n))
//
// s: deviation of the ratings, of which about 0.6 is noise where ratings are stars.
import type { Ratings } from '../../../data/dataset.ts';

const noiseShare = 0.6;
const fall = 0.6;
/** Then it is λ, however small: what is asked for has passes left to be reached. */
const fallPasses = 4;
/** As good as λ. */
const near = 1.25;

/** λ_noise of a 1/`every` of the users with their ratings. */
export function noisePenalty(data: Ratings, deviation: number, every: number): number {
  const { users, items, count } = data;
  return noiseShare * deviation * (Math.sqrt(users / count) + Math.sqrt((items * every) / count));
}

/** λ_t of pass t. */
export function penaltyOf(pass: number, noise: number, lambda: number): number {
  const heavier = noise * fall ** pass;
  return pass < fallPasses && heavier > near * lambda ? heavier : lambda;
}
