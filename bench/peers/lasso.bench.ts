// Lasso against celer, scikit-learn and glmnet: whole processes, loading included, each stopping at
// the loosest of its tolerances with which the judge finds a relative duality gap of at most 1e-6.
//
//   one λ    λmax/20 and λmax/100
//   path     100 values from λmax to λmax/100, the worst gap of them
//
// Data: data.ts. What is measured: PERPETUUM_BENCH_ROWS (kept.ts).
import { smoke } from '../bench.ts';
import { prepare, readProblem, type DataSet, type Problem } from './data.ts';
import { lambdaMax, lassoGap } from './judge.ts';
import { rowsOf } from './kept.ts';
import { measureCase, type Case, type Ran, type Verdict } from './measure.ts';
import { between, glmnetPeer, ourProgram, pythonPeer } from './programs.ts';
import { footnote, report } from './report.ts';

const wanted = 1e-6;
/** Values of a path; the last is a hundredth of the first. */
const steps = smoke ? 5 : 100;

type Grid = { readonly title: string; readonly ours: readonly string[]; readonly of: number[] };

const single = (divisor: number): Grid => ({
  title: `λmax/${divisor}`,
  ours: ['--lambda-ratio', String(1 / divisor)],
  of: [1 / divisor],
});
const grids: readonly Grid[] = [
  single(20),
  single(100),
  {
    title: 'path',
    ours: ['--path', String(steps)],
    of: Array.from({ length: steps }, (_, k) => 100 ** (-k / (steps - 1))),
  },
];

const problems = new Map<string, Problem>();
function problemOf(data: DataSet): Problem {
  const problem = problems.get(data.name) ?? readProblem(data);
  problems.clear(); // one at a time: they are large
  problems.set(data.name, problem);
  return problem;
}

/** Of a path of ours these are judged: each by a run that ends there, on the same grid. */
const judgedSteps = [0.1, 0.25, 0.5, 0.75, 1].map((part) => Math.ceil(part * (steps - 1)));

function caseOf(name: string, data: DataSet, grid: Grid): Case {
  const problem = problemOf(data);
  const top = lambdaMax(problem);
  const lambdas = grid.of.map((share) => share * top);
  const path = lambdas.length > 1;
  const each = ({ coefficients, steps: given }: Pick<Ran, 'coefficients' | 'steps'>) => {
    const at = given ?? lambdas.map((_, k) => k);
    const width = coefficients.length / at.length;
    return at.map((step, k) => {
      const b = coefficients.subarray(k * width, (k + 1) * width);
      return { step, ...lassoGap(problem, b, lambdas[step]!) };
    });
  };
  const args = ['lasso', ...grid.ours, '--no-intercept'];
  const prefixes = judgedSteps.map((step) => ({
    step,
    args: [
      'lasso',
      '--path',
      String(step + 1),
      '--path-ratio',
      String(grid.of[step]),
      '--no-intercept',
    ],
  }));
  const ours = { data, tolerances: [1e-6, 3e-7, 1e-7], ...(path ? { prefixes } : {}) };
  // The best that is known: ours at a hundredth of the wanted gap.
  const best = ourProgram(2, args, ours).run(1e-8, undefined)!;
  const known = new Map(each(best).map(({ step, objective }) => [step, objective]));
  const judge = (ran: Pick<Ran, 'coefficients' | 'steps'>): Verdict => {
    const found = each(ran);
    const over = found.map(({ step, objective }) => objective - (known.get(step) ?? Infinity));
    return { error: Math.max(...found.map(({ gap }) => gap)), excess: Math.max(...over) };
  };
  const job = { data, lambdas, tolerances: between(3, 10) };
  const programs = [
    ...[1, 2].map((threads) => ourProgram(threads, args, ours)),
    ...pythonPeer('celer', 'celer-lasso', job),
    ...pythonPeer('scikit-learn', 'sklearn-lasso', job),
    ...glmnetPeer(job),
  ];
  return { name, wanted, judge, programs };
}

for (const set of smoke ? ['smoke dense', 'smoke sparse'] : ['size', 'golub', 'dense', 'ar']) {
  for (const grid of grids) {
    const data = prepare(set);
    if ('missing' in data) {
      console.log(`LEFT OUT: ${set}: ${data.missing} is not there\n`);
      break;
    }
    const name = `lasso ${set} ${grid.title}`;
    const kept = await rowsOf(name, () => measureCase(caseOf(name, data, grid)));
    if (kept !== undefined) report(`${set}, ${grid.title}`, kept);
  }
}
console.log(footnote);
