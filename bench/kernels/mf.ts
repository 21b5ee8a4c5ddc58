// One pass of mf_block over a block whose rows fit the second cache, without biases; per rating.
import { parameter, type Case } from '../bench.ts';
import { kernels, place, sequence, series } from './memory.ts';

export function mfCases(): Case[] {
  const users = parameter('users', 10, 1000);
  const items = parameter('items', 8, 500);
  return [32, 64, 128].flatMap((K) => series.map((build) => mfCase(build, K, users, items)));
}

/** Runs of 1 to 32 ratings, each of another user, over the items of a part. */
function mfCase(build: (typeof series)[number], K: number, users: number, items: number): Case {
  const { bits, uniform, floats } = sequence(5);
  const runs: number[] = [];
  const ix: number[] = [];
  const values: number[] = [];
  for (let user = 0; user < users; user++) {
    const length = 1 + (bits() % 32);
    runs.push(user, length);
    for (let j = 0; j < length; j++) {
      ix.push(bits() % items);
      values.push(uniform());
    }
  }
  const numbers = (n: number, value: number) => place(new Float32Array(n).fill(value));
  const at = {
    ...{ runs: place(Int32Array.from(runs)), ix: place(Uint16Array.from(ix)) },
    values: place(Float32Array.from([...values, 0, 0, 0])),
    ...{ p: place(floats(users * K)), q: place(floats(items * K)) },
    ...{ yUser: numbers(users, 0.01), yBias: numbers(users, 0) },
    ...{ base: numbers(items, 1), decay: numbers(items, 0.1), decayBias: numbers(items, 0) },
  };
  const { mf_block } = kernels.get(build)!;
  const run = () =>
    mf_block(
      ...([users, K * 4, 1, 0, items, Math.fround(0.01), at.runs, at.ix, at.values] as const),
      ...([at.p, at.q, at.yUser, at.yBias, at.base, at.decay, at.decayBias, 0] as const),
    );
  return { name: `mf-${K}`, series: build, elements: ix.length, run, checksum: run() };
}
