// Where the kernels of supervised topics find what they work on. D documents, T classes, K topics,
// V words; a row is K padded to 8 cells of 4 bytes.
//
//   i32   K, bytes of a row, T
//   places of what all threads share
//         starts    D + 1 × i32: document d's tokens are starts[d] …
//         words     i32 a token, ascending in a document     topics  i32 a token; −1: none yet
//         counts    D rows n_dk        table  V rows n_kw     totals  K × i32, n_k
//         targets   D × i32; −1: no class                      lambda  D × T × f32
//         eta       T rows of f32, 0 behind K
//   places of a thread's own
//         inverse, running   a row of f32       factors  K rows         stamps  K × i32
//         residuals, gains, without   T × f32
//   f64   α, β, Vβ, cost c, margin ℓ

/** Byte places within a plan. */
// @ts-ignore: decorator
@inline
export const K = 0, ROW_BYTES = 4, CLASSES = 8, STARTS = 12, WORDS = 16, TOPICS = 20, COUNTS = 24,
  TABLE = 28, TOTALS = 32, TARGETS = 36, LAMBDA = 40, ETA = 44, INVERSE = 48, RUNNING = 52,
  FACTORS = 56, STAMPS = 60, RESIDUALS = 64, GAINS = 68, WITHOUT = 72, ALPHA = 80, BETA = 88,
  VBETA = 96, COST = 104, MARGIN = 112;
