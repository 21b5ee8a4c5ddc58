// What the parts have measured, told to all hosts by a table: row p is part p's, and on each host
// it comes to stand where the part would have written it there, in buffers of G lines. From then on
// hosts compute alike.
//
//   row p   { sums, totals of its documents, totals of its words, slopes }
//
// Only part p adds to its row: by how its words changed, modulo 2³². So the row is what the part
// measured last, bit for bit, of f64 too.
import type { Setup } from '../../../program/program.ts';
import { ldaShape, sumCells, type LdaContext, type LdaOptions } from '../layout.ts';

type Known = Pick<Setup<LdaOptions>, 'data' | 'options' | 'partitions'>;

/** A line's words of i32 in a buffer, and where they begin in the row. */
type Field = { readonly buffer: string; readonly words: number; readonly first: number };

function fieldsOf(known: Known): readonly Field[] {
  const { topics } = ldaShape(known);
  const words: Readonly<Record<string, number>> = {
    sums: 2 * sumCells,
    documentTotals: topics,
    wordTotals: topics,
    ...(known.options.optimizeInterval > 0 && { slopes: 2 * (topics + 2) }),
  };
  let first = 0;
  return Object.entries(words).map(([buffer, count]) => {
    const field = { buffer, words: count, first };
    first += count;
    return field;
  });
}

export function sheetTable(known: Known) {
  const columns = fieldsOf(known).reduce((sum, { words }) => sum + words, 0);
  return { name: 'sheets', rows: known.partitions, columns, type: 'i32', access: 'rows' } as const;
}

/** Tells what part `part` has measured. The push reads the part's row. */
export function writeSheet(ctx: LdaContext, part: number): void {
  const sheet = ctx.table('sheets');
  const delta = sheet.incRange(part, 1);
  for (const { buffer, words, first } of fieldsOf(ctx)) {
    const now = ctx.buffer(buffer) + part * words * 4;
    ctx.kernels.lda_gain(words, sheet.at + first * 4, now, delta + first * 4);
  }
}

/** Puts all parts' rows, which the push reads, where this host would have measured them. */
export function readSheets(ctx: LdaContext): void {
  const { at, rowBytes } = ctx.table('sheets');
  for (const { buffer, words, first } of fieldsOf(ctx)) {
    for (let part = 0; part < ctx.partitions; part++) {
      const from = at + part * rowBytes + first * 4;
      ctx.arena.u8.copyWithin(ctx.buffer(buffer) + part * words * 4, from, from + words * 4);
    }
  }
}
