// The shared memory of a host and its allocator. Allocation is one atomic add on a shared cell, so
// any thread may allocate; nothing is freed but everything above a mark, when no one uses it.
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import { controlIndex, controlLine, type Layout } from './layout.ts';

const UNIT_BYTES = 16;

export type Arena = {
  readonly memory: WebAssembly.Memory;
  readonly layout: Layout;
  /** Views over the whole memory; index = byte offset / element size. */
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  /**
   * Reserves `bytes` zeroed-or-reused bytes, 16-byte aligned; returns the byte offset.
   * @throws ERR_LIMIT when the host's memory is full.
   */
  allocate(bytes: number): number;
  /** The first free byte: pass it to `release` to give back everything allocated after it. */
  mark(): number;
  /** Frees all that was allocated after `mark`. Only the supervisor calls it, between runs. */
  release(mark: number): void;
};

/** Creates the shared memory of a host process. */
export function createMemory(bytes: number): WebAssembly.Memory {
  const pages = bytes / 65536;
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/** Wraps a shared memory; `initialize` only in the thread that created it. */
export function openArena(memory: WebAssembly.Memory, layout: Layout, initialize = false): Arena {
  const { buffer } = memory;
  const i32 = new Int32Array(buffer);
  const cell = controlIndex(controlLine.arena);
  if (initialize) Atomics.store(i32, cell, layout.arenaAt / UNIT_BYTES);
  const mark = () => (Atomics.load(i32, cell) >>> 0) * UNIT_BYTES;
  return {
    memory,
    layout,
    u8: new Uint8Array(buffer),
    i32,
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
    allocate(bytes) {
      assert(bytes >= 0, 'an allocation has a size');
      const units = Math.ceil(bytes / UNIT_BYTES);
      const at = (Atomics.add(i32, cell, units) >>> 0) * UNIT_BYTES;
      if (at + units * UNIT_BYTES <= layout.bytes) return at;
      Atomics.sub(i32, cell, units);
      const want = Math.ceil(bytes / 2 ** 20);
      const left = Math.floor((layout.bytes - at) / 2 ** 20);
      const text = `the host's memory is full: ${want} MiB wanted, ${left} MiB left of 4096`;
      throw new SystemError(
        'ERR_LIMIT',
        `${text}; use less data, fewer features or a smaller rank`,
      );
    },
    mark,
    release(to) {
      Atomics.store(i32, cell, to / UNIT_BYTES);
    },
  };
}
