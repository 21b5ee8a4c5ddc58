// Where payloads are put together: a stage in the scratch of the calling thread, because kernels
// see nothing else, and a copy of it for every payload that is full.
//
//   scratch = stage (wireBytesMax) │ values, decoded or not yet (2 ×) │ lists (1 ×) │ rows to merge
import { limits } from '../../base/limits.ts';
import type { FoldPlace } from '../fold.ts';
import { HEADER_BYTES, padded } from './format.ts';

const LIST_BYTES = 256 * 1024;
/** Rows that one list holds. */
export const listRows = LIST_BYTES / 4;

/** The parts of a thread's scratch, as byte offsets. */
export function stageOf(place: FoldPlace) {
  const stage = place.scratch;
  const values = stage + limits.wireBytesMax;
  const lists = values + 2 * limits.wireBytesMax;
  const merge = lists + limits.wireBytesMax;
  const scratchBytes = place.scratch + place.scratchBytes - merge;
  const list = (index: number) => lists + index * LIST_BYTES;
  return {
    stage,
    values,
    /** Two long lists, or many of `listRows`: the one or the other. */
    picks: lists,
    rows: lists + limits.wireBytesMax / 2,
    touched: list(0),
    counts: list(1),
    listed: list(2),
    entryRows: list(3),
    entryCounts: list(4),
    runs: list(5),
    head: list(6),
    /** For merging sparse rows without touching the rest. */
    merge: { ...place, scratch: merge, scratchBytes },
  };
}

type Header = {
  readonly table: number;
  readonly kind: number;
  readonly encoding: number;
  readonly first: number;
  readonly count: number;
};

export type Writer = ReturnType<typeof openWriter>;

export function openWriter(place: FoldPlace) {
  const { u8, i32 } = place.arena;
  const { stage } = stageOf(place);
  const payloads: Uint8Array[] = [];
  let used = 0;
  const flush = (): void => {
    if (used > 0) payloads.push(u8.slice(stage, stage + used)); // a copy that is not shared
    used = 0;
  };
  return {
    place,
    /** Bytes that this payload still takes. */
    room: () => limits.wireBytes - used,
    isEmpty: () => used === 0,
    /** Begins a section with a body of that many bytes: fill all of it. Returns its place. */
    section(header: Header, bodyBytes: number): number {
      const { table, kind, encoding, first, count } = header;
      const at = stage + used;
      const body = at + HEADER_BYTES;
      const end = body + padded(bodyBytes);
      i32.set([table | (kind << 16) | (encoding << 24), first, count, bodyBytes], at / 4);
      u8.fill(0, body + bodyBytes, end);
      used = end - stage;
      return body;
    },
    flush,
    /** All payloads; the writer must not be used again. */
    finish(): readonly Uint8Array[] {
      flush();
      return payloads;
    },
  };
}
