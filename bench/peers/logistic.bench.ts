// L1 and L2 logistic regression against liblinear, scikit-learn and celer: whole processes with
// loading, C = 1 (λ = 1/n), no intercept, each stopping at the loosest of its tolerances with which
// the judge finds an objective within 1e-5 of the optimum.
//
// Data: data.ts. What is measured: PERPETUUM_BENCH_ROWS (kept.ts).
import { smoke } from '../bench.ts';
import { prepare, readProblem, type DataSet } from './data.ts';
import { logisticObjective } from './judge.ts';
import { rowsOf } from './kept.ts';
import { measureCase, type Case, type Program, type Ran, type Verdict } from './measure.ts';
import { between, liblinearPeer, ourProgram, pythonPeer } from './programs.ts';
import { footnote, report } from './report.ts';

const wanted = 1e-5;

type Penalty = 'l1' | 'l2';

/** Optima of n F: liblinear, scikit-learn and celer at their tightest agree on these digits. */
const optima: Record<string, number> = {
  'debbin l1': 9577.8695,
  'debbin l2': 10106.8748,
  'a9a l1': 10558.7234,
  'a9a l2': 10529.5626,
};

function peers(penalty: Penalty, data: DataSet, n: number): Program[] {
  const job = { data, lambdas: [1 / n], tolerances: between(0, 7) };
  if (penalty === 'l2')
    return [
      ...liblinearPeer(0, { data }),
      ...liblinearPeer(7, { data }),
      ...pythonPeer('scikit-learn lbfgs', 'sklearn-lbfgs', job),
    ];
  return [
    ...liblinearPeer(6, { data }),
    ...pythonPeer('celer', 'celer-logistic', job),
    ...pythonPeer('scikit-learn saga', 'sklearn-saga', job),
  ];
}

function caseOf(name: string, data: DataSet, penalty: Penalty): Case {
  const problem = readProblem(data);
  const [n, lambda] = [problem.rows, 1 / problem.rows];
  const args = ['logistic', '--lambda', String(lambda), '--no-intercept'];
  const ours = (threads: number, tolerances: readonly number[]) =>
    ourProgram(threads, [...args, '--l1-ratio', penalty === 'l1' ? '1' : '0'], {
      data,
      tolerances,
    });
  const objective = (w: Float64Array) => logisticObjective(problem, w, { lambda, penalty });
  // Of other data the optimum is what we reach at the tightest.
  const known = optima[`${data.name} ${penalty}`];
  const optimum =
    known === undefined ? objective(ours(1, []).run(1e-9, undefined)!.coefficients) : known / n;
  const programs = [
    ...[1, 2].map((threads) => ours(threads, between(2, 6))),
    ...peers(penalty, data, n),
  ];
  const judge = ({ coefficients }: Pick<Ran, 'coefficients'>): Verdict => {
    const excess = objective(coefficients) / optimum - 1;
    return { error: excess, excess };
  };
  return { name, wanted, judge, programs };
}

for (const set of smoke ? ['smoke signs'] : ['debbin', 'a9a']) {
  for (const penalty of ['l1', 'l2'] as const) {
    const data = prepare(set);
    if ('missing' in data) {
      console.log(`LEFT OUT: ${set}: ${data.missing} is not there\n`);
      break;
    }
    const name = `logistic ${set} ${penalty}`;
    const kept = await rowsOf(name, () => measureCase(caseOf(name, data, penalty)));
    if (kept !== undefined) report(`${set}, ${penalty.toUpperCase()}`, kept);
  }
}
console.log(footnote);
