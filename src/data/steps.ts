// What loader threads do with blocks that lie in the arena, as data: offsets are byte offsets into
// the shared memory.

/** One kernel call over blocks that are already in the arena. */
export type Step =
  | { readonly op: 'shift'; readonly n: number; readonly delta: number; readonly at: number }
  | {
      readonly op: 'rebase';
      readonly n: number;
      readonly base: number;
      readonly count: number;
      readonly at: number;
    }
  | {
      readonly op: 'remap';
      readonly n: number;
      readonly map: Int32Array | null;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly op: 'place';
      readonly n: number;
      readonly base: number;
      readonly rows: number;
      readonly map: Int32Array | null;
      readonly at: number;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly op: 'widen';
      readonly rows: number;
      readonly columns: number;
      readonly fromStride: number;
      readonly toStride: number;
      readonly from: number;
      readonly to: number;
    }
  | { readonly op: 'zero'; readonly bytes: number; readonly at: number }
  | { readonly op: 'fill'; readonly n: number; readonly value: number; readonly at: number }
  | { readonly op: 'find'; readonly n: number; readonly value: number; readonly at: number }
  | {
      readonly op: 'sort';
      readonly rows: number;
      readonly rowStart: number;
      readonly index: number;
      readonly value: number;
    }
  | {
      /** Documents in their final form: kernel bag_rows. `map` is an address, 0 for none. */
      readonly op: 'bags';
      readonly rows: number;
      readonly base: number;
      readonly words: number;
      readonly map: number;
      readonly rowStart: number;
      readonly index: number;
      readonly count: number;
    }
  /** Counts the documents that have each word, and finds the words that are in enough of them. */
  | { readonly op: 'documents'; readonly n: number; readonly table: number; readonly at: number }
  | {
      readonly op: 'select';
      readonly table: number;
      readonly least: number;
      readonly most: number;
      readonly to: number;
    }
  | { readonly op: 'empty'; readonly rows: number; readonly rowStart: number }
  | { readonly op: 'total'; readonly n: number; readonly at: number }
  | {
      readonly op: 'twice';
      readonly rowStart: number;
      readonly row: number;
      readonly index: number;
    };
