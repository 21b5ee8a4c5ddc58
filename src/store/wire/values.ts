// Values of rows, and the deltas of one log as they are.
import type { FoldPlace, RowRange } from '../fold.ts';
import type { TablePlan } from '../table.ts';
import { encodings } from './format.ts';
import { packNumbers, packRange } from './pack-rows.ts';
import { openWriter } from './writer.ts';

/** The values of some rows of `table`, or of a range of them, as they are now. */
export function packValues(
  place: FoldPlace,
  table: TablePlan,
  rows: Int32Array | RowRange,
): readonly Uint8Array[] {
  const writer = openWriter(place);
  const source = { table, encoding: encodings.full, take: false, skip: false, marks: undefined };
  if (rows instanceof Int32Array) packNumbers(writer, source, rows.slice().sort());
  else packRange(writer, source, rows.first, rows.last);
  return writer.finish();
}
