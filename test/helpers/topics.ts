// Synthetic trained topics and their places in a lab.
import type { Corpus } from '../../src/data/dataset.ts';
import type { Arena } from '../../src/memory/arena.ts';
import type { DocTopics, WordTopics } from '../../src/models/topics/model.ts';
import type { Lab } from './lab.ts';
import { prngOf } from './lab.ts';

/** Counts as rows of [topic or word, count], sparse by row. */
export function sparseOf(rows: readonly (readonly (readonly [number, number])[])[]): DocTopics {
  const starts = rows.reduce((all, row) => [...all, all.at(-1) + row.length], [0]);
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

/** Places documents, rows of [word, count], in two blocks of uneven size. */
export function placeCorpus(
  arena: Arena,
  rows: readonly (readonly (readonly [number, number])[])[],
  words: number,
): Corpus {
  const cut = Math.ceil(rows.length / 3);
  const blocks = [rows.slice(0, cut), rows.slice(cut)].map((part) => {
    const put = (values: Int32Array) => {
      const at = arena.allocate(values.byteLength + 16);
      arena.i32.set(values, at / 4);
      return at;
    };
    const { starts, topic, count } = sparseOf(part);
    return {
      ...{ documents: part.length, tokens: count.reduce((a, b) => a + b, 0) },
      ...{ nonzeros: topic.length, rowStart: put(starts), index: put(topic), count: put(count) },
      target: put(new Int32Array(part.length).fill(-1)),
    };
  });
  const total = (of: 'tokens' | 'nonzeros') => blocks.reduce((sum, block) => sum + block[of], 0);
  return {
    ...{ kind: 'corpus', documents: rows.length, first: 0, base: 0, words, blocks },
    ...{ tokens: total('tokens'), nonzeros: total('nonzeros') },
    ...{ vocabulary: [], names: [], classes: [] },
  };
}

/**
 * Documents out of planted topics: topic k writes words k·5 … k·5 + 4 with 1/2 … 1/32, and a tenth
 * of the time any word; a document is about two topics. Rows of [word, count].
 */
export function plantedDocuments(documents: number, topics: number, seed = 1) {
  const prng = prngOf(seed);
  return Array.from({ length: documents }, () => {
    const own = [prng.below(topics), prng.below(topics)];
    const bag = new Map<number, number>();
    for (let i = 8 + prng.below(40); i > 0; i--) {
      const k = own[prng.below(2)]!;
      const rank = Math.min(4, Math.floor(-Math.log2(1 - prng.uniform())));
      const word = prng.uniform() < 0.1 ? prng.below(topics * 5) : 5 * k + rank;
      bag.set(word, (bag.get(word) ?? 0) + 1);
    }
    return [...bag].sort(([a], [b]) => a - b);
  });
}

/** Counts of the model that such documents come from, words × topics, about `scale` a topic. */
export function plantedCounts(topics: number, scale: number): number[][] {
  return Array.from({ length: topics * 5 }, (_, w) =>
    Array.from({ length: topics }, (_, k) => {
      const [of, rank] = [Math.floor(w / 5), w % 5];
      const own = of === k ? 0.9 * 2 ** -Math.min(4, rank + 1) : 0;
      return Math.round(scale * (own + 0.1 / (topics * 5)));
    }),
  );
}

export function plantedModel(topics: number, scale = 1000): WordTopics {
  return modelOf(plantedCounts(topics, scale), new Array<number>(topics).fill(0.1), 0.01);
}
