// Rows of a data set as a directory (assembly/data.ts): what kernels of sample-based models
// iterate.
import { assert } from '../base/assert.ts';
import { rangeOf, type Range } from '../base/ranges.ts';
import type { Samples, Storage } from '../data/dataset.ts';
import type { Context } from '../program/program.ts';

/** The storage's number in kernels. */
export const storageCode: Readonly<Record<Storage, number>> = { u8: 0, f32: 1, csr: 2 };

/** `count` directory entries of 16 bytes at `at`. */
export type Rows = { readonly at: number; readonly count: number };

/** Rows [first, last) of partition p of n rows: contiguous, as even as they come. */
export function partitionRows(rows: number, partitions: number, partition: number): Range {
  return rangeOf(rows, partitions, partition);
}

/** Rows of the data set that lie on this host. */
export function rowsHere(data: Samples): number {
  return data.blocks.reduce((sum, block) => sum + block.rows, 0);
}

/** This host's rows as a data set of their own: for runs that no other host takes part in. */
export function localSamples(data: Samples): Samples {
  return { ...data, rows: rowsHere(data), first: 0 };
}

/** Builds the directory of rows [first, last) of the data set, in memory of its own. */
export function openRows(
  ctx: Pick<Context<unknown>, 'arena' | 'kernels'>,
  data: Samples,
  range: Range,
): Rows {
  const at = ctx.arena.allocate(Math.max(16, (range.last - range.first) * 16));
  return openRowsAt(ctx, data, range, at);
}

/** The same at a given place, block by block. The rows lie on this host. */
export function openRowsAt(
  ctx: Pick<Context<unknown>, 'arena' | 'kernels'>,
  data: Samples,
  range: Range,
  at: number,
): Rows {
  const count = range.last - range.first;
  const here = { first: data.first, last: data.first + rowsHere(data) };
  assert(range.first >= here.first || count === 0, 'the first row lies on this host');
  assert(range.last <= here.last || count === 0, 'the last row lies on this host');
  const elementBytes = data.storage === 'u8' ? 1 : 4;
  const strideBytes = data.stride * elementBytes;
  let out = at;
  let blockFirst = data.first;
  for (const block of data.blocks) {
    const from = Math.max(range.first - blockFirst, 0);
    const rows = Math.min(range.last - blockFirst, block.rows) - from;
    if (rows > 0) {
      const target = block.target + 4 * from;
      if (data.storage === 'csr') {
        const rowStart = block.rowStart + 4 * from;
        ctx.kernels.directory_csr(rows, rowStart, block.index, block.value, target, out);
      } else {
        const x = block.x + from * strideBytes;
        ctx.kernels.directory_dense(rows, strideBytes, x, target, out);
      }
      out += rows * 16;
    }
    blockFirst += block.rows;
  }
  assert(out === at + count * 16, 'blocks hold all rows');
  return { at, count };
}

/** Adds to counts (columns × i32) the sparse rows of `range` that have each column. */
export function countColumns(
  ctx: Pick<Context<unknown>, 'arena' | 'kernels'>,
  data: Samples,
  range: Range,
  counts: number,
): void {
  const rows = openRows(ctx, data, range);
  ctx.kernels.csr_count_columns(rows.count, rows.at, counts);
}

/** Bytes that a kernel needs to unpack one row, next to `extra` of its own. */
export function unpackBytes(data: Samples, extra: number): number {
  return (2 * (data.columns + 16) * 4 + extra + 15) & ~15;
}
