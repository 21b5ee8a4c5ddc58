// A set of rows of one table, a bit each.
import { assert } from '../base/assert.ts';

/** Rows in a compact form: a run, or numbers in no order. */
export type RowList =
  { readonly first: number; readonly count: number } | { readonly rows: Int32Array };

/** Bits of a word that are set. */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

export class RowSet {
  readonly #words: Uint32Array;
  readonly rows: number;

  constructor(rows: number) {
    assert(Number.isInteger(rows) && rows >= 0, 'a set is over rows');
    this.rows = rows;
    this.#words = new Uint32Array(Math.ceil(rows / 32));
  }

  add(row: number): void {
    assert(row >= 0 && row < this.rows, 'the row is of the table');
    this.#words[row >>> 5]! |= 1 << (row & 31);
  }

  has(row: number): boolean {
    return ((this.#words[row >>> 5] ?? 0) & (1 << (row & 31))) !== 0;
  }

  delete(row: number): void {
    assert(row >= 0 && row < this.rows, 'the row is of the table');
    this.#words[row >>> 5]! &= ~(1 << (row & 31));
  }

  addList(list: RowList): void {
    if ('rows' in list) {
      for (const row of list.rows) this.add(row);
      return;
    }
    const last = list.first + list.count;
    assert(list.first >= 0 && last <= this.rows, 'the run is of the table');
    let row = list.first;
    for (; row < last && (row & 31) !== 0; row++) this.add(row);
    const words = (last - row) >>> 5;
    if (words > 0) {
      this.#words.fill(0xffff_ffff, row >>> 5, (row >>> 5) + words);
      row += words * 32;
    }
    for (; row < last; row++) this.add(row);
  }

  /** this ← this ∪ other. */
  addAll(other: RowSet): void {
    assert(other.rows === this.rows, 'sets over one table');
    other.#words.forEach((word, i) => (this.#words[i]! |= word));
  }

  /** this ← this ∩ other. */
  keep(other: RowSet): void {
    assert(other.rows === this.rows, 'sets over one table');
    other.#words.forEach((word, i) => (this.#words[i]! &= word));
  }

  clear(): void {
    this.#words.fill(0);
  }

  isEmpty(): boolean {
    return this.#words.every((word) => word === 0);
  }

  /** The rows, ascending. */
  toRows(): Int32Array {
    let count = 0;
    for (const word of this.#words) count += bitCount(word);
    const rows = new Int32Array(count);
    let next = 0;
    this.#words.forEach((word, i) => {
      for (let bits = word; bits !== 0; bits &= bits - 1) {
        rows[next++] = i * 32 + 31 - Math.clz32(bits & -bits);
      }
    });
    return rows;
  }

  toString(): string {
    return `{${[...this.toRows()].join(' ')}}`;
  }
}
