// Kernels of topic models: see ../signatures.ts.

export const topics = {
  // assembly/lda/sample.ts
  lda_begin: ['plan'],
  lda_sample: ['first', 'last', 'stateLow', 'stateHigh', 'plan'],

  // assembly/lda/build.ts
  lda_count: ['first', 'last', 'rowStart', 'index', 'count', 'counts'],
  lda_document_bytes: ['first', 'last', 'K', 'most', 'rowStart', 'count'],
  lda_place: [
    ...(['first', 'last', 'K', 'place', 'rowStart', 'index', 'count'] as const),
    ...(['cursors', 'documents', 'places', 'topics'] as const),
  ],
  lda_rows: ['V', 'K', 'G', 'counts', 'rows', 'lengths', 'blocks'],
} as const;
