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

  // assembly/linear/columns.ts
  columns_starts: ['columns', 'starts'],
  columns_scatter: ['count', 'first', 'directory', 'starts', 'index', 'value'],
  columns_transpose: [
    ...(['storage', 'count', 'first', 'directory', 'columns', 'scale', 'stride', 'x'] as const),
  ],
  columns_dots_sparse: ['count', 'list', 'starts', 'index', 'value', 'v', 'out'],
  columns_dots_dense: ['count', 'list', 'stride', 'x', 'v', 'out'],
  columns_add_sparse: ['count', 'list', 'starts', 'index', 'value', 'a', 'v'],
  columns_add_dense: ['count', 'list', 'stride', 'x', 'a', 'v'],
  columns_moments_sparse: [
    ...(['columns', 'total', 'starts', 'index', 'value'] as const),
    ...(['weights', 'centres', 'sums', 'squares'] as const),
  ],
  columns_moments_dense: [
    ...(['columns', 'rows', 'stride', 'x', 'weights', 'centres', 'sums', 'squares'] as const),
  ],

  // assembly/linear/gram.ts
  gram_compact: ['count', 'list', 'places', 'cursor'],
  gram_sparse: [
    ...(['partitions', 'places', 'weights', 'first', 'last', 'base', 'count', 'total'] as const),
    ...(['list', 'centres', 'scales', 'out', 'work'] as const),
  ],
  gram_dense: [
    ...(['partitions', 'places', 'weights', 'first', 'last', 'base', 'count'] as const),
    ...(['list', 'centres', 'scales', 'out', 'work'] as const),
  ],
  gram_place: ['parts', 'partBytes', 'base', 'count', 'stride', 'part', 'G'],

  // assembly/linear/block.ts
  block_violation: ['count', 'g', 'u', 'l1', 'units'],
  block_active: ['count', 'g', 'u', 'l1', 'list'],
  block_gather: ['count', 'list', 'stride', 'G', 'outStride', 'out'],
  f64_gather: ['count', 'list', 'x', 'out'],
  f64_scatter: ['count', 'list', 'x', 'out'],
  f64_subtract: ['n', 'x', 'y'],
  block_sweep: ['count', 'stride', 'G', 'l1', 'l2', 'g', 'u', 'units'],
  block_newton: [
    ...(['count', 'stride', 'steps', 'share', 'G', 'l1', 'l2', 'g', 'u', 'd', 'work'] as const),
  ],
  block_line: ['count', 'stride', 'G', 'l1', 'l2', 'g', 'u', 'd', 'work'],
  block_apply: ['n', 'count', 'list', 'stride', 'G', 'l2', 'd', 'g'],

  // assembly/linear/lasso.ts
  targets_widen: ['count', 'directory', 'out'],
  folds_mask: ['count', 'first', 'fold', 'folds', 'seed', 'mask'],
  residual_finish: ['rows', 'shift', 'mask', 'y', 'v', 'z', 'sums'],
  parts_mean: ['columns', 'parts', 'partBytes', 'n', 'part', 'out'],
  lasso_scales: ['columns', 'standardize', 'means', 't', 'omega'],
  lasso_fold: [
    ...(['count', 'list', 'parts', 'partBytes', 'residualSum', 'n'] as const),
    ...(['part', 'means', 't', 'c'] as const),
  ],
  lasso_scan: ['count', 'list', 'l1', 'l2', 'c', 'u', 'omega', 'out'],
  lasso_screen: ['count', 'list', 'l1', 'l2', 's', 'radius', 'c', 'u', 'omega', 'out'],
  lasso_violators: [
    ...(['count', 'list', 'l1', 'c', 'omega', 'slotOf', 'out', 'priorities'] as const),
  ],
  lasso_support: ['columns', 'u', 'out'],
  lasso_block: [
    ...(['count', 'list', 'l1', 'l2', 'damping', 'c', 'u', 'omega'] as const),
    ...(['outL1', 'outL2', 'outG', 'outU', 'outUnits'] as const),
  ],
  lasso_changes: [
    ...(['count', 'list', 'next', 'u', 'means', 't', 'outList', 'outValues', 'sums'] as const),
  ],
  lasso_export: ['columns', 'u', 'means', 't', 'out'],
  linear_scores: [
    ...(['storage', 'count', 'directory', 'd', 'scale', 'w', 'intercept'] as const),
    ...(['scores', 'sums', 'work'] as const),
  ],

  // assembly/linear/phases.ts
  phase_targets: ['numbers', 'count', 'directory', 'y'],
  phase_residuals: ['n', 'mean', 'y', 'u'],
  phase_square_sums: ['n', 't', 'y', 'u', 'sums'],
  phase_logistic_slopes: ['n', 't', 's0', 's1', 'y', 'z', 'g', 'sums'],
  phase_logistic_entropy: ['n', 's', 'g'],
  phase_gradient: ['n', 'parts', 'slopes', 'x', 'm', 'r', 'out'],
  phase_excess: ['n', 's', 'l', 'g'],
  phase_penalty: ['n', 'l1', 'l2', 'w'],

  // assembly/data.ts
  directory_dense: ['rows', 'strideBytes', 'x', 'target', 'out'],
  directory_csr: ['rows', 'rowStart', 'index', 'value', 'target', 'out'],
  directory_shuffle: ['count', 'seed', 'directory'],
  directory_count: ['count', 'wanted', 'directory'],
  csr_count_columns: ['count', 'directory', 'counts'],
  rows_sum_squares: ['storage', 'count', 'directory', 'd', 'scale', 'work'],

  // assembly/models/softmax.ts
  mlr_gradient: [
    ...(['storage', 'count', 'directory', 'd', 'scale'] as const),
    ...(['K', 'rowBytes', 'intercept', 'w', 'g', 'work'] as const),
  ],
  mlr_evaluate: [
    ...(['storage', 'count', 'directory', 'd', 'scale', 'K', 'rowBytes', 'intercept'] as const),
    ...(['w', 'classes', 'probabilities', 'sums', 'work'] as const),
  ],
  mlr_softmax_rows: [
    ...(['storage', 'count', 'directory', 'd', 'scale', 'K', 'rowBytes'] as const),
    ...(['intercept', 'w', 'alpha', 'work'] as const),
  ],
  mlr_sgd_step: ['rows', 'rowBytes', 'rate', 'share', 'list', 'decay', 'w', 'delta'],
  batch_columns: ['count', 'directory', 'marks', 'list', 'positions', 'out'],

  // assembly/models/softmax-dual.ts
  mlr_dual_pass: [
    ...(['storage', 'first', 'last', 'n', 'a', 'c', 'directory', 'd', 'scale'] as const),
    ...(['K', 'rowBytes', 'intercept', 'w', 'state', 'alpha', 'negEntropy'] as const),
    ...(['dots', 'norms', 'M', 'il', 'boost', 'sigma', 'sums', 'work'] as const),
  ],
  mlr_dual_delta: ['n', 'sigma', 'w', 'delta'],
  rows_sum_columns: ['storage', 'count', 'directory', 'd', 'scale', 'sums', 'work'],
  mlr_dual_start: [
    ...(['storage', 'count', 'directory', 'd', 'scale', 'rowBytes', 'mean', 'M'] as const),
    ...(['dots', 'norms', 'alpha', 'negEntropy', 'work'] as const),
  ],

  // assembly/models/softmax-certificate.ts
  mlr_dual_balance: ['count', 'directory', 'K', 'rowBytes', 'alpha', 'r', 'matrix'],
  mlr_dual_rebuild: [
    ...(['storage', 'count', 'directory', 'd', 'scale', 'K', 'rowBytes', 'correction'] as const),
    ...(['il', 'alpha', 'negEntropy', 'dots', 'w', 'state', 'work'] as const),
  ],
  mlr_dual_score: [
    ...(['storage', 'count', 'directory', 'd', 'scale', 'K', 'rowBytes', 'intercept'] as const),
    ...(['w', 'alpha', 'sums', 'r', 'work'] as const),
  ],
  mlr_dual_uncentre: ['rows', 'rowBytes', 'mean', 'centre', 'w', 'out'],

  // assembly/logistic/rows.ts
  logistic_advance: [
    ...(['storage', 'count', 'directory', 'd', 'scale', 'c0', 'c1', 'taken', 't'] as const),
    ...(['v', 'z', 'q', 'h', 'before', 'g', 'sums', 'work'] as const),
  ],
  logistic_product: ['storage', 'count', 'directory', 'd', 'scale', 'h', 'v', 'out', 'work'],
  logistic_diagonal: ['storage', 'count', 'directory', 'd', 'scale', 'h', 'out', 'work'],

  // assembly/logistic/dual.ts
  logistic_dual: [
    ...(['storage', 'count', 'directory', 'd', 'scale', 'c0', 'c1', 's0', 's1', 't'] as const),
    ...(['h', 'z', 'q', 'v', 'work'] as const),
  ],
  logistic_entropy: [
    ...(['count', 'directory', 'c0', 'c1', 's0', 's1', 't', 'h', 'z', 'q', 'sums'] as const),
  ],

  // assembly/logistic/violations.ts
  logistic_violations: ['d', 'l1', 'l2', 'near', 'w', 'g', 'out', 'fresh'],
  logistic_free: ['d', 'l1', 'l2', 'w', 'g', 'residual'],
  f64_mask: ['n', 'mask', 'x'],
  logistic_project: ['d', 'free', 'w', 'step'],
  logistic_shrink: ['d', 'l1', 'l2', 'w', 'g', 'm', 'step'],
  logistic_priorities: ['d', 'ahead', 'least', 'w', 'out'],

  // assembly/logistic/gram.ts
  logistic_gram: [
    ...(['storage', 'count', 'step', 'directory', 'd', 'scale', 'h', 'map', 'k'] as const),
    ...(['G', 'work'] as const),
  ],
  gram_square: ['k', 'parts', 'bytes', 'x', 'stride', 'out'],
  f32_widen: ['n', 'x', 'out'],

  // assembly/models/mf.ts
  mf_block: [
    ...(['runCount', 'rowBytes', 'slices', 'bias', 'itemCount', 'eta', 'runs', 'ix'] as const),
    ...([
      'values',
      'users',
      'items',
      'yUser',
      'yBias',
      'base',
      'decay',
      'decayBias',
      'code',
    ] as const),
  ],
  mf_block_error: ['runCount', 'rowBytes', 'runs', 'ix', 'values', 'users', 'items', 'code'],
  mf_predict: [
    ...(['count', 'rowBytes', 'bias', 'mean', 'scale', 'low', 'high', 'user', 'item'] as const),
    ...(['value', 'userRow', 'itemRow', 'users', 'items', 'out', 'sums'] as const),
  ],

  // assembly/models/mf-grid.ts
  mf_codable: ['count', 'value', 'minimum', 'step'],
  mf_count: ['count', 'user', 'item', 'value', 'n', 'm', 'sums'],
  mf_order: ['n', 'G', 'seed', 'counts', 'order', 'rank', 'part', 'starts'],
  mf_partition: [
    ...(['count', 'G', 'user', 'item', 'value', 'userRank', 'itemRank'] as const),
    ...(['userPart', 'ends', 'work'] as const),
  ],
  mf_count_runs: ['count', 'G', 'firstUser', 'user', 'item', 'itemPart', 'cells'],
  mf_runs: ['users', 'G', 'b', 'cells'],
  mf_lay_out: ['users', 'G', 'b', 'firstUser', 'first', 'cells', 'runs'],
  mf_place: [
    ...(['count', 'G', 'firstUser', 'mean', 'scale', 'step', 'user', 'item', 'value'] as const),
    ...(['itemPart', 'itemStarts', 'cells', 'ix', 'values'] as const),
  ],
  mf_item_sums: ['runCount', 'runs', 'ix', 'values', 'sums', 'code'],
  mf_user_sums: [
    ...(['runCount', 'firstUser', 'rowBytes', 'runs', 'ix', 'values'] as const),
    ...(['items', 'sums', 'code'] as const),
  ],
  mf_start_rows: [
    ...(['first', 'last', 'rowBytes', 'lanes', 'seed', 'spread', 'one', 'bias'] as const),
    ...(['prior', 'order', 'counts', 'sums', 'rows'] as const),
  ],
  mf_rates: [
    ...(['n', 'items', 'lambda', 'c', 'meanCount', 'slices'] as const),
    ...(['order', 'counts', 'base', 'y', 'yBias'] as const),
  ],
  mf_penalty: ['first', 'last', 'rowBytes', 'skip', 'order', 'counts', 'rows'],
  mf_export: [
    ...(['n', 'rowBytes', 'skip', 'rank', 'biasLane', 'scale', 'order', 'rows'] as const),
    ...(['out', 'biases'] as const),
  ],
  // assembly/parse/libsvm.ts
  parse_libsvm: [
    ...(['text', 'end', 'state', 'base', 'columns', 'indexMax', 'rowsMax', 'entriesMax'] as const),
    ...(['labelsMax', 'labelBytesMax', 'labels', 'numeric', 'target', 'rowStart'] as const),
    ...(['index', 'value'] as const),
  ],
  // assembly/parse/ratings.ts
  parse_ratings: [
    ...(['text', 'end', 'state', 'strict', 'fields', 'least', 'userMax', 'itemMax'] as const),
    ...(['entriesMax', 'labelsMax', 'labelBytesMax', 'labels', 'user', 'item', 'value'] as const),
  ],
  // assembly/parse/csv.ts
  parse_csv: [
    ...(['text', 'end', 'state', 'delimiter', 'columns', 'labelColumn', 'keep', 'stride'] as const),
    ...(['rowsMax', 'labelsMax', 'labelBytesMax', 'labels', 'numeric', 'target', 'x'] as const),
  ],
  // assembly/parse/convert.ts
  bytes_copy: ['n', 'from', 'to'],
  bytes_zero: ['n', 'at'],
  i32_shift: ['n', 'delta', 'x'],
  i32_rebase: ['n', 'base', 'count', 'x'],
  i32_remap: ['n', 'map', 'from', 'to'],
  u8_labels: ['n', 'seen', 'from', 'to'],
  u8_rows_pad: ['rows', 'columns', 'stride', 'from', 'to'],
  f32_to_u8_rows: ['rows', 'columns', 'fromStride', 'toStride', 'from', 'to'],
  u8_to_f32_rows: ['rows', 'columns', 'fromStride', 'toStride', 'from', 'to'],
  f32_columns_to_rows: ['n', 'first', 'rows', 'columns', 'stride', 'bytes', 'from', 'x'],
  csr_row_starts: ['rows', 'first', 'counts', 'rowStart'],
  csr_take_rows: ['rowsMax', 'entriesMax', 'counts'],
  csr_scatter: [
    ...(['n', 'base', 'rows', 'columns', 'total', 'row', 'column', 'x', 'cursor'] as const),
    ...(['index', 'value'] as const),
  ],
  csr_count_entries: ['n', 'base', 'rows', 'columns', 'row', 'column', 'counts'],
  csr_sort_rows: ['rows', 'rowStart', 'index', 'value'],
  csr_twice: ['n', 'index'],
  triple_find: ['n', 'row', 'column', 'skip', 'rows', 'columns'],
  i32_scatter: ['n', 'base', 'rows', 'map', 'at', 'from', 'to'],
  i32_find: ['n', 'wanted', 'x'],
  i32_fill: ['n', 'a', 'x'],

  // assembly/wire/marks.ts
  marks_list: ['n', 'first', 'wanted', 'clear', 'marks', 'out'],
  marks_set: ['count', 'value', 'rows', 'marks'],
  marks_of_rows: ['count', 'rowBytes', 'values', 'marks'],
  rows_within: ['count', 'first', 'last', 'rows', 'outRows', 'outPicks'],

  // assembly/wire/rows.ts
  rows_nonzeros: ['count', 'columns', 'rowBytes', 'rows', 'base', 'out'],
  rows_pack: ['take', 'count', 'columns', 'rowBytes', 'rows', 'base', 'out'],
  rows_add: [
    ...(['isFloat', 'count', 'columns', 'rowBytes', 'valueBytes'] as const),
    ...(['picks', 'rows', 'values', 'base'] as const),
  ],
  rows_set: ['count', 'columns', 'rowBytes', 'rows', 'values', 'base'],
  entries_pack: [
    ...(['take', 'count', 'columns', 'rowBytes', 'rows', 'base'] as const),
    ...(['outColumns', 'outValues'] as const),
  ],
  entries_add: [
    ...(['isFloat', 'set', 'count', 'rowBytes', 'rows', 'counts'] as const),
    ...(['columns', 'values', 'base'] as const),
  ],
  sparse_counts: ['count', 'rows', 'directory', 'out'],
  sparse_pack: ['take', 'count', 'rows', 'directory', 'outColumns', 'outValues'],
  rows_importance: [
    ...(['isFloat', 'count', 'columns', 'rowBytes', 'rows'] as const),
    ...(['deltas', 'base', 'out'] as const),
  ],
  rows_plan: [
    ...(['count', 'first', 'columns', 'width', 'room', 'asEntries', 'skip'] as const),
    ...(['rows', 'counts', 'head', 'runs', 'list', 'entryRows', 'entryCounts'] as const),
  ],

  // assembly/wire/halves.ts
  halves_encode: ['kind', 'n', 'from', 'to'],
  halves_decode: ['kind', 'n', 'from', 'to'],
} as const;

type Numbers<Names extends readonly string[]> = { readonly [I in keyof Names]: number };

/** All kernels as typed functions, with the arity of the table. */
export type Kernels = {
  readonly [K in keyof typeof signatures]: (...args: Numbers<(typeof signatures)[K]>) => number;
};
