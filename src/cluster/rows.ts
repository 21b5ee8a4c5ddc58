// Rows as they travel, and how fresh they are.
import { assert } from '../base/assert.ts';

/** A fresh row whose changes are pushed: it stays as fresh as its owner's clock. */
export const heldForGood = 0x7fff_ffff;

/** Row numbers of a payload. */
export function asRows(payload: Uint8Array): Int32Array {
  assert(payload.length % 4 === 0, 'rows are i32');
  return new Int32Array(payload.slice().buffer);
}
