// Dense loops as plain C; the compiler vectorizes them.
#include "bench.h"
#include <math.h>

__attribute__((noinline)) static float dot(int n, const float *x, const float *y) {
  float sum = 0;
  for (int i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

__attribute__((noinline)) static void axpy(int n, float a, const float *restrict x,
                                           float *restrict y) {
  for (int i = 0; i < n; i++) y[i] += a * x[i];
}

__attribute__((noinline)) static void exp_all(int n, const float *restrict x, float *restrict y) {
  for (int i = 0; i < n; i++) y[i] = expf(x[i]);
}

static void pair(const char *where, int n) {
  char name[32];
  start(1);
  float *x = floats(n), *y = floats(n);
  snprintf(name, sizeof name, "dot-%s", where);
  double sum = dot(n, x, y);
  TIME(name, n, sum, sink = dot(n, x, y));
  snprintf(name, sizeof name, "axpy-%s", where);
  axpy(n, 1e-4f, x, y);
  sum = dot(n, x, y);
  TIME(name, n, sum, axpy(n, 1e-4f, x, y));
  free(x);
  free(y);
}

int main(int count, char **arguments) {
  (void)arguments;
  smoke = count > 1;
  pair("cache", smoke ? 64 : 4096);
  pair("memory", smoke ? 128 : 1 << 22);
  int n = smoke ? 64 : 4096;
  start(2);
  float *x = floats(n), *y = floats(n);
  for (int i = 0; i < n; i++) x[i] = 20 * x[i] - 10;
  exp_all(n, x, y);
  double sum = 0;
  for (int i = 0; i < n; i++) sum += y[i];
  TIME("exp", n, sum, exp_all(n, x, y));
  return 0;
}
