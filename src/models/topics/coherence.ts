// Do a topic's top words occur together? Over all pairs of its N top words by weight, with D(i) and
// D(i, j) the documents of a corpus that have them, of D documents, and p = D(·) / D:
//
//   NPMI    mean over i < j of  ln (p_ij / (p_i p_j)) / −ln p_ij    in [−1, 1], 0: independent
//           −1 where they never meet, 1 where both are everywhere   (Bouma 2009; as a measure
//           of topics Lau, Newman and Baldwin 2014). The window is the document.
//   UMass   mean over i > j of  ln ((D(i, j) + 1) / D(j)),  words in order of weight, at most
//           about 0   (Mimno et al. 2011, who take the sum over pairs)
//
// A pair with a word that no document has says nothing and is left out; a topic without pairs has
// NaN, and the mean over topics is of the others.
import { together } from '../../base/together.ts';
import { zeros, type Memory } from './placed.ts';
import { readHere, type Reading } from './run.ts';
import { topWords, type Ranked } from './words.ts';

/** Top words that a topic is judged by. */
const coherenceWords = 10;

export type Coherence = {
  readonly npmi: Float64Array;
  readonly umass: Float64Array;
  readonly meanNpmi: number;
  readonly meanUmass: number;
};

/** Documents with both words of a pair (i ≤ j) of a topic's list; with one word where i = j. */
export type PairCounts = (topic: number, i: number, j: number) => number;

export function npmiOf(both: number, one: number, other: number, documents: number): number {
  if (both === 0) return -1;
  if (both === documents) return 1;
  return Math.log((both * documents) / (one * other)) / -Math.log(both / documents);
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Both measures from counts: `found[k]` words of topic k. */
export function coherenceOf(found: Int32Array, documents: number, counts: PairCounts): Coherence {
  const npmi = new Float64Array(found.length);
  const umass = new Float64Array(found.length);
  for (let k = 0; k < found.length; k++) {
    const pairs: { npmi: number; umass: number }[] = [];
    for (let j = 1; j < found[k]!; j++) {
      for (let i = 0; i < j; i++) {
        const [one, other] = [counts(k, i, i), counts(k, j, j)];
        if (one === 0 || other === 0) continue;
        const both = counts(k, i, j);
        const conditional = Math.log((both + 1) / one);
        pairs.push({ npmi: npmiOf(both, one, other, documents), umass: conditional });
      }
    }
    npmi[k] = meanOf(pairs.map((pair) => pair.npmi));
    umass[k] = meanOf(pairs.map((pair) => pair.umass));
  }
  const mean = (values: Float64Array) => meanOf([...values].filter((value) => !isNaN(value)));
  return { npmi, umass, meanNpmi: mean(npmi), meanUmass: mean(umass) };
}

/** Places by word as topics_cooccur draws them; byte offsets. */
function placePairs(memory: Memory, words: number, lists: Ranked) {
  const { top, found, items } = lists;
  const topics = found.length;
  const starts = zeros(memory, (words + 1) * 4);
  const places = zeros(memory, topics * top * 4);
  const { i32 } = memory.arena;
  const own = Array.from(found, (count, k) =>
    Array.from({ length: count }, (_, rank) => ({
      word: items[k * top + rank]!,
      place: 32 * k + rank,
    })),
  ).flat();
  own.sort((a, b) => a.word - b.word || a.place - b.place);
  own.forEach(({ place }, i) => (i32[places / 4 + i] = place));
  for (const { word } of own) i32[starts / 4 + word + 1]! += 1;
  for (let w = 0; w < words; w++) i32[starts / 4 + w + 1]! += i32[starts / 4 + w]!;
  return { starts, places, counts: zeros(memory, topics * top * top * 4), top, topics, words };
}

/** Coherence of all topics over a corpus: the one they were trained on, or another. */
export async function coherence(reading: Reading, top = coherenceWords): Promise<Coherence> {
  const { session, placed, data } = reading;
  return together(session.world, 'coherence', async (talk) => {
    const { host } = session;
    const lists = topWords(host, placed, { top });
    const pairs = placePairs(host, placed.model.words, lists);
    await readHere(reading, { kind: 'cooccurrence', ...pairs });
    const cells = pairs.topics * top * top;
    const own = host.arena.u8.slice(pairs.counts, pairs.counts + cells * 4);
    const shares = (await talk.gather(own)).map((bytes) => new Int32Array(bytes.slice().buffer));
    const at = (k: number, i: number, j: number) => (k * top + i) * top + j;
    return coherenceOf(lists.found, data.documents, (k, i, j) =>
      shares.reduce((sum, share) => sum + share[at(k, i, j)]!, 0),
    );
  });
}
