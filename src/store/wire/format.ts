// A payload: rows of tables as they travel between hosts. Little-endian, sections one after the
// other, each padded to 16 bytes:
//
//   header   { u16 table, u8 kind, u8 encoding, u32 first, u32 count, u32 bytes of the body }
//   range    values of the rows first … first + count − 1, `columns` each
//   rows     count row numbers (i32), then their values; first is 0
//   entries  count row numbers, count numbers of entries, then the columns (i32) of all entries,
//            ascending within a row, and their values; first is the number of entries
//   part     one column number (i32), then count values from there on, of row `first`
//
// A value has 4 bytes, f32 or i32 as its table, or 2 where the encoding is f16 or bf16.
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { RowRange } from '../fold.ts';
import type { TablePlan } from '../table.ts';

export const HEADER_BYTES = 16;
export const sectionKind = { range: 0, rows: 1, entries: 2, part: 3 } as const;

/** How values travel. f16 and bf16 are for f32 tables; integers are always exact. */
export const encodings = { full: 0, f16: 1, bf16: 2 } as const;
export type Encoding = keyof typeof encodings;

export const padded = (bytes: number): number => Math.ceil(bytes / 16) * 16;

/** Bytes of one value. */
export const widthOf = (encoding: number): number => (encoding === encodings.full ? 4 : 2);

export type Section = {
  readonly table: number;
  readonly kind: number;
  readonly encoding: number;
  readonly first: number;
  readonly count: number;
  /** Offset of the body in its payload. */
  readonly body: number;
  readonly bodyBytes: number;
};

function sectionAt(view: DataView, at: number): Section {
  return {
    table: view.getUint16(at, true),
    kind: view.getUint8(at + 2),
    encoding: view.getUint8(at + 3),
    first: view.getUint32(at + 4, true),
    count: view.getUint32(at + 8, true),
    body: at + HEADER_BYTES,
    bodyBytes: view.getUint32(at + 12, true),
  };
}

export const viewOf = (payload: Uint8Array): DataView =>
  new DataView(payload.buffer, payload.byteOffset, payload.byteLength);

/** The sections of a payload that was checked. */
export function sectionsOf(payload: Uint8Array): Section[] {
  const view = viewOf(payload);
  const sections: Section[] = [];
  for (let at = 0; at < payload.byteLength;) {
    const section = sectionAt(view, at);
    sections.push(section);
    at = section.body + padded(section.bodyBytes);
  }
  return sections;
}

/** Where keys and values of a body stand, from its begin. */
export function bodyOf(section: Section, columns: number) {
  const { kind, first, count, encoding } = section;
  const keyBytes = {
    [sectionKind.range]: 0,
    [sectionKind.rows]: 4 * count,
    [sectionKind.entries]: 8 * count + 4 * first,
    [sectionKind.part]: 4,
  }[kind];
  const values = { [sectionKind.entries]: first, [sectionKind.part]: count }[kind];
  const n = values ?? count * columns;
  return { keyBytes: keyBytes ?? 0, values: n, bytes: (keyBytes ?? 0) + n * widthOf(encoding) };
}

type Check = {
  readonly view: DataView;
  readonly section: Section;
  readonly table: TablePlan;
  readonly allowed: RowRange;
};

function wrongRows({ view, section, allowed }: Check): string | undefined {
  for (let i = 0; i < section.count; i++) {
    const row = view.getInt32(section.body + 4 * i, true);
    if (row < allowed.first || row >= allowed.last) return `row ${row}`;
  }
  return undefined;
}

function wrongEntries(check: Check): string | undefined {
  const { view, section, table } = check;
  const { body, count, first } = section;
  let at = body + 8 * count;
  const end = at + 4 * first;
  for (let i = 0; i < count; i++) {
    const entries = view.getUint32(body + 4 * (count + i), true);
    if (entries > (end - at) / 4) return `more entries than the ${first} of its header`;
    let before = -1;
    for (const stop = at + 4 * entries; at < stop; at += 4) {
      const column = view.getInt32(at, true);
      if (column <= before) return `column ${column} after ${before}`;
      before = column;
    }
    if (before >= table.columns) return `column ${before} of ${table.columns}`;
  }
  return at === end ? undefined : `fewer entries than the ${first} of its header`;
}

function wrongSection(check: Check): string | undefined {
  const { view, section, table, allowed } = check;
  const { kind, encoding, first, count, bodyBytes } = section;
  if (kind > sectionKind.part) return `kind ${kind}`;
  if (encoding > encodings.bf16) return `encoding ${encoding}`;
  if (encoding !== encodings.full && table.type === 'i32') return 'rounded integers';
  if (table.layout === 'sparse' && kind !== sectionKind.entries) return 'dense rows of it';
  if (count === 0) return 'no rows';
  const want = bodyOf(section, table.columns).bytes;
  if (bodyBytes !== want) return `${bodyBytes} bytes where ${want} belong`;
  const one = kind === sectionKind.part;
  if (kind === sectionKind.range || one) {
    const last = first + (one ? 1 : count);
    const fits = first >= allowed.first && last <= allowed.last;
    if (!fits) return `rows ${first} to ${last - 1}`;
  } else {
    const wrong = wrongRows(check);
    if (wrong !== undefined) return wrong;
  }
  if (kind === sectionKind.entries) return wrongEntries(check);
  if (!one) return first === 0 || kind === sectionKind.range ? undefined : `first ${first}`;
  const column = view.getUint32(section.body, true);
  return column + count <= table.columns ? undefined : `column ${column + count - 1}`;
}

/**
 * Why a payload from the network must not be applied, or undefined: then every section lies in the
 * payload and names rows of `rowsOf` (default: all rows) and columns of its table.
 */
export function checkPayload(
  payload: Uint8Array,
  tables: readonly TablePlan[],
  rowsOf: (table: TablePlan) => RowRange = (table) => ({ first: 0, last: table.rows }),
): SystemError | undefined {
  const refuse = (at: number, found: string): SystemError => {
    const rule = 'a payload holds whole sections that name rows of the run’s tables';
    const remedy = 'run the same version, command and options on every host';
    return new SystemError('ERR_DATA', `${rule}, got ${found} at byte ${at}; ${remedy}`);
  };
  const { byteLength } = payload;
  if (byteLength > limits.wireBytesMax || byteLength % 16 !== 0) {
    return refuse(0, `${byteLength} bytes`);
  }
  const view = viewOf(payload);
  for (let at = 0; at < byteLength;) {
    const section = sectionAt(view, at);
    const end = section.body + padded(section.bodyBytes);
    if (end > byteLength) return refuse(at, `a body of ${section.bodyBytes} bytes`);
    const table = tables[section.table];
    if (table === undefined) return refuse(at, `table ${section.table} of ${tables.length}`);
    const wrong = wrongSection({ view, section, table, allowed: rowsOf(table) });
    if (wrong !== undefined) return refuse(at, `table "${table.name}", ${wrong}`);
    at = end;
  }
  return undefined;
}
