// The libsvm parse loop of assembly/parse/libsvm.ts in plain C: the baseline our kernel is held to.
//
//   parse_libsvm [smoke] NAME FILE …     prints for each file: NAME ns/byte checksum
//
// Same work: digits into a u64, one multiplication or division by a power of ten, ascending
// indices, f32 values, i32 columns, i32 row starts. FILE must be valid; it is read whole and cut at
// its last line.
#include "bench.h"

#include <math.h>

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

// Out of line, so that no work is left out for a result that nobody reads.
static __attribute__((noinline)) int parse(const uint8_t *p, const uint8_t *end, float *label,
                                           int32_t *starts, int32_t *index, float *value,
                                           int32_t *entries) {
  int rows = 0, n = 0;
  double x;
  starts[0] = 0;
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
    starts[++rows] = n;
  }
  *entries = n;
  return rows;
}

// The sum of all columns, values and row starts.
static double checksum(int rows, int entries, const int32_t *starts, const int32_t *index,
                       const float *value) {
  double sum = 0;
  for (int i = 0; i < entries; i++) sum += (double)value[i] + index[i];
  for (int r = 0; r <= rows; r++) sum += starts[r];
  return sum;
}

static int measure(const char *name, const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) return perror(path), 1;
  fseek(file, 0, SEEK_END);
  size_t bytes = (size_t)ftell(file);
  rewind(file);
  uint8_t *text = room(bytes + 1);
  if (fread(text, 1, bytes, file) != bytes) return perror(path), 1;
  fclose(file);
  while (bytes > 0 && text[bytes - 1] != '\n') bytes--;
  float *label = room((bytes / 2 + 1) * 4), *value = room((bytes / 4 + 1) * 4);
  int32_t *starts = room((bytes / 2 + 2) * 4), *index = room((bytes / 4 + 1) * 4);
  int32_t entries = 0;
  int rows = parse(text, text + bytes, label, starts, index, value, &entries);
  if (rows < 0) return fprintf(stderr, "%s: not valid libsvm text\n", path), 1;
  TIME(name, (double)bytes, checksum(rows, entries, starts, index, value),
       rows = parse(text, text + bytes, label, starts, index, value, &entries));
  free(text), free(label), free(value), free(starts), free(index);
  return 0;
}

int main(int count, char **arguments) {
  smoke = count > 1 && !strcmp(arguments[1], "smoke");
  for (int i = 0; i < 65; i++) powers[i] = pow(10, i);
  for (int i = 1 + smoke; i + 1 < count; i += 2) {
    if (measure(arguments[i], arguments[i + 1])) return 1;
  }
  return 0;
}
