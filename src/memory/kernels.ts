// Loads the kernels: chooses the build once, compiles once, instantiates per thread over the shared
// memory, and refuses a module whose exports are not the ones of the signature table.
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import { signatures, type Kernels } from './signatures.ts';

export type KernelVariant = 'release' | 'relaxed' | 'debug';

// (module (func (param v128 v128) (result v128) … f32x4.relaxed_madd))
const RELAXED_PROBE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 123, 1, 123, 3, 2, 1, 0],
  ...[10, 13, 1, 11, 0, 32, 0, 32, 0, 32, 0, 253, 133, 2, 11],
);

/** Node 20 has relaxed SIMD behind a flag that may be set while running; later it is on. */
function relaxedSimd(): boolean {
  if (WebAssembly.validate(RELAXED_PROBE)) return true;
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  return WebAssembly.validate(RELAXED_PROBE);
}

/**
 * The variant to use. Fused multiply-add is faster but rounds differently from machine to machine,
 * so a run that promises the same bits on every machine asks for `reproducible`.
 */
export function chooseVariant(options: { reproducible: boolean }): KernelVariant {
  const wanted = process.env['PERPETUUM_KERNELS'];
  if (wanted === 'release' || wanted === 'debug') return wanted;
  if (wanted === 'relaxed' || (wanted === undefined && !options.reproducible)) {
    return relaxedSimd() ? 'relaxed' : 'release';
  }
  if (wanted === undefined) return 'release';
  const rule = 'PERPETUUM_KERNELS must be release, relaxed or debug';
  throw new SystemError('ERR_CONFIG', `${rule}, got "${wanted}"`);
}

/** Compiles the variant's module. Call once per host; threads receive the module itself. */
export function compileKernels(variant: KernelVariant): WebAssembly.Module {
  if (variant === 'relaxed') assert(relaxedSimd(), 'relaxed kernels only where they validate');
  // Optimize at once: a wasm function entered in the baseline tier stays there until it returns.
  setFlagsFromString('--no-liftoff');
  const path = new URL(`../wasm/kernels.${variant}.wasm`, import.meta.url);
  return new WebAssembly.Module(readFileSync(path));
}

/** The kernels over `memory`, checked by name and arity. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  for (const [name, parameters] of Object.entries(signatures)) {
    const kernel = exports[name];
    assert(typeof kernel === 'function', `the kernel module exports ${name}`);
    assert(kernel.length === parameters.length, `${name} takes ${parameters.join(', ')}`);
  }
  return exports as unknown as Kernels;
}
