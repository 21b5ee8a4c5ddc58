// Our kernels against the same loops in C at the same vector width, and the ladder of f32_dot.
import { checkAgreement, digits, measure, native, table, type Timings } from './bench.ts';
import { series } from './kernels/memory.ts';
import { mfCases } from './kernels/mf.ts';
import { imageCases, sparseCases } from './kernels/softmax.ts';
import { expCases, ladderCases, ladderSteps, vectorCases } from './kernels/vector.ts';

/** What an element is, by name of a case. */
const units: Readonly<Record<string, string>> = {
  'dot-cache': 'element, 4096 in the first cache',
  'axpy-cache': 'element, 4096 in the first cache',
  'dot-memory': 'element, 4 Mi: two vectors of 16 MiB',
  'axpy-memory': 'element, 4 Mi: two vectors of 16 MiB',
  exp: 'element, 4096',
  'softmax-u8': 'sample, 784 × 10, a fifth not 0',
  'softmax-csr': 'sample, the same rows sparse',
  'sparse-cache': 'entry, rows of 100 over 4000 × 4',
  'sparse-memory': 'entry, rows of 100 over 1 M × 4',
  'mf-32': 'rating',
  'mf-64': 'rating',
  'mf-128': 'rating',
};

function compare(timings: Timings, missing: string | undefined): void {
  const rows = [...timings].map(([name, row]) => {
    const ours = series.map((build) => row.get(build)!.nanoseconds);
    const c = row.get('C')?.nanoseconds;
    const ratio = c === undefined ? (missing ?? 'no C') : digits(ours[0]! / c);
    const checksum = row.get(series[0]!)!.checksum.toPrecision(6);
    const times = [...ours.map(digits), c === undefined ? '-' : digits(c)];
    return [name, units[name] ?? 'element', ...times, ratio, checksum];
  });
  const header = ['kernel', 'ns per', ...series, 'C', `${series[0]} / C`, 'checksum'];
  table('Kernels against C', header, rows);
}

const programs = ['vector', 'softmax', 'mf'].map((name) => native(name));
const cases = [vectorCases(), expCases(), imageCases(), sparseCases(), mfCases()].flat();
const timings = measure(cases, programs);
// Sums of thousands of f32 in another order.
checkAgreement(timings, 2e-3);
compare(timings, programs.find(({ missing }) => missing !== undefined)?.missing);

const ladder = measure(ladderCases());
const rows = ladderSteps.map((step) => {
  const times = series.map((build) => ladder.get(step)!.get(build)!.nanoseconds);
  const first = series.map((build) => ladder.get(ladderSteps[0]!)!.get(build)!.nanoseconds);
  const checksum = ladder.get(step)!.get(series[0]!)!.checksum.toPrecision(6);
  return [step, ...times.map(digits), digits(first[0]! / times[0]!), checksum];
});
table('Dot product, 4096 elements, step by step', ['step', ...series, 'gain', 'checksum'], rows);
