// Kernels of rows of tables as payloads: see ../signatures.ts.

export const wire = {
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
