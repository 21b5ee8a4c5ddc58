// assembly/wire/halves.ts: all f16 and bf16 numbers, and the nearest of them to any f32.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lengths, onEveryBuild, prngOf, type Lab } from './helpers/lab.ts';

const kinds = { f16: 1, bf16: 2 } as const;
type Kind = keyof typeof kinds;
/** Bits of exponent and of mantissa, and the largest finite number. */
const shapes = {
  f16: { exponent: 5, mantissa: 10, largest: 0x7bff, nan: 0x7e00 },
  bf16: { exponent: 8, mantissa: 7, largest: 0x7f7f, nan: 0x7fc0 },
} as const;

/** What a half means, by the definition. */
function meaning(kind: Kind, half: number): number {
  const { exponent, mantissa } = shapes[kind];
  const sign = half & 0x8000 ? -1 : 1;
  const e = (half >> mantissa) & (2 ** exponent - 1);
  const m = half & (2 ** mantissa - 1);
  const bias = 2 ** (exponent - 1) - 1;
  if (e === 2 ** exponent - 1) return m === 0 ? sign * Infinity : NaN;
  if (e === 0) return sign * m * 2 ** (1 - bias - mantissa);
  return sign * (1 + m * 2 ** -mantissa) * 2 ** (e - bias);
}

const meanings = {
  f16: Float64Array.from({ length: 65_536 }, (_, half) => meaning('f16', half)),
  bf16: Float64Array.from({ length: 65_536 }, (_, half) => meaning('bf16', half)),
};
const valueOf = (kind: Kind, half: number): number => meanings[kind][half] ?? NaN;

/** The half nearest to a number, ties to the even one, by search over all of them. */
function nearest(kind: Kind, value: number): number {
  const { largest, nan } = shapes[kind];
  if (Number.isNaN(value)) return nan;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= valueOf(kind, largest)) return sign | largest;
  let low = 0;
  let high: number = largest; // low <= size < high
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (valueOf(kind, middle) <= size) low = middle;
    else high = middle;
  }
  const [below, above] = [size - valueOf(kind, low), valueOf(kind, high) - size];
  if (below !== above) return sign | (below < above ? low : high);
  return sign | (low % 2 === 0 ? low : high);
}

const bitsOf = (values: Float32Array) => new Uint32Array(values.buffer);

function checkEncode(lab: Lab, kind: Kind, values: Float32Array, label: string): void {
  lab.reset();
  const n = values.length;
  const [from, to] = [lab.output(values), lab.output(n * 2)];
  lab.kernels.halves_encode(kinds[kind], n, from, to);
  const [halves, rest] = [lab.u16(to, n), lab.f32(from, n)];
  values.forEach((value, i) => {
    const want = nearest(kind, value);
    const [half, left] = [halves[i]!, rest[i]!];
    const residual = Math.fround(value - valueOf(kind, want));
    const isRight = half === want && Object.is(left + 0, residual + 0);
    if (isRight || (Number.isNaN(value) && (half & 0x7fff) === want)) return;
    const found = `got ${half.toString(16)}, want ${want.toString(16)}; ${left} is left`;
    assert.unreachable(`${label}: ${kind} of ${value}: ${found}, not ${residual}`);
  });
  lab.check(label);
}

for (const kind of ['f16', 'bf16'] as const) {
  onEveryBuild(`halves_decode: all 65 536 numbers (${kind})`, (lab) => {
    const halves = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const out = lab.output(halves.length * 4);
    lab.kernels.halves_decode(kinds[kind], halves.length, lab.input(halves), out);
    const values = lab.f32(out, halves.length);
    halves.forEach((half) => {
      const want = valueOf(kind, half);
      assert.ok(
        Object.is(values[half], want),
        `${half.toString(16)}: ${values[half]}, not ${want}`,
      );
    });
    lab.check('all');
  });

  onEveryBuild(`halves_encode: every number, and between two of them (${kind})`, (lab) => {
    const values: number[] = [];
    for (let half = 0; half < 65_536; half++) {
      const [value, next] = [valueOf(kind, half), valueOf(kind, half + 1)];
      if (!Number.isFinite(value)) continue;
      values.push(value);
      if (!Number.isFinite(next) || half % 0x8000 === shapes[kind].largest) continue;
      const middle = Math.fround((value + next) / 2);
      const [bits] = bitsOf(Float32Array.of(middle));
      // The tie, and its two neighbours among the f32 numbers.
      values.push(middle, ...new Float32Array(Uint32Array.of(bits! - 1, bits! + 1).buffer));
    }
    checkEncode(lab, kind, Float32Array.from(values), 'every number');
  });

  onEveryBuild(`halves_encode: any bits of an f32 (${kind})`, (lab) => {
    const prng = prngOf(16);
    const bits = Uint32Array.from({ length: 50_000 }, () => prng.uint32());
    checkEncode(lab, kind, new Float32Array(bits.buffer), 'any bits');
  });

  onEveryBuild(`halves_encode: too large, infinite, not a number, tiny (${kind})`, (lab) => {
    const sizes = [0, 2 ** -149, 2 ** -126, 2 ** -25, 2 ** -24, 65_504, 65_519, 65_520, 65_536];
    sizes.push(3.3e38, 3.39e38, 3.4e38, Infinity);
    const values = Float32Array.of(...sizes, ...sizes.map((size) => -size), NaN);
    checkEncode(lab, kind, values, 'special');
  });

  onEveryBuild(`halves_encode, halves_decode: every length (${kind})`, (lab) => {
    for (const n of lengths) {
      const prng = prngOf(n);
      checkEncode(
        lab,
        kind,
        Float32Array.from({ length: n }, () => prng.uniform() - 0.5),
        `n=${n}`,
      );
      lab.reset();
      const halves = Uint16Array.from({ length: n }, () => prng.below(0x7000));
      const out = lab.output(n * 4);
      lab.kernels.halves_decode(kinds[kind], n, lab.input(halves), out);
      assert.equal(
        [...lab.f32(out, n)],
        [...halves].map((half) => valueOf(kind, half)),
      );
      lab.check(`n=${n}`);
    }
  });
}

test.run();
