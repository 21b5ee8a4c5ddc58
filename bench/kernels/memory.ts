// The memory of the kernel benchmarks and data in it: the same numbers as bench/native/bench.h
// makes.
import { createMemory } from '../../src/memory/arena.ts';
import {
  chooseVariant,
  compileKernels,
  instantiate,
  type KernelVariant,
} from '../../src/memory/kernels.ts';

const BYTES = 256 * 2 ** 20;

/** The builds that are compared; relaxed only where the machine has it. */
export const series: readonly KernelVariant[] =
  chooseVariant({ reproducible: false }) === 'relaxed' ? ['relaxed', 'release'] : ['release'];

export const memory = createMemory(BYTES);
const bytes = new Uint8Array(memory.buffer);
export const f32 = new Float32Array(memory.buffer);
export const i32 = new Int32Array(memory.buffer);

export const kernels = new Map(
  series.map((variant) => [variant, instantiate(compileKernels(variant), memory)]),
);

let next = 65536;

/**
 * Room for `size` bytes, zeroed, on cache lines of its own. One line is left free after it, as
 * malloc leaves one: arrays a multiple of 4 KiB apart would make loads wait for unrelated stores.
 */
export function room(size: number): number {
  const at = next;
  next = (at + size + 127) & ~63;
  if (next > BYTES) throw new Error('the benchmark’s memory is full');
  return at;
}

export function place(values: Float32Array | Int32Array | Uint16Array | Uint8Array): number {
  const at = room(values.byteLength);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
  return at;
}

/** A linear congruential sequence: cheap, and the same in C. */
export function sequence(seed: number) {
  let state = seed >>> 0;
  const bits = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  const uniform = () => bits() / 16777216 - 0.5;
  return { bits, uniform, floats: (n: number) => Float32Array.from({ length: n }, uniform) };
}
