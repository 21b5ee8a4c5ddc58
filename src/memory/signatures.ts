// The kernels' names and arguments: the one table from which their TypeScript type comes and that
// `instantiate` holds against the compiled module. Dimensions first, then byte offsets.
// Every argument and result is a number; formulas and layouts stand above each kernel in assembly/.

export const signatures = {
  // assembly/linalg/vector.ts
  f32_dot: ['n', 'x', 'y'],
  f32_dot_wide: ['n', 'x', 'y'],
  f32_axpy: ['n', 'a', 'x', 'y'],
  f32_add: ['n', 'x', 'y'],
  i32_add: ['n', 'x', 'y'],
  f32_scale: ['n', 'a', 'x'],
  f32_sum_squares: ['n', 'x'],
  f32_finite: ['n', 'x'],

  // assembly/linalg/rows.ts
  rows_gather: ['count', 'rowBytes', 'rows', 'base', 'out'],
  f32_add_checked: ['n', 'x', 'y'],
  f32_rows_add: ['count', 'rowBytes', 'rows', 'values', 'base', 'first', 'last'],
  i32_rows_add: ['count', 'rowBytes', 'rows', 'values', 'base', 'first', 'last'],

  // assembly/linalg/sparse-row.ts
  entries_sort: ['isFloat', 'n', 'columns', 'values'],
  sparse_row_merge: [
    ...(['isFloat', 'na', 'aColumns', 'aValues', 'nb', 'bColumns', 'bValues'] as const),
    ...(['outColumns', 'outValues'] as const),
  ],
} as const;

type Numbers<Names extends readonly string[]> = { readonly [I in keyof Names]: number };

/** All kernels as typed functions, with the arity of the table. */
export type Kernels = {
  readonly [K in keyof typeof signatures]: (...args: Numbers<(typeof signatures)[K]>) => number;
};
