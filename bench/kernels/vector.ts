// Dense dot and axpy, in the first cache and from memory; exp; and the ladder from loop to f32_dot.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile, variants } from '../../src/toolchain/kernels.mjs';
import { parameter, type Case } from '../bench.ts';
import { f32, kernels, memory, place, sequence, series } from './memory.ts';

const cacheLength = parameter('cacheLength', 64, 4096);
const memoryLength = parameter('memoryLength', 128, 1 << 22);

export function vectorCases(): Case[] {
  return [
    ['cache', cacheLength],
    ['memory', memoryLength],
  ].flatMap(([where, length]) => {
    const n = Number(length);
    return series.flatMap((name): Case[] => {
      const { f32_dot, f32_axpy } = kernels.get(name)!;
      const { floats } = sequence(1);
      const [x, y] = [place(floats(n)), place(floats(n))];
      const dot = () => f32_dot(n, x, y);
      const before = dot();
      const axpy = () => f32_axpy(n, Math.fround(1e-4), x, y);
      axpy();
      const work = { series: name, elements: n };
      return [
        { ...work, name: `dot-${where}`, run: dot, checksum: before },
        { ...work, name: `axpy-${where}`, run: axpy, checksum: dot() },
      ];
    });
  });
}

type Ladder = Record<
  'dot_scalar' | 'dot_scalar_4' | 'dot_simd' | 'dot_simd_2' | 'exp_all',
  (n: number, x: number, y: number) => number
>;

const ladders = new Map<string, Ladder>();
const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
for (const name of series) {
  const output = fileOf(`../bench/ladder.${name}.wasm`);
  await compile(fileOf('../../assembly/bench/ladder.ts'), output, variants[name]);
  const module = new WebAssembly.Module(readFileSync(output));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  ladders.set(name, exports as Ladder);
}

export function expCases(): Case[] {
  const n = cacheLength;
  return series.map((name) => {
    const { floats } = sequence(2);
    const x = place(floats(n).map((value) => 20 * value - 10));
    const y = place(floats(n));
    const run = () => ladders.get(name)!.exp_all(n, x, y);
    run();
    const checksum = f32.subarray(y / 4, y / 4 + n).reduce((total, value) => total + value, 0);
    return { name: 'exp', series: name, elements: n, run, checksum };
  });
}

export const ladderSteps = ['scalar', '4 scalar sums', '1 vector', '2 vectors', '4 vectors'];

/** One case a step and build; named by the step. */
export function ladderCases(): Case[] {
  const { floats } = sequence(1);
  const [x, y] = [place(floats(cacheLength)), place(floats(cacheLength))];
  return series.flatMap((name) => {
    const { dot_scalar, dot_scalar_4, dot_simd, dot_simd_2 } = ladders.get(name)!;
    const { f32_dot } = kernels.get(name)!;
    return [dot_scalar, dot_scalar_4, dot_simd, dot_simd_2, f32_dot].map((dot, step) => {
      const run = () => dot(cacheLength, x, y);
      return {
        name: ladderSteps[step]!,
        series: name,
        elements: cacheLength,
        run,
        checksum: run(),
      };
    });
  });
}
