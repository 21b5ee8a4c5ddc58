// Kernels of columns, second moments and blocks, for linear models: see ../signatures.ts.

export const linear = {
  // assembly/linear/columns.ts
  columns_order: ['columns', 'counts', 'starts', 'order', 'buckets'],
  columns_place: ['columns', 'order', 'place'],
  columns_scatter: ['count', 'first', 'directory', 'next', 'entries'],
  columns_transpose: [
    ...(['storage', 'count', 'first', 'directory', 'columns', 'scale', 'stride', 'x'] as const),
  ],
  columns_dots_sparse: ['count', 'list', 'map', 'starts', 'entries', 'v', 'out'],
  columns_dots_dense: ['count', 'list', 'stride', 'x', 'v', 'out'],
  columns_add_sparse: ['count', 'list', 'map', 'starts', 'entries', 'a', 'v'],
  columns_add_dense: ['count', 'list', 'stride', 'x', 'a', 'v'],
  columns_moments_sparse: [
    ...(['count', 'total', 'order', 'starts', 'entries'] as const),
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

  // assembly/linear/sweep.ts
  sweep_entries: ['count', 'list', 'partitions', 'places'],
  sweep_pack: ['count', 'list', 'partitions', 'places', 'firsts', 'starts', 'entries'],
  lasso_sweep: [
    ...(['count', 'list', 'starts', 'entries', 'l1', 'l2', 'n', 'residualSum'] as const),
    ...(['v', 'w', 'means', 't', 'omega', 'u', 'shift'] as const),
  ],
  lasso_active: ['count', 'list', 'l1', 'c', 'u', 'omega', 'out'],
  points_extrapolate: ['count', 'points', 'out', 'work'],

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
  phase_logistic_slopes: ['n', 't', 'c0', 'c1', 's0', 's1', 'y', 'z', 'g', 'sums'],
  phase_logistic_entropy: ['n', 's', 'c0', 'c1', 'y', 'g'],
  phase_row_weights: ['n', 'c0', 'c1', 'y', 'w'],
  phase_gradient: ['n', 'parts', 'slopes', 'x', 'm', 'r', 'out'],
  phase_excess: ['n', 's', 'l', 'g'],
  phase_penalty: ['n', 'l1', 'l2', 'w'],
  phase_mark: ['count', 'list', 'slots', 'on'],
  phase_products: ['count', 'length', 'entries', 'directory', 'slots', 'out'],
} as const;
