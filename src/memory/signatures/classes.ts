// Kernels of softmax and logistic regression: see ../signatures.ts.

export const classes = {
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

  // assembly/logistic/ascent.ts
  logistic_norms: ['count', 'directory', 'norms'],
  logistic_ascent: [
    ...(['first', 'last', 'groups', 'a', 'c', 'count', 'directory', 'd', 'c0', 'c1'] as const),
    ...(['inverse', 'boost', 'lanes', 'w', 'alpha', 'norms', 'sums'] as const),
  ],
  f64_merge: ['n', 'parts', 'share', 'x', 'w'],

  // assembly/logistic/cycle.ts
  logistic_cycle: [
    ...(['count', 'list', 'partitions', 'places', 'l1', 'l2', 'w', 'g', 'diagonal'] as const),
    ...(['step', 'sum'] as const),
  ],
  logistic_records: ['n', 'h', 'records'],
  logistic_drift: ['n', 'records'],
  logistic_shift: ['n', 'change', 'records'],

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
} as const;
