// Loss and gradient of multinomial logistic regression, sample by sample, over padded rows of classes.
// A dense row is turned into (column, value) pairs first, as our kernel does. The classes are vectors
// of the compiler's own: it would keep an array of scores in memory, at half the speed.
#include "bench.h"
#include <math.h>

typedef float V __attribute__((vector_size(16)));

typedef struct {
  const int *columns;
  const float *values;
  const uint8_t *pixels;
  int n, target;
} Row;

typedef struct {
  int rows, d;
  Row *row;
  float *w, *g;
} Problem;

// K is a constant of each instance, KP the same padded to 4: the compiler may unroll over classes.
#define INSTANCE(K, KP)                                                        \
  __attribute__((noinline)) static double gradient_##K(const Problem *problem) { \
    static int list[1024];                                                     \
    static float pairs[1024];                                                  \
    double loss = 0;                                                           \
    for (int i = 0; i < problem->rows; i++) {                                  \
      const Row *row = &problem->row[i];                                       \
      const int *columns = row->columns;                                       \
      const float *values = row->values;                                       \
      int n = row->n;                                                          \
      if (row->pixels) {                                                       \
        n = 0;                                                                 \
        for (int j = 0; j < problem->d; j++) {                                 \
          list[n] = j;                                                         \
          pairs[n] = row->pixels[j] * (1.0f / 255);                            \
          n += row->pixels[j] != 0;                                            \
        }                                                                      \
        columns = list;                                                        \
        values = pairs;                                                        \
      }                                                                        \
      V score[KP / 4] = {{0}};                                                 \
      for (int j = 0; j < n; j++) {                                            \
        const V *w = (const V *)(problem->w + (size_t)columns[j] * KP);        \
        for (int k = 0; k < KP / 4; k++) score[k] += values[j] * w[k];         \
      }                                                                        \
      float z[KP] __attribute__((aligned(16)));                                \
      memcpy(z, score, sizeof z);                                              \
      float top = z[0], sum = 0;                                               \
      for (int k = 1; k < K; k++) top = z[k] > top ? z[k] : top;               \
      float target = z[row->target] - top;                                     \
      for (int k = 0; k < KP; k++) z[k] = k < K ? expf(z[k] - top) : 0;        \
      for (int k = 0; k < KP; k++) sum += z[k];                                \
      for (int k = 0; k < KP; k++) z[k] /= sum;                                \
      loss += logf(sum) - target;                                              \
      z[row->target] -= 1;                                                     \
      memcpy(score, z, sizeof z);                                              \
      for (int j = 0; j < n; j++) {                                            \
        V *g = (V *)(problem->g + (size_t)columns[j] * KP);                    \
        for (int k = 0; k < KP / 4; k++) g[k] += values[j] * score[k];         \
      }                                                                        \
    }                                                                          \
    return loss;                                                               \
  }

INSTANCE(10, 12)
INSTANCE(4, 4)

static void weights(Problem *problem, int K, int KP) {
  problem->w = room((size_t)problem->d * KP * 4);
  problem->g = room((size_t)problem->d * KP * 4);
  for (int j = 0; j < problem->d; j++) {
    for (int k = 0; k < K; k++) problem->w[(size_t)j * KP + k] = 0.1f * uniform();
  }
}

// One row in five pixels is not 0, as in images of digits.
static void images(int rows) {
  start(3);
  Problem problem = {rows, 784, room(rows * sizeof(Row)), 0, 0};
  Problem sparse = problem;
  sparse.row = room(rows * sizeof(Row));
  for (int i = 0; i < rows; i++) {
    uint8_t *pixels = room(784);
    int *columns = room(784 * 4), n = 0;
    float *values = room(784 * 4);
    for (int j = 0; j < 784; j++) {
      pixels[j] = bits() % 5 == 0 ? 1 + bits() % 255 : 0;
      if (!pixels[j]) continue;
      columns[n] = j;
      values[n++] = pixels[j] * (1.0f / 255);
    }
    int target = bits() % 10;
    problem.row[i] = (Row){0, 0, pixels, 784, target};
    sparse.row[i] = (Row){columns, values, 0, n, target};
  }
  weights(&problem, 10, 12);
  sparse.w = problem.w;
  sparse.g = problem.g;
  double loss = gradient_10(&problem);
  TIME("softmax-u8", rows, loss, sink = gradient_10(&problem));
  TIME("softmax-csr", rows, loss, sink = gradient_10(&sparse));
}

// Rows of 100 entries anywhere in d columns, 4 classes: one vector per entry.
static void sparse(const char *name, int rows, int d) {
  start(4);
  Problem problem = {rows, d, room(rows * sizeof(Row)), 0, 0};
  for (int i = 0; i < rows; i++) {
    int *columns = room(100 * 4);
    float *values = room(100 * 4);
    for (int j = 0; j < 100; j++) {
      columns[j] = (int)(((uint64_t)j * d) / 100 + bits() % (d / 100));
      values[j] = uniform();
    }
    problem.row[i] = (Row){columns, values, 0, 100, bits() % 4};
  }
  weights(&problem, 4, 4);
  double loss = gradient_4(&problem);
  TIME(name, rows * 100, loss, sink = gradient_4(&problem));
}

int main(int count, char **arguments) {
  (void)arguments;
  smoke = count > 1;
  images(smoke ? 4 : 256);
  sparse("sparse-cache", smoke ? 4 : 256, 4000);
  sparse("sparse-memory", smoke ? 4 : 4096, smoke ? 8000 : 1000000);
  return 0;
}
