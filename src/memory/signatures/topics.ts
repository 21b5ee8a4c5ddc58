// Kernels of topic models: see ../signatures.ts.

export const topics = {
  // assembly/lda/sample.ts
  lda_begin: ['plan'],
  lda_sample: ['first', 'last', 'stateLow', 'stateHigh', 'plan'],

  // assembly/lda/proposals.ts
  lda_mh_begin: ['plan'],
  lda_mh_sample: ['first', 'last', 'stateLow', 'stateHigh', 'plan'],

  // assembly/lda/build.ts
  lda_count: ['first', 'last', 'rowStart', 'index', 'count', 'counts'],
  lda_document_bytes: ['first', 'last', 'K', 'most', 'rowStart', 'count'],
  lda_place: [
    ...(['first', 'last', 'K', 'place', 'rowStart', 'index', 'count'] as const),
    ...(['cursors', 'documents', 'places', 'topics'] as const),
  ],
  lda_mh_bytes: ['first', 'last', 'K', 'most', 'rowStart', 'count'],
  lda_mh_place: [
    ...(['first', 'last', 'K', 'place', 'rowStart', 'index', 'count'] as const),
    ...(['cursors', 'documents', 'places'] as const),
  ],
  lda_rows: ['V', 'K', 'G', 'counts', 'rows', 'lengths', 'blocks'],
  lda_starts: ['V', 'counts', 'starts'],

  // assembly/lda/likelihood.ts
  lda_documents: [
    ...(['count', 'K', 'bits', 'alphaSum', 'documents', 'alpha', 'totals', 'sums'] as const),
  ],
  lda_words: [
    ...(['first', 'last', 'beta', 'counts', 'rows', 'lengths', 'entries'] as const),
    ...(['totals', 'sums'] as const),
  ],
  lda_totals: ['K', 'vBeta', 'totals'],
  lda_rises: ['count', 'a', 'counts'],
  lda_length_rises: ['count', 'a', 'starts'],
  lda_document_slopes: ['count', 'K', 'bits', 'alphaSum', 'documents', 'alpha', 'slopes'],
  lda_word_slopes: ['first', 'last', 'beta', 'rows', 'lengths', 'entries'],
  lda_total_slopes: ['K', 'vBeta', 'totals'],
  lda_alpha: ['K', 'least', 'slopes', 'alpha', 'alpha32'],
  lda_lost: ['K', 'G', 'totals', 'parts'],
  lda_gain: ['K', 'before', 'after', 'gains'],
  lda_fold: ['K', 'G', 'tokens', 'totals', 'copies'],
  lda_export_documents: [
    ...(['count', 'K', 'bits', 'place', 'documents', 'starts', 'topics', 'counts'] as const),
  ],
  lda_export_words: [
    ...(['count', 'place', 'rows', 'lengths', 'entries', 'starts', 'topics', 'counts'] as const),
  ],
  lda_gather: ['count', 'K', 'rowBytes', 'table', 'rows', 'lengths', 'entries'],
  lda_changes: ['count', 'rowBytes', 'table', 'rows', 'lengths', 'entries', 'deltas'],

  // assembly/medlda/sample.ts
  medlda_open: ['first', 'last', 'low', 'high', 'stateLow', 'stateHigh', 'plan'],
  medlda_sample: ['first', 'last', 'low', 'high', 'stateLow', 'stateHigh', 'plan'],

  // assembly/medlda/weights.ts
  medlda_lambda: ['first', 'last', 'plan', 'sums', 'random'],
  medlda_system: ['t', 'first', 'last', 'plan', 'P', 'b', 'work'],
  medlda_weights: ['t', 'plan', 'L', 'b', 'sum', 'work', 'random'],
  medlda_mean: ['samples', 'sums', 'weights', 'plan'],

  // assembly/medlda/tables.ts
  medlda_tokens: ['documents', 'place', 'rowStart', 'index', 'count', 'starts', 'words'],
  medlda_lost: ['count', 'K', 'rowBytes', 'starts', 'rows', 'totals'],
  medlda_export: ['count', 'K', 'rowBytes', 'place', 'rows', 'starts', 'topics', 'counts'],
  medlda_classes: [
    ...(['documents', 'T', 'K', 'V', 'alpha', 'rowStart', 'index', 'count', 'targets'] as const),
    ...(['mixtures', 'eta', 'classes', 'scores'] as const),
  ],
} as const;
