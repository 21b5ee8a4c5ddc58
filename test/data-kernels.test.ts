// The parse kernels themselves, in all three builds: numbers against JavaScript's, and nothing read
// or written outside what they were given, whatever the bytes.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng, type Prng } from '../src/base/prng.ts';
import { compileKernels, instantiate, type KernelVariant } from '../src/memory/kernels.ts';
import type { Kernels } from '../src/memory/signatures.ts';

const memory = new WebAssembly.Memory({ initial: 256, maximum: 65536, shared: true });
const variants: readonly KernelVariant[] = ['release', 'relaxed', 'debug'];
const u8 = new Uint8Array(memory.buffer);
const f32 = new Float32Array(memory.buffer);

// Below 64 KiB are the constants of the kernels.
const STATE = 64 * 1024;
const LABELS = 128 * 1024;
const TEXT = 1024 * 1024;
const OUT = 4 * 1024 * 1024;
const END = 8 * 1024 * 1024;

function digits(prng: Prng, count: number): string {
  return Array.from({ length: count }, () => prng.below(10)).join('');
}

/** Decimal texts of every shape: short, long, with and without point and exponent, tiny, huge. */
function randomNumber(prng: Prng): string {
  const sign = ['', '-', '+'][prng.below(3)] ?? '';
  const whole = digits(prng, prng.below(prng.below(4) === 0 ? 25 : 6));
  const fraction = digits(prng, prng.below(prng.below(4) === 0 ? 25 : 8));
  const body = whole + (fraction === '' && prng.below(2) === 0 ? '' : `.${fraction}`);
  const exponent = prng.below(3) === 0 ? `e${prng.below(90) - 50}` : '';
  return sign + (/\d/.test(body) ? body : `0${body}`) + exponent;
}

/** f32 values around every binade, printed with many and with few digits. */
function printedFloat(prng: Prng): string {
  const bits = new Uint32Array([prng.uint32()]);
  const [value = 0] = new Float32Array(bits.buffer);
  if (!Number.isFinite(value)) return '0';
  return prng.below(2) === 0 ? String(value) : value.toPrecision(1 + prng.below(20));
}

function bitsOf(value: number): number {
  const [bits = 0] = new Int32Array(new Float32Array([value]).buffer);
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}

function parseColumn(kernels: Kernels, texts: readonly string[]): Float32Array {
  const bytes = Buffer.from(texts.join('\n') + '\n');
  u8.set(bytes, TEXT);
  const code = kernels.parse_csv(
    ...([TEXT, TEXT + bytes.length, STATE, 32, 1, -1, 1, 1, texts.length] as const),
    ...([4096, 256, LABELS, 0, OUT, OUT] as const),
  );
  assert.is(code, 0);
  return f32.slice(OUT / 4, OUT / 4 + texts.length);
}

for (const variant of variants) {
  const kernels = instantiate(compileKernels(variant), memory);

  test(`numbers are within 1 ulp of Math.fround(Number(text)), nearly all exact (${variant})`, () => {
    const prng = createPrng(11);
    let exact = 0;
    let total = 0;
    for (const shape of [randomNumber, printedFloat]) {
      const texts = Array.from({ length: 20_000 }, () => shape(prng)).filter((text) =>
        Number.isFinite(Math.fround(Number(text))),
      );
      const parsed = parseColumn(kernels, texts);
      for (const [i, text] of texts.entries()) {
        const wanted = Math.fround(Number(text));
        const got = parsed[i] ?? NaN;
        assert.ok(Math.abs(bitsOf(got) - bitsOf(wanted)) <= 1, `${text}: ${got} for ${wanted}`);
        if (Object.is(got, wanted)) exact++;
        total++;
      }
    }
    assert.ok(exact / total > 0.9999, `${exact} of ${total} exact`);
  });

  test(`numbers at the edges are exact (${variant})`, () => {
    const texts = [
      ...['0', '-0', '+0', '00012', '1e0', '1E+2', '1e-2', '.5', '5.', '-.25e1', '0e999999999999'],
      ...[
        '3.4028234e38',
        '1.17549435e-38',
        '1e-45',
        '1.4e-45',
        '7e-46',
        '1e-400',
        '16777217',
        '16777219',
      ],
      ...[
        '340282346638528859811704183484516925440',
        '0.000000000000000000000000000001',
        '1e-64',
        '1e-65',
      ],
      ...[
        `0.${'0'.repeat(200)}1e201`,
        `1${'0'.repeat(200)}e-200`,
        '9'.repeat(38),
        `1.${'9'.repeat(60)}`,
      ],
    ];
    const parsed = parseColumn(kernels, texts);
    assert.equal(
      [...parsed],
      texts.map((text) => Math.fround(Number(text))),
    );
    assert.ok(Object.is(parsed[1], -0));
  });

  test(`random bytes: kernels stay inside their text and their outputs (${variant})`, () => {
    const prng = createPrng(23);
    const alphabet = '0123456789  ::..,,eE+-#"\t\r\n\n\u0000abqid%';
    for (let round = 0; round < 3000; round++) {
      const length = 1 + prng.below(60);
      const body = Array.from({ length }, () => alphabet.charCodeAt(prng.below(alphabet.length)));
      const text = Uint8Array.from([...body, 10]);
      const room = prng.below(12);
      const answers = ['7', '\n', ':'].map((outside) => {
        u8.fill(outside.charCodeAt(0), TEXT - 64, TEXT + 256);
        u8.set(text, TEXT);
        u8.fill(0xa5, OUT, OUT + 4096);
        kernels.bytes_zero(40_000, LABELS);
        const code = run(kernels, round % 3, TEXT + text.length, room);
        for (let place = 0; place < 4; place++) {
          const from = OUT + place * 1024;
          // rowStart has one element more than there are rows
          const used =
            (room + (round % 3 === 0 && place === 1 ? 1 : 0)) *
            (round % 3 === 1 && place === 3 ? 16 : 4);
          const outsideBytes = [...u8.subarray(from + used, from + 1024)];
          assert.ok(
            outsideBytes.every((byte) => byte === 0xa5),
            `kernel ${round % 3} wrote outside`,
          );
        }
        return [code, ...u8.subarray(STATE, STATE + 16), ...u8.subarray(OUT, OUT + 4096)].join();
      });
      assert.is(answers[1], answers[0], `SEED=23 round ${round}: bytes behind the text matter`);
      assert.is(answers[2], answers[0]);
    }
  });
}

function run(kernels: Kernels, which: number, end: number, room: number): number {
  const [a, b, c, d] = [OUT, OUT + 1024, OUT + 2048, OUT + 3072];
  if (which === 0) {
    return kernels.parse_libsvm(
      ...([TEXT, end, STATE, -1, 1000, 1000, room, room, 3, 8, LABELS, 0, a, b, c, d] as const),
    );
  }
  if (which === 1) {
    return kernels.parse_csv(
      ...([TEXT, end, STATE, 44, 3, 2, 2, 4, room, 3, 8, LABELS, 0, a, d] as const),
    );
  }
  return kernels.parse_ratings(
    ...([TEXT, end, STATE, 0, 3, 0, 1e9, 1e9, 0, -1, room, 3, 8, 0, a, b, c] as const),
  );
}

test('sorting rows: any order of columns becomes ascending, a column that stands twice is found', () => {
  const kernels = instantiate(compileKernels('release'), memory);
  const i32 = new Int32Array(memory.buffer);
  const prng = createPrng(5);
  for (let n = 0; n < 200; n++) {
    const columns = Array.from({ length: n }, (_, i) => i * 3 + prng.below(3));
    const shuffled = columns
      .map((column) => ({ column, key: prng.uint32() }))
      .sort((x, y) => x.key - y.key);
    i32.set([0, n], STATE / 4);
    i32.set(
      shuffled.map(({ column }) => column),
      OUT / 4,
    );
    f32.set(
      shuffled.map(({ column }) => column / 2),
      END / 4,
    );
    assert.is(kernels.csr_sort_rows(1, STATE, OUT, END), -1);
    assert.equal([...i32.subarray(OUT / 4, OUT / 4 + n)], columns);
    assert.equal(
      [...f32.subarray(END / 4, END / 4 + n)],
      columns.map((column) => column / 2),
    );
    if (n < 2) continue;
    i32[OUT / 4 + n - 1] = i32[OUT / 4] ?? 0;
    assert.is(kernels.csr_sort_rows(1, STATE, OUT, END), 0);
  }
});

test.run();
