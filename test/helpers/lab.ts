// Where kernels are tested: a small memory per build of the module, full of guard words.
//
//   guard guard │ input │ guard guard │ output │ guard …
//
// A guard word is a NaN as f32, a huge number as i32 and f64, and no byte of it is 0: what a kernel
// reads there spoils its result. `check` compares the whole memory with a shadow copy, so a write
// to a guard or to an input fails, wherever it lands. Two traps in that: arithmetic keeps the bits
// of a quiet NaN, so y[n] += a·x[n] would not show; a signaling one becomes quiet. And every guard
// word is different, or copying one over another would not show.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng, type Prng } from '../../src/base/prng.ts';
import {
  chooseVariant,
  compileKernels,
  instantiate,
  type KernelVariant,
} from '../../src/memory/kernels.ts';
import type { Kernels } from '../../src/memory/signatures.ts';

type Values = Float32Array | Int32Array | Float64Array | Uint8Array | Uint16Array;

const PAGES = 32;
const BYTES = PAGES * 65536;
/** Kernels may keep constants below this. */
const FIRST = 65536;
const GUARD_BYTES = 128;
const guards = Buffer.from(
  Int32Array.from({ length: BYTES / 4 }, (_, i) => 0x7fa10101 | (Math.imul(i, 0x9e37) & 0x001efefe))
    .buffer,
);

export class Lab {
  readonly variant: KernelVariant;
  readonly kernels: Kernels;
  readonly #memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536, shared: true });
  readonly #bytes = Buffer.from(this.#memory.buffer);
  readonly #shadow = Buffer.from(guards);
  #outputs: { at: number; bytes: number }[] = [];
  #next = FIRST;

  constructor(variant: KernelVariant) {
    this.variant = variant;
    this.kernels = instantiate(compileKernels(variant), this.#memory);
    guards.copy(this.#bytes, FIRST, FIRST);
  }

  /** Forgets all inputs and outputs; everything is guard again. */
  reset(): void {
    const used = this.#next + GUARD_BYTES;
    guards.copy(this.#shadow, FIRST, FIRST, used);
    guards.copy(this.#bytes, FIRST, FIRST, used);
    this.#outputs = [];
    this.#next = FIRST;
  }

  /** Copies values that the kernel must not change; `shift` bytes off a 16-byte boundary. */
  input(values: Values, shift = 0): number {
    const at = this.#place(values.byteLength, shift);
    const source = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    source.copy(this.#bytes, at);
    source.copy(this.#shadow, at);
    return at;
  }

  /** Copies values that the kernel may change, or leaves that many bytes of guard to be written. */
  output(values: Values | number, shift = 0): number {
    const bytes = typeof values === 'number' ? values : values.byteLength;
    const at = this.#place(bytes, shift);
    if (typeof values !== 'number') {
      Buffer.from(values.buffer, values.byteOffset, bytes).copy(this.#bytes, at);
    }
    this.#outputs.push({ at, bytes });
    return at;
  }

  /** Changes one word of an output: what a broken program might do. */
  write(at: number, value: number): void {
    this.#bytes.writeInt32LE(value, at);
  }

  #place(bytes: number, shift: number): number {
    const at = this.#next + GUARD_BYTES + shift;
    this.#next = (at + bytes + 15) & ~15;
    assert.ok(this.#next + GUARD_BYTES <= BYTES, 'the lab has room');
    return at;
  }

  /** Fails when anything but the outputs has changed. */
  check(label: string): void {
    for (const { at, bytes } of this.#outputs) this.#bytes.copy(this.#shadow, at, at, at + bytes);
    if (this.#bytes.compare(this.#shadow, FIRST, BYTES, FIRST, BYTES) === 0) return;
    let at = FIRST;
    while (this.#bytes[at] === this.#shadow[at]) at++;
    const near = this.#outputs.map((out) => `[${out.at}, ${out.at + out.bytes})`).join(' ');
    assert.unreachable(`${label}: wrote byte ${at} outside its outputs ${near}`);
  }

  f32 = (at: number, n: number) => new Float32Array(this.#copy(at, n * 4));
  i32 = (at: number, n: number) => new Int32Array(this.#copy(at, n * 4));
  f64 = (at: number, n: number) => new Float64Array(this.#copy(at, n * 8));
  u8 = (at: number, n: number) => new Uint8Array(this.#copy(at, n));
  u16 = (at: number, n: number) => new Uint16Array(this.#copy(at, n * 2));

  #copy(at: number, bytes: number): ArrayBuffer {
    return new Uint8Array(this.#bytes.subarray(at, at + bytes)).buffer;
  }
}

/** The builds this machine can run; says so when one is missing. */
export const variants: readonly KernelVariant[] = (() => {
  process.env['PERPETUUM_KERNELS'] = 'relaxed';
  if (chooseVariant({ reproducible: false }) === 'relaxed') return ['release', 'relaxed', 'debug'];
  process.stdout.write('SKIPPED relaxed kernels: this Node or machine has no relaxed SIMD\n');
  return ['release', 'debug'];
})();

const labs = variants.map((variant) => new Lab(variant));

/** Registers one test per build. */
export function onEveryBuild(name: string, body: (lab: Lab) => void): void {
  for (const lab of labs) {
    test(`${name} (${lab.variant})`, () => {
      lab.reset();
      body(lab);
    });
  }
}

/** Every tail of a kernel that steps by up to 16, several times. */
export const lengths = Array.from({ length: 68 }, (_, n) => n);

export const prngOf = (seed: number): Prng => createPrng(seed, 77);

/** n values of both signs, of magnitudes from 2^−8 to 1. */
export function floats(n: number, prng: Prng): Float32Array {
  const value = () => (prng.uniform() < 0.5 ? -1 : 1) * (1 + prng.uniform()) * 2 ** -prng.below(9);
  return Float32Array.from({ length: n }, () => value() / 2);
}

/** n f64 values in [−size, size). */
export function noise(n: number, seed: number, size = 1): Float64Array {
  const prng = prngOf(seed);
  return Float64Array.from({ length: n }, () => size * (2 * prng.uniform() - 1));
}

/** n integers in [0, bound). */
export function integers(n: number, bound: number, prng: Prng): Int32Array {
  return Int32Array.from({ length: n }, () => prng.below(bound));
}

/** A random order of 0 … n − 1. */
export function permutation(n: number, prng: Prng): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = prng.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** |got − want| ≤ bound, and got is a number. */
export function close(got: number, want: number, bound: number, label: string): void {
  if (Math.abs(got - want) <= bound) return;
  assert.unreachable(`${label}: got ${got}, want ${want} ± ${bound}`);
}

/** All of `got` within their bounds; a bound for all, or one each. */
export function allClose(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  bound: ArrayLike<number> | number,
  label: string,
): void {
  assert.is(got.length, want.length, `${label}: length`);
  for (let i = 0; i < want.length; i++) {
    close(got[i]!, want[i]!, typeof bound === 'number' ? bound : bound[i]!, `${label} [${i}]`);
  }
}

/** Bit for bit; −0 equals 0 here, since no kernel promises the sign of a zero. */
export function same(got: ArrayLike<number>, want: ArrayLike<number>, label: string): void {
  allClose(got, want, 0, label);
}
