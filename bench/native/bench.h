// What the C programs share: the same data as the TypeScript side, timing, and the line they print.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int smoke;

// The data: a linear congruential sequence, started anew by each case.
static uint32_t sequence;
static void start(uint32_t seed) { sequence = seed; }
static uint32_t bits(void) {
  sequence = sequence * 1664525u + 1013904223u;
  return sequence >> 8;
}
static float uniform(void) { return (float)bits() / 16777216.0f - 0.5f; }

static void *room(size_t bytes) {
  void *place = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!place) exit(1);
  memset(place, 0, (bytes + 63) / 64 * 64);
  return place;
}
static inline float *floats(size_t n) {
  float *x = room(n * sizeof(float));
  for (size_t i = 0; i < n; i++) x[i] = uniform();
  return x;
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

// Keeps a result alive without letting the compiler see what becomes of it.
static volatile double sink;

// Least time of many samples of `statement`, in nanoseconds per element.
#define TIME(name, elements, checksum, statement)                              \
  do {                                                                         \
    double once = seconds();                                                   \
    statement;                                                                 \
    once = seconds() - once;                                                   \
    int calls = smoke || once > 2e-3 ? 1 : (int)(2e-3 / (once + 1e-7)) + 1;    \
    double least = 1e9;                                                        \
    for (int sample = 0; sample < (smoke ? 1 : 12); sample++) {                \
      double began = seconds();                                                \
      for (int call = 0; call < calls; call++) {                               \
        statement;                                                             \
      }                                                                        \
      double took = (seconds() - began) / calls;                               \
      if (took < least) least = took;                                          \
    }                                                                          \
    printf("%s %.6g %.9g\n", name, 1e9 * least / (elements), (double)checksum); \
  } while (0)
