// Trains on a file, as the command line does, from code.
// Prints "a9a: objective 0.3237, accuracy 85.0 %, gap <= 1e-4".
import { train } from '../src/index.ts';

const folder = new URL('../../examples/data/', import.meta.url).pathname;
const done = await train({
  model: 'mlr',
  data: `${folder}a9a.gz`,
  test: `${folder}a9a.t.gz`,
  options: { lambda: 1e-4 },
});
const accuracy = (100 * (done.metrics['accuracy'] ?? 0)).toFixed(1);
const verdict = done.converged ? 'gap <= 1e-4' : 'not converged';
console.log(`a9a: objective ${done.objective.toFixed(4)}, accuracy ${accuracy} %, ${verdict}`);
