// The libsvm parse loop of assembly/parse/libsvm.ts in plain C: the baseline our kernel is held to.
//
//   gcc -O3 -msse4.2 bench/native/parse_libsvm.c -o build/parse_libsvm -lm
//   build/parse_libsvm FILE [REPEATS]      prints: ns/byte rows entries checksum
//
// Same work: digits into a u64, one multiplication or division by a power of ten, ascending indices,
// f32 values, i32 columns, i32 row starts. FILE must be valid; it is read whole and cut at its last line.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double powers[65];

static inline double scale(uint64_t mantissa, int exponent) {
  double value = (double)mantissa;
  if (exponent == 0 || mantissa == 0) return value;
  if (exponent < 0) return exponent < -64 ? 0 : value / powers[-exponent];
  return exponent > 38 ? INFINITY : value * powers[exponent];
}

static const uint8_t *number(const uint8_t *p, double *out) {
  int negative = *p == '-';
  if (negative || *p == '+') p++;
  const uint8_t *first = p;
  uint64_t mantissa = 0;
  unsigned d;
  while ((d = *p - '0') <= 9) mantissa = mantissa * 10 + d, p++;
  int digits = (int)(p - first), exponent = 0, written = 0;
  if (*p == '.') {
    const uint8_t *point = ++p;
    while ((d = *p - '0') <= 9) mantissa = mantissa * 10 + d, p++;
    exponent = -(int)(p - point);
    digits -= exponent;
  }
  if (digits == 0 || digits > 19) return NULL;
  if (*p == 'e' || *p == 'E') {
    int minus = *++p == '-';
    if (minus || *p == '+') p++;
    while ((d = *p - '0') <= 9) written = written * 10 + (int)d, p++;
    if (minus) written = -written;
  }
  double value = scale(mantissa, exponent + written);
  *out = negative ? -value : value;
  return p;
}

static int parse(const uint8_t *p, const uint8_t *end, float *label, int32_t *start, int32_t *index,
                 float *value, int32_t *entries) {
  int rows = 0, n = 0;
  double x;
  start[0] = 0;
  while (p < end) {
    p = number(p, &x);
    if (!p) return -1;
    label[rows] = (float)x;
    int previous = -1;
    for (;;) {
      while (*p == ' ') p++;
      if (*p == '\n') break;
      unsigned d;
      int i = 0;
      while ((d = *p - '0') <= 9) i = i * 10 + (int)d, p++;
      if (*p++ != ':' || i <= previous) return -1;
      previous = i;
      p = number(p, &x);
      if (!p || (*p != ' ' && *p != '\n') || !(fabs(x) <= 3.4028234e38)) return -1;
      index[n] = i - 1;
      value[n++] = (float)x;
    }
    p++;
    start[++rows] = n;
  }
  *entries = n;
  return rows;
}

int main(int count, char **arguments) {
  if (count < 2) return fprintf(stderr, "usage: parse_libsvm FILE [REPEATS]\n"), 2;
  int repeats = count > 2 ? atoi(arguments[2]) : 5;
  FILE *file = fopen(arguments[1], "rb");
  if (!file) return perror(arguments[1]), 1;
  fseek(file, 0, SEEK_END);
  size_t bytes = (size_t)ftell(file);
  rewind(file);
  uint8_t *text = malloc(bytes + 1);
  if (fread(text, 1, bytes, file) != bytes) return perror(arguments[1]), 1;
  while (bytes > 0 && text[bytes - 1] != '\n') bytes--;
  for (int i = 0; i < 65; i++) powers[i] = pow(10, i);
  float *label = malloc((bytes / 2 + 1) * 4), *value = malloc((bytes / 4 + 1) * 4);
  int32_t *start = malloc((bytes / 2 + 2) * 4), *index = malloc((bytes / 4 + 1) * 4);
  double best = INFINITY, sum = 0;
  int32_t rows = 0, entries = 0;
  for (int r = 0; r < repeats; r++) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    rows = parse(text, text + bytes, label, start, index, value, &entries);
    clock_gettime(CLOCK_MONOTONIC, &b);
    if (rows < 0) return fprintf(stderr, "%s: not valid libsvm text\n", arguments[1]), 1;
    double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
    if (ns / (double)bytes < best) best = ns / (double)bytes;
  }
  for (int i = 0; i < entries; i++) sum += value[i] + index[i];
  printf("%.4f ns/byte %d rows %d entries %.6e\n", best, rows, entries, sum);
  return 0;
}
