// What each clock of lda on the parameter server does:
//
//   open │ C of sampling a pass, and after some passes  measure │ settle │ … │ export
//
// Passes with a likelihood to tell, or with α and β to fit, have a meeting behind them.
import type { Setup } from '../../../program/program.ts';
import { ldaShape, type LdaOptions, type LdaShape } from '../layout.ts';

/** Bytes of the rows that a push reads and writes, at most. */
const blockBytes = 4 * 1024 * 1024;
/** Clocks of a pass, at least: where parts have all words at once, n_kw is a pass old. */
const blocksMin = 8;

export type Step = {
  readonly kind: 'open' | 'sample' | 'measure' | 'settle' | 'export';
  readonly pass: number;
  /** Of the words, when it samples. */
  readonly block: number;
  /** Is there a likelihood to tell after this pass, are there α and β to fit? */
  readonly tells: boolean;
  readonly fits: boolean;
};

type Known = Pick<Setup<LdaOptions>, 'data' | 'options'>;

export const rowBytesOf = (topics: number): number => (topics * 4 + 15) & ~15;

/** Blocks of words: clocks of a pass. */
export function blocksOf({ topics, words }: Pick<LdaShape, 'topics' | 'words'>): number {
  const needed = Math.ceil((words * rowBytesOf(topics)) / blockBytes);
  return Math.min(words, Math.max(blocksMin, needed));
}

function commonMultiple(a: number, b: number): number {
  let [divisor, rest] = [a, b];
  while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  return (a / divisor) * b;
}

/** Meetings behind the first `passes` passes. */
function meetingsOf({ options }: Known, passes: number): number {
  const { evaluateInterval: evaluate, optimizeInterval: optimize, passes: all } = options;
  const multiples = (of: number) => Math.floor(passes / of);
  const isMultiple = (of: number) => of > 0 && passes % of === 0;
  const fitted =
    optimize > 0 ? multiples(optimize) - multiples(commonMultiple(evaluate, optimize)) : 0;
  const last = passes === all && !isMultiple(evaluate) && !isMultiple(optimize);
  return multiples(evaluate) + fitted + (last ? 1 : 0);
}

/** The clock behind a pass and its meeting. */
const endOf = (known: Known, pass: number): number =>
  1 + pass * blocksOf(ldaShape(known)) + 2 * meetingsOf(known, pass);

export const clocksOf = (known: Known): number => endOf(known, known.options.passes) + 1;

export function stepOf(known: Known, clock: number): Step {
  const { passes, evaluateInterval, optimizeInterval } = known.options;
  const none = { block: 0, tells: false, fits: false };
  if (clock === 0) return { kind: 'open', pass: 0, ...none };
  if (clock >= endOf(known, passes)) return { kind: 'export', pass: passes, ...none };
  // The first pass that ends behind the clock.
  let [low, high] = [1, passes];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (endOf(known, middle) > clock) high = middle;
    else low = middle + 1;
  }
  const pass = low;
  const blocks = blocksOf(ldaShape(known));
  const block = clock - endOf(known, pass - 1);
  if (block < blocks) return { kind: 'sample', pass, ...none, block };
  const tells = pass % evaluateInterval === 0 || pass === passes;
  const fits = optimizeInterval > 0 && pass % optimizeInterval === 0 && pass < passes;
  return { kind: block === blocks ? 'measure' : 'settle', pass, block: 0, tells, fits };
}
