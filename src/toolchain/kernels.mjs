// Compiles AssemblyScript to WebAssembly, three variants of one source:
//
//   release   what runs: no asserts, plain 128-bit SIMD, bit-reproducible on every machine
//   relaxed   the same with fused multiply-add; chosen at start where the machine has it
//   debug     asserts trap; the kernel tests run on all three
//
// A module is instantiated by every thread over ONE shared memory, so it must own nothing: no
// start function, no allocator, no mutable global, no data segment that code writes. `checkModule`
// refuses a module that breaks this, ours or a user's (two instances would corrupt each other).
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { root } from './setup.mjs';

const memory = ['--importMemory', '--sharedMemory', '--initialMemory', '16'];
const common = [
  ...memory,
  ...['--maximumMemory', '65536', '--runtime', 'stub', '--use', 'abort=', '--zeroFilledMemory'],
  ...['--enable', 'threads', '--enable', 'simd', '--debug'],
];
const optimized = ['--noAssert', '-O3', '--converge', '--uncheckedBehavior', 'always'];
export const variants = {
  release: [...common, ...optimized],
  relaxed: [...common, ...optimized, '--enable', 'relaxed-simd'],
  debug: [...common, '-O2'],
};

/** Where each module's constants may lie: ours below 32 KiB, a user's kernels above it. */
const userMemoryBase = 32 * 1024;

function newest(folder) {
  return Math.max(
    ...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs),
  );
}

/**
 * Compiles an AssemblyScript file to `output` and its text beside it; rejects what fails the check.
 */
export function compile(source, output, flags) {
  return new Promise((resolve, reject) => {
    const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
    const text = output.replace(/\.wasm$/, '.wat');
    const child = spawn(process.execPath, [asc, source, '-o', output, '-t', text, ...flags], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code !== 0) reject(new Error(`${source}: the kernel compiler failed`));
      else resolve(checkModule(readFileSync(text, 'utf8'), source));
    });
  });
}

/** Throws when a module could not be shared by several instances over one memory. */
export function checkModule(wat, name) {
  const rules = [
    [/^\s*\(start /m, 'has a start function: remove top-level statements'],
    [/^\s*\(global [^\n]*\(mut /m, 'has a mutable global: pass state as an argument'],
    [/\(import (?!"env" "memory")/, 'imports something besides the memory: no trace, no seed'],
  ];
  for (const [pattern, problem] of rules) {
    if (pattern.test(wat)) throw new Error(`${name}: the kernel module ${problem}`);
  }
}

/** Builds our kernels and the example's; skips what is newer than its source. */
export async function buildKernels() {
  const out = join(root, 'build/wasm');
  mkdirSync(out, { recursive: true });
  const source = join(root, 'assembly/index.ts');
  const changed = newest(dirname(source));
  const jobs = [];
  for (const [variant, flags] of Object.entries(variants)) {
    const output = join(out, `kernels.${variant}.wasm`);
    if (existsSync(output) && statSync(output).mtimeMs > changed) continue;
    jobs.push(() => compile(source, output, flags));
  }
  const examples = join(root, 'examples');
  // Git keeps no empty folder: a clone may have no examples.
  const sources = existsSync(examples) ? readdirSync(examples) : [];
  for (const name of sources.filter((file) => file.endsWith('.kernel.ts'))) {
    const input = join(examples, name);
    const output = join(out, basename(name, '.ts') + '.wasm');
    if (existsSync(output) && statSync(output).mtimeMs > statSync(input).mtimeMs) continue;
    const flags = [...variants.release, '--memoryBase', String(userMemoryBase)];
    jobs.push(() => compile(input, output, flags));
  }
  if (jobs.length > 0) console.error(`compiling ${jobs.length} kernel modules …`);
  await Promise.all(jobs.map((job) => job()));
}
