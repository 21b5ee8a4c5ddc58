// Distinct label texts of one block. TypeScript sees each text once, rows hold its number.
//
//   table    0 i32 count    64 … 8192 × i32 slots: entry + 1, open addressing
//            32832 … 4096 entries of 16 bytes: text address, bytes, line, hash
//
// The texts stay where they were read; the slots are zero at the start of a block.

import { LONG_LABEL, MANY_LABELS, refuse } from './codes';

const SLOTS: usize = 64;
const SLOT_MASK: u32 = 8191;
const ENTRIES: usize = 64 + 8192 * 4;

/** Stores the number of the label [at, end) at `place`; false when it is refused. */
export function storeLabel(
  state: usize, table: usize, labelsMax: i32, labelBytesMax: i32, at: usize, end: usize, line: i32,
  field: i32, place: usize,
): bool {
  const bytes = <i32>(end - at);
  let code = LONG_LABEL;
  if (bytes <= labelBytesMax) {
    const id = internLabel(table, labelsMax, at, bytes, line);
    store<i32>(place, id);
    if (id >= 0) return true;
    code = MANY_LABELS;
  }
  refuse(state, code, at, line, field);
  return false;
}

/** Number of the label [at, at + bytes); −1 when it would be one more than `labelsMax` ≤ 4096. */
function internLabel(table: usize, labelsMax: i32, at: usize, bytes: i32, line: i32): i32 {
  let hash: u32 = 2166136261;
  for (let i = 0; i < bytes; i++) hash = (hash ^ load<u8>(at + i)) * 16777619;
  let slot = (hash ^ (hash >> 15)) & SLOT_MASK;
  for (;;) {
    const entry = load<i32>(table + SLOTS + (<usize>slot << 2));
    if (entry == 0) break;
    const place = table + ENTRIES + (<usize>(entry - 1) << 4);
    if (load<u32>(place, 12) == hash && load<i32>(place, 4) == bytes) {
      if (memory.compare(load<u32>(place), at, bytes) == 0) return entry - 1;
    }
    slot = (slot + 1) & SLOT_MASK;
  }
  const count = load<i32>(table);
  if (count >= labelsMax) return -1;
  const place = table + ENTRIES + (<usize>count << 4);
  store<u32>(place, <u32>at);
  store<i32>(place, bytes, 4);
  store<i32>(place, line, 8);
  store<u32>(place, hash, 12);
  store<i32>(table + SLOTS + (<usize>slot << 2), count + 1);
  store<i32>(table, count + 1);
  return count;
}
