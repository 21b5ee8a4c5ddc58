// A mailbox within a host: a bounded ring of byte records in shared memory, one writer, one reader.
//
//   byte 0      head   next byte to read (free-running)     reader writes
//   byte 64     tail   next byte to write (free-running)    writer writes
//   byte 128    full   times an offer found no room          writer writes
//   half …      slots  record = u32 length, bytes, padded to 8; a record never wraps: a length of
//                      −1 says "go on at the start"
//
// Full is an answer: `offer` returns false and the writer decides; refusals are counted, so what
// a writer then drops is not dropped in silence. Who waits, waits on the control page's tick.
import { assert } from '../base/assert.ts';
import { limits } from '../base/limits.ts';
import type { Arena } from '../memory/arena.ts';

const WRAP = -1;
/** A power of two, so that positions stay right when the free-running counters pass 2^32. */
const capacity = limits.ringBytes / 2;
assert((capacity & (capacity - 1)) === 0, 'the capacity of a ring is a power of two');

const padded = (bytes: number): number => (bytes + 4 + 7) & ~7;

/** Index (i32) of the tail's cell. */
export function ringTail(at: number): number {
  return (at + 64) / 4;
}

/** How often an offer found the ring full. */
export function ringRefusals(arena: Arena, at: number): number {
  return Atomics.load(arena.i32, (at + 128) / 4);
}

/** Empties a ring. Only while neither side is running. */
export function resetRing(arena: Arena, at: number): void {
  arena.u8.fill(0, at, at + 192);
}

export type RingWriter = {
  /** Copies `record` in; false when there is no room for it now. */
  offer(record: Uint8Array): boolean;
};

export type RingReader = {
  /** The oldest record as a copy, or undefined when the ring is empty. */
  take(): Uint8Array | undefined;
};

export function openRingWriter(arena: Arena, at: number): RingWriter {
  const { i32, u8 } = arena;
  const headCell = at / 4;
  const tailCell = ringTail(at);
  const slots = at + capacity;
  return {
    offer(record) {
      assert(record.length <= limits.messageBytesMax, 'a message keeps its limit');
      const tail = Atomics.load(i32, tailCell) >>> 0;
      const free = capacity - ((tail - (Atomics.load(i32, headCell) >>> 0)) >>> 0);
      const need = padded(record.length);
      let position = tail % capacity;
      const skip = position + need > capacity ? capacity - position : 0;
      if (need + skip > free) {
        Atomics.add(i32, (at + 128) / 4, 1);
        return false;
      }
      if (skip > 0) {
        i32[(slots + position) / 4] = WRAP;
        position = 0;
      }
      i32[(slots + position) / 4] = record.length;
      u8.set(record, slots + position + 4);
      Atomics.store(i32, tailCell, (tail + skip + need) | 0); // publishes the record above
      return true;
    },
  };
}

export function openRingReader(arena: Arena, at: number): RingReader {
  const { i32, u8 } = arena;
  const headCell = at / 4;
  const tailCell = ringTail(at);
  const slots = at + capacity;
  return {
    take() {
      let head = Atomics.load(i32, headCell) >>> 0;
      if (head === Atomics.load(i32, tailCell) >>> 0) return undefined;
      let position = head % capacity;
      if (i32[(slots + position) / 4] === WRAP) {
        head += capacity - position;
        position = 0;
      }
      const length = i32[(slots + position) / 4] ?? 0;
      assert(length >= 0 && length <= limits.messageBytesMax, 'a record has a legal length');
      const from = slots + position + 4;
      const record = u8.slice(from, from + length);
      Atomics.store(i32, headCell, (head + padded(length)) | 0); // gives the slot back
      return record;
    },
  };
}
