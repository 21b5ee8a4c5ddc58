// Test thread: allocates pieces of random sizes from a shared arena and says where they are.
import { parentPort, workerData } from 'node:worker_threads';
import { createPrng } from '../../src/base/prng.ts';
import { openArena } from '../../src/memory/arena.ts';
import type { Layout } from '../../src/memory/layout.ts';

export type ArenaAllocatorData = {
  readonly memory: WebAssembly.Memory;
  readonly layout: Layout;
  readonly seed: number;
  readonly pieces: number;
};

const { memory, layout, seed, pieces } = workerData as ArenaAllocatorData;
const arena = openArena(memory, layout);
const prng = createPrng(seed);
const taken = Array.from({ length: pieces }, () => {
  const bytes = 1 + prng.below(300);
  return [arena.allocate(bytes), bytes] as const;
});
parentPort?.postMessage(taken);
