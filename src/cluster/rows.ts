// Rows and their owners.
import { assert } from '../base/assert.ts';

/** A fresh row whose changes are pushed: it stays as fresh as its owner's clock. */
export const heldForGood = 0x7fff_ffff;

/** The host that owns `row`: the inverse of rangeOf (src/scheduler). */
export function ownerOf(rows: number, size: number, row: number): number {
  assert(row >= 0 && row < rows, 'the row is of the table');
  let owner = Math.min(size - 1, Math.floor((row * size) / rows));
  while (Math.floor((rows * (owner + 1)) / size) <= row) owner += 1;
  while (Math.floor((rows * owner) / size) > row) owner -= 1;
  return owner;
}

/** Row numbers of a payload. */
export function asRows(payload: Uint8Array): Int32Array {
  assert(payload.length % 4 === 0, 'rows are i32');
  return new Int32Array(payload.slice().buffer);
}
