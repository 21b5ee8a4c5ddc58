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
  // assembly/parse/libsvm.ts
  parse_libsvm: [
    'text',
    'end',
    'state',
    'base',
    'columns',
    'indexMax',
    'rowsMax',
    'entriesMax',
    'labelsMax',
    'labelBytesMax',
    'labels',
    'numeric',
    'target',
    'rowStart',
    'index',
    'value',
  ],
  // assembly/parse/ratings.ts
  parse_ratings: [
    'text',
    'end',
    'state',
    'strict',
    'fields',
    'least',
    'userMax',
    'itemMax',
    'entriesMax',
    'labelsMax',
    'labelBytesMax',
    'labels',
    'user',
    'item',
    'value',
  ],
  // assembly/parse/csv.ts
  parse_csv: [
    'text',
    'end',
    'state',
    'delimiter',
    'columns',
    'labelColumn',
    'keep',
    'stride',
    'rowsMax',
    'labelsMax',
    'labelBytesMax',
    'labels',
    'numeric',
    'target',
    'x',
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
    'n',
    'base',
    'rows',
    'columns',
    'total',
    'row',
    'column',
    'x',
    'cursor',
    'index',
    'value',
  ],
  csr_count_entries: ['n', 'base', 'rows', 'columns', 'row', 'column', 'counts'],
  csr_sort_rows: ['rows', 'rowStart', 'index', 'value'],
  csr_twice: ['n', 'index'],
  triple_find: ['n', 'row', 'column', 'skip', 'rows', 'columns'],
  i32_scatter: ['n', 'base', 'rows', 'map', 'at', 'from', 'to'],
  i32_find: ['n', 'wanted', 'x'],
  i32_fill: ['n', 'a', 'x'],
} as const;

type Numbers<Names extends readonly string[]> = { readonly [I in keyof Names]: number };

/** All kernels as typed functions, with the arity of the table. */
export type Kernels = {
  readonly [K in keyof typeof signatures]: (...args: Numbers<(typeof signatures)[K]>) => number;
};
