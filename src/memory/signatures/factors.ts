// Kernels of matrix factorization: see ../signatures.ts.

export const factors = {
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

  // assembly/models/mf-columns.ts
  mf_cut: ['n', 'G', 'counts', 'rank', 'part', 'starts'],
  mf_row_starts: ['rows', 'counts', 'starts', 'cursors'],
  mf_place_rows: [
    ...(['count', 'firstRow', 'mean', 'every', 'which', 'row', 'other', 'value'] as const),
    ...(['otherPart', 'cursors', 'ids', 'values'] as const),
  ],
  mf_confidence: ['count', 'a', 'values', 'weights'],
  mf_first_rows: [
    ...(['first', 'last', 'n', 'b', 'blocks', 'skip', 'rank', 'one', 'nonNegative'] as const),
    ...(['seed', 'level', 'spread', 'counts', 'table'] as const),
  ],

  // assembly/models/mf-rows.ts
  mf_rows: ['first', 'last', 'from', 'to', 'applied', 'plan', 'part', 'sums'],
  mf_moments: ['first', 'last', 'n', 'b', 'blocks', 'table', 'G', 'work'],
  mf_unpack: ['first', 'last', 'n', 'b', 'skip', 'rank', 'rowBytes', 'table', 'out'],
  mf_top: [...(['n', 'rowBytes', 'most', 'known', 'ids', 'marks', 'p', 'rows', 'found'] as const)],
  mf_rows_error: [
    ...(['first', 'last', 'rowBytes', 'skip', 'perRating', 'part', 'own', 'other'] as const),
    'sums',
  ],
} as const;
