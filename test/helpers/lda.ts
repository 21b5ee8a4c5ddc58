// LDA in tests: corpora in memory as a loader would place them, and parts of documents in a lab,
// ready for a sampler.
import type { Corpus, CorpusBlock } from '../../src/data/dataset.ts';
import type { Arena } from '../../src/memory/arena.ts';
import { createPrng, type Prng } from '../../src/base/prng.ts';
import { rangeOf } from '../../src/base/ranges.ts';
import type { Documents, Priors } from '../oracle/lda.ts';
import type { Lab } from './lab.ts';

/** A bag of words: { starts, words, counts } of documents. */
export function bagsOf(documents: Documents) {
  const bags = documents.map((tokens) => {
    const counts = new Map<number, number>();
    for (const word of tokens) counts.set(word, (counts.get(word) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => a - b);
  });
  const starts = bags.reduce((all, bag) => [...all, all.at(-1) + bag.length], [0]);
  return {
    starts: Int32Array.from(starts),
    words: Int32Array.from(bags.flat(), ([word]) => word),
    counts: Int32Array.from(bags.flat(), ([, count]) => count),
  };
}

/** Documents as a file of libsvm lines: labels, and words from 1. */
export function libsvmOf(documents: Documents, labels?: readonly number[]): string {
  const lines = documents.map((tokens, d) => {
    const { words, counts } = bagsOf([tokens]);
    const entries = [...words].map((word, i) => `${word + 1}:${counts[i]}`);
    return `${[labels?.[d] ?? 0, ...entries].join(' ')}\n`;
  });
  return lines.join('');
}

/** Documents in blocks of `blockDocuments`. */
export function placeCorpus(
  arena: Arena,
  documents: Documents,
  { words, blockDocuments = 50 }: { readonly words: number; readonly blockDocuments?: number },
): Corpus {
  const put = (values: Int32Array) => {
    const at = arena.allocate(values.byteLength + 64);
    arena.i32.set(values, at / 4);
    return at;
  };
  const blocks: CorpusBlock[] = [];
  for (let first = 0; first < documents.length; first += blockDocuments) {
    const own = documents.slice(first, first + blockDocuments);
    const { starts, words: index, counts } = bagsOf(own);
    blocks.push({
      ...{ documents: own.length, tokens: own.flat().length, nonzeros: index.length },
      ...{ rowStart: put(starts), index: put(index), count: put(counts) },
      target: put(new Int32Array(own.length).fill(-1)),
    });
  }
  const nonzeros = blocks.reduce((sum, block) => sum + block.nonzeros, 0);
  const size = { documents: documents.length, tokens: documents.flat().length, nonzeros };
  const named = { vocabulary: [], names: [], classes: [] };
  return { kind: 'corpus', first: 0, base: 0, words, ...size, ...named, blocks };
}

/** Documents of `length` tokens from topics with words of their own, a little mixed. */
export function plantTopics(
  prng: Prng,
  sizes: { readonly topics: number; readonly documents: number; readonly length: number },
): { readonly documents: Documents; readonly words: number; readonly wordsOfTopic: number } {
  const wordsOfTopic = 6;
  const documents = Array.from({ length: sizes.documents }, () => {
    const own = [prng.below(sizes.topics), prng.below(sizes.topics)];
    return Array.from({ length: 1 + prng.below(2 * sizes.length) }, () => {
      const topic = prng.uniform() < 0.05 ? prng.below(sizes.topics) : own[prng.below(2)]!;
      return topic * wordsOfTopic + prng.below(wordsOfTopic);
    });
  });
  return { documents, words: sizes.topics * wordsOfTopic, wordsOfTopic };
}

export const samplers = ['exact', 'mh'] as const;
type SamplerName = (typeof samplers)[number];

/** Everything of parts of documents that a sampler reads and writes. */
export type Chain = ReturnType<typeof openChain>;

/** Tokens of a visit of a word: VISIT of assembly/lda/proposals.ts. */
const visitTokens = 16_384;

/** One part of the documents: its tokens sorted by word. */
function openPart(
  lab: Lab,
  documents: Documents,
  sizes: { readonly words: number; readonly topics: number; readonly sampler: SamplerName },
) {
  const { kernels } = lab;
  const { words, topics, sampler } = sizes;
  const mh = sampler === 'mh';
  const bags = bagsOf(documents);
  const [rowStart, index, count] = [bags.starts, bags.words, bags.counts].map((values) =>
    lab.input(values),
  ) as [number, number, number];
  const size = documents.flat().length;
  const cursors = lab.output(new Int32Array(words));
  kernels.lda_count(0, documents.length, rowStart, index, count, cursors);
  const starts = lab.output((words + 1) * 4);
  kernels.lda_starts(words, cursors, starts);
  const bytesOf = mh ? kernels.lda_mh_bytes : kernels.lda_document_bytes;
  const bytes = bytesOf(0, documents.length, topics, 2 ** 20, rowStart, count);
  const [at, places, z] = [bytes, size * 4, mh ? 0 : size * 4].map((n) => lab.output(n));
  const range = [0, documents.length, topics, 0, rowStart, index, count, cursors] as const;
  const end = mh
    ? kernels.lda_mh_place(...range, at!, places!)
    : kernels.lda_place(...range, at!, places!, z!);
  return { documents: at!, places: places!, z: z!, starts, bytes, end, size };
}

/** The plan of a sampler: words by place, as its kernel says. `aimed`: at the only part. */
function openPlan(
  lab: Lab,
  sampler: SamplerName,
  { words, beta, alpha: { length: topics } }: Priors,
  { shared, aimed }: { readonly shared: readonly number[]; readonly aimed: readonly number[] },
): number {
  const padded = (topics + 31) & ~31;
  const zeros = (n: number) => lab.output(new Int32Array(n));
  const found = Math.max(topics, sampler === 'mh' ? visitTokens : 0);
  const plan = new Int32Array(32);
  plan.set([topics, 32 - Math.clz32(topics), ...aimed.slice(0, 3), ...shared]);
  plan.set(
    [
      ...[padded, topics, (topics >> 2) + 1, found, 2 * (padded / 32)].map(zeros),
      ...[2 * Math.ceil(padded / 1024), topics + 4].map(zeros),
    ],
    10,
  );
  plan[17] = aimed[3]!;
  new Float64Array(plan.buffer).set([beta, words * beta], 9);
  // The exact sampler writes nothing there.
  if (sampler === 'exact') return lab.input(plan);
  plan[25] = 2;
  plan.set([visitTokens, topics, topics, 2 * topics + 2, 2 * topics, topics].map(zeros), 26);
  return lab.output(plan);
}

export function openChain(
  lab: Lab,
  documents: Documents,
  priors: Priors,
  { sampler = 'exact', parts = 1 }: { sampler?: SamplerName; parts?: number } = {},
) {
  const { kernels } = lab;
  const { words, alpha } = priors;
  const topics = alpha.length;
  const bits = 32 - Math.clz32(topics);
  const padded = (topics + 31) & ~31;
  const zeros = (n: number) => lab.output(new Int32Array(n));
  const counts = zeros(words);
  const bags = bagsOf(documents);
  const [rowStart, index, count] = [bags.starts, bags.words, bags.counts].map((values) =>
    lab.input(values),
  ) as [number, number, number];
  kernels.lda_count(0, documents.length, rowStart, index, count, counts);
  const [rows, lengths, blocks] = [words + 1, words, 2].map((n) => lab.output(n * 4));
  const table = kernels.lda_rows(words, topics, 1, counts, rows!, lengths!, blocks!);
  const entries = lab.output(table * 8);
  const totals = zeros(topics);
  const alpha32 = lab.input(Float32Array.from({ length: padded }, (_, k) => alpha[k] ?? 0));
  const alpha64 = lab.input(Float64Array.from(alpha));
  const all = Array.from({ length: parts }, (_, part) => {
    const { first, last } = rangeOf(documents.length, parts, part);
    const own = documents.slice(first, last);
    const { rowOf, of } = tokensOf(own, words);
    const placed = openPart(lab, own, { words, topics, sampler });
    const aimed = [placed.places, placed.z, placed.starts, placed.documents];
    const shared = [rows!, lengths!, entries, alpha32, totals];
    const plan = openPlan(lab, sampler, priors, { shared, aimed });
    return { ...placed, plan, own, token: (d: number, i: number) => of(rowOf(d, i)) };
  });
  const mask = (1 << bits) - 1;
  let pass = 0;
  return {
    ...{ topics, bits, rows: rows!, lengths: lengths!, entries, counts, totals },
    ...{ alpha64, blocks: blocks!, table, parts: all, ...all[0]! },
    size: documents.flat().length,
    /** One pass over all tokens of some parts: how many changed; −1 is a lost count. */
    sample(seed: number, first = 0, last = words, own = all): number {
      const [begin, sample] =
        sampler === 'mh'
          ? [kernels.lda_mh_begin, kernels.lda_mh_sample]
          : [kernels.lda_begin, kernels.lda_sample];
      const changed = own.map(({ plan }) => {
        begin(plan);
        const prng = createPrng(seed, pass++);
        return sample(first, last, prng.uint32(), prng.uint32(), plan);
      });
      return Math.min(...changed) < 0 ? -1 : changed.reduce((sum, n) => sum + n, 0);
    },
    /** Topics of the tokens, document by document. */
    topicsNow(): number[][] {
      return all.flatMap(({ own, token, z, places, documents: at, size, bytes }) => {
        const [flat, memory] = [
          lab.i32(sampler === 'mh' ? places : z, size),
          lab.i32(at, bytes / 4),
        ];
        const topicOf = (place: number) => (sampler === 'mh' ? memory[place / 4]! & mask : place);
        return own.map((tokens, d) => tokens.map((_, i) => topicOf(flat[token(d, i)]!)));
      });
    },
  };
}

/** Where token i of document d stands among all tokens sorted by word, then document. */
function tokensOf(documents: Documents, words: number) {
  const sorted: (readonly [number, number])[] = [];
  for (let w = 0; w < words; w++) {
    documents.forEach((tokens, d) => {
      tokens.forEach((word, i) => word === w && sorted.push([d, i]));
    });
  }
  const places = new Map(sorted.map(([d, i], place) => [`${d} ${i}`, place]));
  return {
    rowOf: (d: number, i: number) => `${d} ${i}`,
    of: (key: string) => places.get(key) ?? -1,
  };
}
