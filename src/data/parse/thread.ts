// What a loader thread owns: its kernels, its arena view and the map of its private scratch.
//
//   0         state of the running kernel
//   4 KiB     label table of the current block
//   128 KiB   maps: label number → class, at most classesMax × i32
//   256 KiB   text: one chunk, the rest of its last line, a line feed
//             output of the kernel, then copied to the arena at its exact size
import { assert } from '../../base/assert.ts';
import { limits } from '../../base/limits.ts';
import { openArena, type Arena } from '../../memory/arena.ts';
import { instantiate } from '../../memory/kernels.ts';
import { scratchAt, type Layout } from '../../memory/layout.ts';
import type { Kernels } from '../../memory/signatures.ts';

export type LoaderData = {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly layout: Layout;
  /** The pool's threads have scratch numbers [firstSlot, firstSlot + threads). */
  readonly firstSlot: number;
  readonly threads: number;
  /** One i32: slots claimed so far. */
  readonly claimed: SharedArrayBuffer;
};

const KiB = 1024;
const LABELS_AT = 4 * KiB;
const MAPS_AT = 128 * KiB;
const TEXT_AT = 256 * KiB;
/** Count, 8192 slots and 4096 entries: the layout of assembly/parse/labels.ts. */
export const LABEL_ENTRIES = 64 + 8192 * 4;
export const LABEL_ENTRY_BYTES = 16;
const WINDOW_BYTES = limits.chunkBytes + limits.lineBytesMax + 64 * KiB;

assert(limits.classesMax <= 4096, 'the label table has a place for every class');
assert(limits.lineBytesMax >= limits.chunkBytes, 'a line inside a chunk is never too long');
assert(LABELS_AT + LABEL_ENTRIES + 4096 * LABEL_ENTRY_BYTES <= MAPS_AT, 'the label table fits');
assert(MAPS_AT + limits.classesMax * 4 <= TEXT_AT, 'a map fits');

export type LoaderThread = {
  /** Of the pool's threads, from 0. */
  readonly number: number;
  readonly arena: Arena;
  readonly kernels: Kernels;
  readonly u32: Uint32Array;
  /** The scratch as bytes; addresses minus `scratch`. */
  readonly bytes: Buffer;
  readonly scratch: number;
  readonly state: number;
  readonly labels: number;
  readonly maps: number;
  readonly text: number;
  /** First byte that text may not use; output begins here. */
  readonly textEnd: number;
  readonly end: number;
};

/** Claims a scratch slot and instantiates the kernels: once per thread. */
export function openLoader(data: LoaderData): LoaderThread {
  const slot = Atomics.add(new Int32Array(data.claimed), 0, 1);
  assert(slot < data.threads, 'a loader thread that died is not replaced');
  const arena = openArena(data.memory, data.layout);
  const scratch = scratchAt(data.layout, data.firstSlot + slot);
  return {
    number: slot,
    arena,
    kernels: instantiate(data.module, data.memory),
    u32: new Uint32Array(data.memory.buffer),
    bytes: Buffer.from(data.memory.buffer, scratch, limits.scratchBytes),
    scratch,
    state: scratch,
    labels: scratch + LABELS_AT,
    maps: scratch + MAPS_AT,
    text: scratch + TEXT_AT,
    textEnd: scratch + TEXT_AT + WINDOW_BYTES,
    end: scratch + limits.scratchBytes,
  };
}

/** Copies scratch bytes to a place of their own in the arena. */
export function keep(thread: LoaderThread, from: number, bytes: number): number {
  const to = thread.arena.allocate(bytes);
  thread.kernels.bytes_copy(bytes, from, to);
  return to;
}

/** Hands out the output part of the scratch, piece by piece. */
export function outputs(thread: LoaderThread): (bytes: number) => number {
  let at = thread.textEnd;
  return (bytes) => {
    const place = at;
    at += Math.ceil(bytes / 16) * 16;
    assert(at <= thread.end, 'scratch holds one parse task');
    return place;
  };
}
