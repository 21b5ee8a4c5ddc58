// Kernels of vectors, rows, small systems, the row directory: see ../signatures.ts.

export const linalg = {
  // assembly/linalg/vector.ts
  f32_dot: ['n', 'x', 'y'],
  f32_dot_wide: ['n', 'x', 'y'],
  f32_axpy: ['n', 'a', 'x', 'y'],
  f32_add: ['n', 'x', 'y'],
  i32_add: ['n', 'x', 'y'],
  f32_scale: ['n', 'a', 'x'],
  f32_shift: ['n', 'a', 'x'],
  f32_sum_squares: ['n', 'x'],
  f32_finite: ['n', 'x'],

  // assembly/linalg/vector64.ts
  f64_dot: ['n', 'x', 'y'],
  f64_axpy: ['n', 'a', 'x', 'y'],
  f64_sum_parts: ['n', 'parts', 'x', 'out'],
  f64_sum_abs: ['n', 'x'],
  f64_max_abs: ['n', 'x'],
  f64_excess_squares: ['n', 'threshold', 'x'],
  f64_round_step: ['n', 'x', 'step'],
  f64_shift: ['n', 'a', 'x'],
  f64_divide: ['n', 'x', 'y', 'out'],
  f64_xpay: ['n', 'a', 'x', 'y'],

  // assembly/linalg/rows.ts
  rows_gather: ['count', 'rowBytes', 'rows', 'base', 'out'],
  rows_oldest: ['count', 'rows', 'clocks', 'first', 'last'],
  rows_repack: ['rows', 'bytes', 'fromStride', 'toStride', 'from', 'to'],
  f32_add_checked: ['n', 'x', 'y'],
  f32_rows_add: ['count', 'rowBytes', 'rows', 'values', 'base', 'first', 'last'],
  i32_rows_add: ['count', 'rowBytes', 'rows', 'values', 'base', 'first', 'last'],

  // assembly/linalg/reduce.ts
  rows_add_nonnegative: ['count', 'rowBytes', 'rows', 'deltas', 'base'],
  rows_add_shrunk: ['threshold', 'count', 'rowBytes', 'rows', 'deltas', 'base'],
  rows_add_revised: [
    ...(['alpha', 'clock', 'stateBytes', 'count', 'rowBytes'] as const),
    ...(['rows', 'deltas', 'base', 'states'] as const),
  ],

  // assembly/linalg/sparse-row.ts
  entries_sort: ['isFloat', 'n', 'columns', 'values'],
  entries_rank: ['isFloat', 'n', 'columns', 'values'],
  sparse_row_merge: [
    ...(['isFloat', 'na', 'aColumns', 'aValues', 'nb', 'bColumns', 'bValues'] as const),
    ...(['outColumns', 'outValues'] as const),
  ],

  // assembly/linalg/gram.ts
  gram_add_curved: [
    ...(['storage', 'count', 'step', 'directory', 'd', 'scale', 'intercept'] as const),
    ...(['K', 'rowBytes', 'alpha', 'G', 'work'] as const),
  ],
  cholesky: ['n', 'A'],
  cholesky_solve_vector: ['n', 'L', 'x'],
  cholesky_solve: ['n', 'L', 'rowBytes', 'X', 'work'],
  rows_sum_squares_columns: ['storage', 'count', 'directory', 'd', 'scale', 'sums', 'work'],
  rows_scale: ['n', 'rowBytes', 'factors', 'X'],

  // assembly/data.ts
  directory_dense: ['rows', 'strideBytes', 'x', 'target', 'out'],
  directory_csr: ['rows', 'rowStart', 'index', 'value', 'target', 'out'],
  directory_shuffle: ['count', 'seed', 'directory'],
  directory_count: ['count', 'wanted', 'directory'],
  csr_count_columns: ['count', 'directory', 'counts'],
  rows_sum_squares: ['storage', 'count', 'directory', 'd', 'scale', 'work'],
} as const;
