// One module, all kernels. A kernel is a plain function over dimensions and byte offsets into the
// shared memory; nothing here has state (see src/toolchain/kernels.mjs for why, and the check).
export * from './linalg/vector';
export { parse_libsvm } from './parse/libsvm';
export { parse_ratings } from './parse/ratings';
export { parse_csv } from './parse/csv';
export * from './parse/convert';
