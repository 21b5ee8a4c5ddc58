// Kernels of trained topics: held-out scores, mixtures, words; see ../signatures.ts.

export const trainedTopics = {
  // assembly/topics/sampling.ts
  topics_facts: ['plan', 'alpha', 'totals'],
  topics_shuffle: ['n', 'words', 'random'],
  topics_fold: [
    ...(['plan', 'n', 'burn', 'samples', 'words', 'z', 'counts', 'sums'] as const),
    ...(['touched', 'masses', 'random'] as const),
  ],
  topics_clear: ['count', 'touched', 'sums'],
  topics_score: ['plan', 'n', 'counted', 'samples', 'count', 'words', 'touched', 'sums'],
  topics_mixture: ['plan', 'n', 'samples', 'count', 'threshold', 'touched', 'sums', 'out'],
  topics_left_to_right: ['plan', 'n', 'particles', 'words', 'work', 'random'],

  // assembly/topics/words.ts
  topics_word_totals: ['words', 'starts', 'count', 'out'],
  topics_top: [
    ...(['words', 'top', 'least', 'lambda', 'beta', 'tokens', 'starts', 'topic'] as const),
    ...(['count', 'inverse', 'totals', 'found', 'out', 'score'] as const),
  ],
  topics_overlap: [
    ...(['words', 'slots', 'beta', 'starts', 'topic', 'count', 'slot', 'inverse'] as const),
    ...(['work', 'sums', 'products'] as const),
  ],
  topics_cooccur: [
    ...(['documents', 'words', 'top', 'rowStart', 'index', 'starts', 'places'] as const),
    ...(['masks', 'touched', 'counts'] as const),
  ],
  topics_tokens: ['nonzeros', 'words', 'room', 'index', 'count', 'out'],

  // assembly/topics/documents.ts
  topics_longest: ['documents', 'rowStart', 'count'],
  topics_periods: [
    ...(['documents', 'topics', 'alpha', 'starts', 'topic', 'count', 'period'] as const),
    ...(['sums', 'norms'] as const),
  ],
  topics_typical: [
    ...(['documents', 'top', 'least', 'alpha', 'alphas', 'starts', 'topic', 'count'] as const),
    ...(['found', 'out', 'score'] as const),
  ],
} as const;
