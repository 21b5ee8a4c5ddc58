// Trained topics where kernels can read them: the arrays in the arena, and beside them the plan
// that assembly/topics/sampling.ts draws. Made once, by the supervisor; threads get its place.
import { assert } from '../../base/assert.ts';
import type { Context } from '../../program/program.ts';
import { inverseTotals, type DocTopics, type WordTopics } from './model.ts';

export type Memory = Pick<Context<unknown>, 'arena' | 'kernels'>;

export type PlacedTopics = {
  readonly model: WordTopics;
  /** Byte offsets. alpha: K × f64; inverse: K × f64, 1 / (n_k + Vβ); totals: V × f64, Σ_k n_kw. */
  readonly plan: number;
  readonly starts: number;
  readonly topic: number;
  readonly count: number;
  readonly alpha: number;
  readonly inverse: number;
  readonly totals: number;
  /** Σ n_k and Σ α. */
  readonly tokens: number;
  readonly alphaSum: number;
};

const planBytes = 64;
const factBytes = 24;

/** Where the values lie in the arena; copied there unless they do already. */
export function placeOf({ arena }: Memory, values: Int32Array | Float64Array): number {
  if (values.buffer === arena.memory.buffer) return values.byteOffset;
  const at = arena.allocate(values.byteLength + 16);
  const cells = values instanceof Int32Array ? arena.i32 : arena.f64;
  cells.set(values, at / values.BYTES_PER_ELEMENT);
  return at;
}

/** A place of `bytes` zeros. */
export function zeros({ arena }: Memory, bytes: number): number {
  const at = arena.allocate(bytes + 16);
  arena.u8.fill(0, at, at + bytes);
  return at;
}

export function placeTopics(memory: Memory, model: WordTopics): PlacedTopics {
  const { arena, kernels } = memory;
  const { words, topics, beta } = model;
  assert(model.starts.length === words + 1, 'starts has V + 1 entries');
  assert(model.totals.length === topics && model.alpha.length === topics, 'K totals and alphas');
  const plan = zeros(memory, planBytes);
  const facts = arena.allocate(topics * factBytes + 16);
  const alpha = placeOf(memory, Float64Array.from(model.alpha));
  const places = [model.starts, model.topic, model.count].map((values) => placeOf(memory, values));
  const [starts = 0, topic = 0, count = 0] = places;
  arena.i32.set([topics, words, starts, topic, count, facts], plan / 4);
  arena.f64[plan / 8 + 3] = beta;
  kernels.topics_facts(plan, alpha, placeOf(memory, model.totals));
  const totals = arena.allocate(words * 8 + 16);
  kernels.topics_word_totals(words, starts, count, totals);
  return {
    ...{ model, plan, starts, topic, count, alpha, totals },
    inverse: placeOf(memory, inverseTotals(model)),
    tokens: model.totals.reduce((sum, total) => sum + total, 0),
    alphaSum: arena.f64[plan / 8 + 4] ?? 0,
  };
}

/** Places of a document–topic matrix. */
export function placeDocuments(memory: Memory, { starts, topic, count }: DocTopics) {
  const at = (values: Int32Array) => placeOf(memory, values);
  return { starts: at(starts), topic: at(topic), count: at(count) };
}

/** What `body` allocates is free again when it is done: on the supervisor's side, between runs. */
export function borrowed<T>({ arena }: Memory, body: () => T): T {
  const mark = arena.mark();
  try {
    return body();
  } finally {
    arena.release(mark);
  }
}
