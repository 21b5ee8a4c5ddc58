// Supervised topics in tests: one part of documents in a lab with the plan of its kernels, and
// labelled corpora.
import type { Corpus } from '../../src/data/dataset.ts';
import type { Arena } from '../../src/memory/arena.ts';
import type { Prng } from '../../src/base/prng.ts';
import type { Documents } from '../oracle/lda.ts';
import type { Supervised } from '../oracle/medlda.ts';
import type { Lab } from './lab.ts';
import { bagsOf, placeCorpus } from './lda.ts';

/** Everything that the kernels read and write. Documents are sorted by word. */
export function openSupervised(lab: Lab, documents: Documents, problem: Supervised) {
  const { kernels } = lab;
  const { words, alpha, beta, eta, targets, lambda, cost, margin } = problem;
  const [topics, classes] = [alpha.length, eta.length];
  const width = (topics + 7) & ~7;
  const size = documents.flat().length;
  const zeros = (n: number) => lab.output(new Int32Array(n));
  const bags = bagsOf(documents);
  const [rowStart, index, count] = [bags.starts, bags.words, bags.counts].map((values) =>
    lab.input(values),
  ) as [number, number, number];
  const [starts, tokens] = [zeros(documents.length + 1), zeros(size)];
  const end = kernels.medlda_tokens(
    ...([documents.length, 0, rowStart, index, count, starts, tokens] as const),
  );
  const z = zeros(size);
  const [rows, table] = [zeros(documents.length * width), zeros(words * width)];
  const totals = zeros(topics);
  const lambdas = lab.output(Float32Array.from(lambda.flat()));
  const weights = new Float32Array(classes * width);
  eta.forEach((row, t) => weights.set(row, t * width));
  const etas = lab.output(weights);
  const own = [
    ...[width, width, topics * width, topics].map(zeros),
    ...[classes, classes, classes].map(zeros),
  ];
  const plan = new Int32Array(30);
  plan.set([topics, width * 4, classes, starts, tokens, z, rows, table, totals]);
  plan.set([lab.input(Int32Array.from(targets)), lambdas, etas, ...own], 9);
  new Float64Array(plan.buffer).set([alpha[0]!, beta, words * beta, cost, margin], 10);
  const at = lab.input(plan);
  return {
    ...{ plan: at, size, end, starts, tokens, z, rows, table, totals, lambdas, etas, width },
    topicsNow(): number[][] {
      const flat = [...lab.i32(z, size)];
      return documents.map(({ length }) => flat.splice(0, length));
    },
  };
}

/** Documents of classes: each class has a topic of its own, and all share one. */
export function plantClasses(
  prng: Prng,
  sizes: { readonly classes: number; readonly documents: number; readonly length: number },
) {
  const wordsOfTopic = 8;
  const targets = Array.from({ length: sizes.documents }, () => prng.below(sizes.classes));
  const documents = targets.map((target) =>
    Array.from({ length: 4 + prng.below(2 * sizes.length) }, () => {
      const topic = prng.uniform() < 0.25 ? target : sizes.classes + prng.below(2);
      return topic * wordsOfTopic + prng.below(wordsOfTopic);
    }),
  );
  return { documents, targets, words: (sizes.classes + 2) * wordsOfTopic };
}

/** Places them with their labels. */
export function placeClasses(
  arena: Arena,
  { documents, targets, words }: ReturnType<typeof plantClasses>,
  classes: number,
): Corpus {
  const corpus = placeCorpus(arena, documents, { words });
  let document = 0;
  for (const block of corpus.blocks) {
    const own = targets.slice(document, document + block.documents);
    arena.i32.set(own, block.target / 4);
    document += block.documents;
  }
  return { ...corpus, classes: Array.from({ length: classes }, (_, t) => `class${t}`) };
}
