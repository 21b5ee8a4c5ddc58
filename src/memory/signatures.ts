// The kernels' names and arguments: the one table from which their TypeScript type comes and that
// `instantiate` holds against the compiled module. Dimensions first, then byte offsets.
// Every argument and result is a number; formulas and layouts stand above each kernel in assembly/.
import { classes } from './signatures/classes.ts';
import { factors } from './signatures/factors.ts';
import { linalg } from './signatures/linalg.ts';
import { linear } from './signatures/linear.ts';
import { parse } from './signatures/parse.ts';
import { topics } from './signatures/topics.ts';
import { trainedTopics } from './signatures/trained-topics.ts';
import { wire } from './signatures/wire.ts';

export const signatures = {
  ...linalg,
  ...linear,
  ...classes,
  ...factors,
  ...parse,
  ...topics,
  ...trainedTopics,
  ...wire,
} as const;

type Numbers<Names extends readonly string[]> = { readonly [I in keyof Names]: number };

/** All kernels as typed functions, with the arity of the table. */
export type Kernels = {
  readonly [K in keyof typeof signatures]: (...args: Numbers<(typeof signatures)[K]>) => number;
};
