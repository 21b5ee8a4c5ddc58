// One module, all kernels. A kernel is a plain function over dimensions and byte offsets into the
// shared memory; nothing here has state (see src/toolchain/kernels.mjs for why, and the check).
export * from './linalg/vector';
export * from './linalg/vector64';
export * from './linalg/rows';
export * from './linalg/reduce';
export * from './linalg/sparse-row';
export * from './linalg/gram';
export * from './linear/columns';
export * from './linear/gram';
export * from './linear/block';
export * from './linear/lasso';
export { directory_dense, directory_csr, directory_shuffle, directory_count, csr_count_columns, rows_sum_squares } from './data';
export { mlr_gradient, mlr_evaluate, mlr_sgd_step, mlr_softmax_rows, batch_columns } from './models/softmax';
export * from './models/softmax-dual';
export * from './models/softmax-certificate';
export * from './logistic/rows';
export { logistic_gram, gram_square, f32_widen } from './logistic/gram';
export { mf_block, mf_block_error, mf_predict } from './models/mf';
export * from './models/mf-grid';
export * from './models/mf-columns';
export { mf_rows, mf_moments, mf_unpack, mf_rows_error } from './models/mf-rows';
export { parse_libsvm } from './parse/libsvm';
export { parse_ratings } from './parse/ratings';
export { parse_csv } from './parse/csv';
export * from './parse/convert';
export * from './wire/marks';
export * from './wire/rows';
export * from './wire/halves';
