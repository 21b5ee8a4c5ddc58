// One pass of block SGD for matrix factorization with 128-bit vectors by hand: up to four ratings of a
// user at a time, their errors at the old rows, then both updates. The same update as assembly/models/
// mf.ts without biases; vectors are the compiler's own, so this is SSE on x86 and NEON on Arm.
#include "bench.h"

typedef float V __attribute__((vector_size(16)));

#define SPREAD(x, lane) __builtin_shufflevector(x, x, lane, lane, lane, lane)

typedef struct {
  uint32_t user, length;
} Run;

typedef struct {
  int runs, items;
  Run *run;
  uint16_t *ix;
  float *values, *p, *q, *y, *base;
  float eta, decay;
} Block;

static inline V load(const float *x) { return *(const V *)x; }
static inline void store(float *x, V v) { *(V *)x = v; }

// Lane j of the result is the sum of the lanes of the j-th argument.
static inline V sums(V a, V b, V c, V d) {
  V ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
  V cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

__attribute__((always_inline)) static inline V batch(int m, int K, const Block *block, float *p,
                                                     const uint16_t *ix, const float *values,
                                                     float keep) {
  float *q[4];
  V dots[4], e, u, w[4];
  for (int j = 0; j < 4; j++) {
    q[j] = block->q + (size_t)ix[j < m ? j : 0] * K;
    dots[j] = (V){0};
  }
  for (int k = 0; k < K; k += 4) {
    V x = load(p + k);
    for (int j = 0; j < m; j++) dots[j] += x * load(q[j] + k);
  }
  V v = {0};
  for (int j = 0; j < m; j++) v[j] = values[j];
  e = v - sums(dots[0], dots[1], dots[2], dots[3]);
  u = e * block->eta;
  w[0] = SPREAD(u, 0), w[1] = SPREAD(u, 1), w[2] = SPREAD(u, 2), w[3] = SPREAD(u, 3);
  V t[4];
  for (int j = 0; j < m; j++) t[j] = w[j] * block->base[ix[j]];
  for (int k = 0; k < K; k += 4) {
    V x = load(p + k), s = x * keep;
    for (int j = 0; j < m; j++) {
      V y = load(q[j] + k);
      s += w[j] * y;
      store(q[j] + k, y + t[j] * x);
    }
    store(p + k, s);
  }
  return e;
}

#define INSTANCE(K)                                                            \
  __attribute__((noinline)) static double pass_##K(const Block *block) {       \
    const uint16_t *ix = block->ix;                                            \
    const float *values = block->values;                                       \
    float rest = 1 / (1 + block->eta * block->decay);                          \
    for (int i = 0; i < block->items * K; i += 4) {                            \
      store(block->q + i, load(block->q + i) * rest);                          \
    }                                                                          \
    double loss = 0;                                                           \
    for (int r = 0; r < block->runs; r++) {                                    \
      uint32_t user = block->run[r].user, left = block->run[r].length;         \
      float *p = block->p + (size_t)user * K, y = block->eta * block->y[user]; \
      V squares = {0}, e = {0};                                                \
      for (; left >= 4; left -= 4, ix += 4, values += 4) {                     \
        e = batch(4, K, block, p, ix, values, 1 - 4 * y);                      \
        squares += e * e;                                                      \
      }                                                                        \
      if (left > 0) {                                                          \
        if (left == 3) e = batch(3, K, block, p, ix, values, 1 - 3 * y);       \
        else if (left == 2) e = batch(2, K, block, p, ix, values, 1 - 2 * y);  \
        else e = batch(1, K, block, p, ix, values, 1 - y);                     \
        squares += e * e;                                                      \
        ix += left, values += left;                                            \
      }                                                                        \
      loss += squares[0] + squares[1] + squares[2] + squares[3];               \
    }                                                                          \
    return loss;                                                               \
  }

INSTANCE(32)
INSTANCE(64)
INSTANCE(128)

// Runs of 1 to 32 ratings, each of another user, over the items of a part.
static Block block_of(int K, int users, int items, int *ratings) {
  start(5);
  Block b = {users, items, room(users * sizeof(Run)), 0, 0, 0, 0, 0, 0, 0.01f, 0.1f};
  b.ix = room(users * 32 * 2 + 16);
  b.values = room(users * 32 * 4 + 16);
  int n = 0;
  for (int u = 0; u < users; u++) {
    b.run[u] = (Run){u, 1 + bits() % 32};
    for (uint32_t j = 0; j < b.run[u].length; j++) {
      b.ix[n] = bits() % items;
      b.values[n++] = uniform();
    }
  }
  b.p = floats((size_t)users * K);
  b.q = floats((size_t)items * K);
  b.y = room(users * 4);
  b.base = room(items * 4);
  for (int u = 0; u < users; u++) b.y[u] = 0.01f;
  for (int i = 0; i < items; i++) b.base[i] = 1;
  *ratings = n;
  return b;
}

#define CASE(K)                                                                \
  do {                                                                         \
    int ratings;                                                               \
    Block b = block_of(K, smoke ? 10 : 1000, smoke ? 8 : 500, &ratings);       \
    double loss = pass_##K(&b);                                                \
    TIME("mf-" #K, ratings, loss, sink = pass_##K(&b));                        \
  } while (0)

int main(int count, char **arguments) {
  (void)arguments;
  smoke = count > 1;
  CASE(32);
  CASE(64);
  CASE(128);
  return 0;
}
