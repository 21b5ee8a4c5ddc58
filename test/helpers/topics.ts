// Synthetic trained topics and their places in a lab.
import type { DocTopics, WordTopics } from '../../src/models/topics/model.ts';
import type { Lab } from './lab.ts';
import { prngOf } from './lab.ts';

/** Counts as rows of [topic or word, count], sparse by row. */
export function sparseOf(rows: readonly (readonly (readonly [number, number])[])[]): DocTopics {
  const starts = rows.reduce((all, row) => [...all, all.at(-1)! + row.length], [0]);
  return {
    documents: rows.length,
    starts: Int32Array.from(starts),
    topic: Int32Array.from(rows.flat(), ([k]) => k),
    count: Int32Array.from(rows.flat(), ([, n]) => n),
  };
}

/** A model out of dense counts, words × topics. */
export function modelOf(
  counts: readonly (readonly number[])[],
  alpha: readonly number[],
  beta: number,
): WordTopics {
  const topics = alpha.length;
  const { starts, topic, count } = sparseOf(
    counts.map((row) => row.flatMap((n, k) => (n > 0 ? [[k, n] as const] : []))),
  );
  const totals = Int32Array.from({ length: topics }, (_, k) => {
    return counts.reduce((sum, row) => sum + row[k]!, 0);
  });
  return { words: counts.length, topics, starts, topic, count, totals, alpha, beta };
}

/** Random sparse counts: about `density` of them, one word without any. */
export function randomModel(words: number, topics: number, seed = 1, density = 0.3): WordTopics {
  const prng = prngOf(seed);
  const counts = Array.from({ length: words }, (_, w) =>
    Array.from({ length: topics }, () => {
      return w !== 1 && prng.uniform() < density ? 1 + prng.below(9) : 0;
    }),
  );
  const alpha = Array.from({ length: topics }, () => 0.1 + prng.uniform());
  return modelOf(counts, alpha, 0.1);
}

/** The plan of assembly/topics/sampling.ts in a lab, with its facts computed. */
export function placePlan(lab: Lab, model: WordTopics): number {
  const places = [model.starts, model.topic, model.count].map((values) => lab.input(values));
  const facts = lab.output(model.topics * 24);
  const fields = new Int32Array(14);
  fields.set([model.topics, model.words, ...places, facts]);
  new Float64Array(fields.buffer, 24, 1)[0] = model.beta;
  const plan = lab.output(fields);
  const alpha = lab.input(Float64Array.from(model.alpha));
  lab.kernels.topics_facts(plan, alpha, lab.input(model.totals));
  return plan;
}
