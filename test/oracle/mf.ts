// Matrix factorization in float64 with error bounds: the update of assembly/models/mf.ts, said
// again with one loop a formula. Every number carries how far an f32 computation may be from it.
import { add, divide, dot, exact, multiply, subtract, type Bounded } from './rounding.ts';

export type Block = {
  /** Lanes of a row. */
  readonly K: number;
  readonly bias: boolean;
  readonly slices: number;
  readonly eta: number;
  /** One run per user: its ratings as (item, value). */
  readonly runs: readonly {
    readonly user: number;
    readonly ratings: readonly (readonly [item: number, value: number])[];
  }[];
  readonly users: readonly (readonly number[])[];
  readonly items: readonly (readonly number[])[];
  readonly yUser: readonly number[];
  readonly yBias: readonly number[];
  readonly base: readonly number[];
  readonly decay: readonly number[];
  readonly decayBias: readonly number[];
};

type Row = Bounded[];

const one = exact(1);

/** q ← q / (1 + η x), lane 1 (the item's bias) by its own x, lane 0 (the constant 1) not at all. */
function decayItems(block: Block, items: Row[]): void {
  items.forEach((row, i) => {
    const factor = (x: number) => divide(one, add(one, multiply(exact(block.eta), exact(x))));
    const rest = factor(block.decay[i]!);
    const first = factor(block.decayBias[i]!);
    row.forEach((value, lane) => {
      if (block.bias && lane === 0) return;
      row[lane] = multiply(value, block.bias && lane === 1 ? first : rest);
    });
  });
}

/** Up to 4 ratings of one user: errors at the old rows, then both sides' updates. */
function step(
  block: Block,
  p: Row,
  items: Row[],
  user: number,
  ratings: readonly (readonly [number, number])[],
): Bounded[] {
  const { bias, eta, base, yUser, yBias } = block;
  const errors = ratings.map(([item, value]) => subtract(exact(value), dot(p, items[item]!)));
  const old = [...p];
  const count = exact(ratings.length);
  old.forEach((x, lane) => {
    const y = bias && lane === 0 ? yBias[user]! : yUser[user]!;
    const keep = subtract(one, multiply(count, multiply(exact(eta), exact(y))));
    let s = exact(0);
    ratings.forEach(([item], j) => {
      const q = items[item]!;
      s = add(s, multiply(multiply(errors[j]!, exact(eta)), q[lane]!));
      const rate = multiply(multiply(errors[j]!, exact(eta)), exact(base[item]!));
      if (!(bias && lane === 0)) q[lane] = add(q[lane]!, multiply(rate, x));
    });
    if (!(bias && lane === 1)) p[lane] = add(multiply(x, keep), s);
  });
  return errors;
}

/** The rows after one pass over the block, and Σ e², errors as met. */
export function mfBlock(block: Block) {
  const users = block.users.map((row) => row.map(exact));
  const items = block.items.map((row) => row.map(exact));
  let loss = exact(0);
  let run = 0;
  for (let slice = 1; slice <= block.slices; slice++) {
    decayItems(block, items);
    const end = Math.floor((block.runs.length * slice) / block.slices);
    for (; run < end; run++) {
      const { user, ratings } = block.runs[run]!;
      for (let at = 0; at < ratings.length; at += 4) {
        const part = ratings.slice(at, at + 4);
        for (const e of step(block, users[user]!, items, user, part)) {
          loss = add(loss, multiply(e, e));
        }
      }
    }
  }
  return { users, items, loss };
}

/** Σ p·q in f64. */
export function score(p: readonly number[], q: readonly number[]): number {
  return p.reduce((total, value, lane) => total + value * q[lane]!, 0);
}
