// assembly/lda: what is built of a corpus, the sums against float64, and what is saved.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { close, onEveryBuild, prngOf } from './helpers/lab.ts';
import { openChain, plantTopics, samplers } from './helpers/lda.ts';
import { joint, logGamma } from './oracle/lda.ts';

onEveryBuild('lda_sample: finds a count that was lost', (lab) => {
  const { documents, words } = plantTopics(prngOf(1), { topics: 3, documents: 9, length: 12 });
  const chain = openChain(lab, documents, { words, alpha: [0.1, 0.1, 0.1], beta: 0.1 });
  chain.sample(1);
  assert.ok(chain.sample(1) >= 0);
  const row = lab.i32(chain.rows, words)[2]!;
  lab.write(chain.entries + row * 8 + 4, 1 + lab.i32(chain.entries + row * 8 + 4, 1)[0]!);
  const lost = lab.kernels.lda_words(
    ...([0, words, 0.1, chain.counts, chain.rows, chain.lengths, chain.entries] as const),
    ...([lab.output(new Int32Array(3)), lab.output(new Float64Array(2))] as const),
  );
  assert.is(lost, 1);
});

onEveryBuild('lda_documents, lda_words, lda_totals: the joint log-likelihood', (lab) => {
  for (const [topics, beta, weight, sampler] of [
    [2, 0.01, 0.1, 'exact'],
    [7, 3, 0.0003, 'exact'],
    [40, 0.5, 150, 'exact'],
    [7, 3, 0.0003, 'mh'],
    [40, 0.5, 150, 'mh'],
  ] as const) {
    lab.reset();
    const prng = prngOf(topics);
    const { documents, words } = plantTopics(prng, { topics: 5, documents: 14, length: 20 });
    const alpha = Array.from({ length: topics }, () => weight * (1 + prng.uniform()));
    const alphaSum = alpha.reduce((all, value) => all + value, 0);
    const priors = { words, alpha, beta };
    const chain = openChain(lab, documents, priors, { sampler });
    for (let pass = 0; pass < 3; pass++) chain.sample(4);
    const [byDocument, byWord] = [0, 1].map(() => lab.output(new Int32Array(topics)));
    const sums = lab.output(new Float64Array(4));
    assert.is(
      lab.kernels.lda_documents(
        ...([documents.length, topics, chain.bits, alphaSum, chain.documents] as const),
        ...([chain.alpha64, byDocument!, sums] as const),
      ),
      0,
    );
    const table = [chain.counts, chain.rows, chain.lengths, chain.entries] as const;
    assert.is(lab.kernels.lda_words(0, words, beta, ...table, byWord!, sums + 16), 0);
    for (const parts of [byDocument!, byWord!]) {
      assert.is(lab.kernels.lda_lost(topics, 1, chain.totals, parts), 0);
      lab.write(parts, 1 + lab.i32(parts, 1)[0]!);
      assert.is(lab.kernels.lda_lost(topics, 1, chain.totals, parts), 1);
    }
    const [ofDocuments = 0, entries, ofWords = 0, pairs] = lab.f64(sums, 4);
    const ofTopics = lab.kernels.lda_totals(topics, words * beta, chain.totals);
    const want = joint(documents, chain.topicsNow(), priors);
    // Some hundred terms lnΓ, each right to 1e-13 of its size.
    close(ofDocuments + ofWords + ofTopics, want, 1e-11 * (1 + Math.abs(want)), `K=${topics}`);
    assert.is(
      entries,
      new Set(chain.topicsNow().flatMap((z, d) => z.map((k) => `${d} ${k}`))).size,
    );
    assert.is(
      pairs,
      lab.i32(chain.lengths, words).reduce((all, length) => all + length, 0),
    );
    lab.check(`K=${topics}`);
  }
});

/** (lnΓ(a + n) − lnΓ(a))', by a central difference. */
function slope(a: number, n: number): number {
  const h = 1e-4 * a;
  const rise = (x: number) => logGamma(x + n) - logGamma(x);
  return (rise(a + h) - rise(a - h)) / (2 * h);
}

for (const sampler of samplers) {
  onEveryBuild(
    `${sampler}: lda_document_slopes, lda_word_slopes, lda_total_slopes, lda_alpha`,
    (lab) => {
      const prng = prngOf(3);
      const { documents, words } = plantTopics(prng, { topics: 3, documents: 14, length: 20 });
      const alpha = [0.3, 0.7, 1.2];
      const [alphaSum, beta] = [2.2, 0.2];
      const chain = openChain(lab, documents, { words, alpha, beta }, { sampler });
      for (let pass = 0; pass < 3; pass++) chain.sample(4);
      const slopes = lab.output(new Float64Array(4));
      lab.kernels.lda_document_slopes(
        ...([documents.length, 3, chain.bits, alphaSum, chain.documents, chain.alpha64] as const),
        slopes,
      );
      const z = chain.topicsNow();
      const wanted = alpha.map((a, k) =>
        z.reduce((all, own) => all + slope(a, own.filter((topic) => topic === k).length), 0),
      );
      wanted.push(documents.reduce((all, own) => all + slope(alphaSum, own.length), 0));
      const got = lab.f64(slopes, 4);
      // The difference is right to h² f'''.
      wanted.forEach((want, k) => close(got[k]!, want, 1e-6 * (1 + Math.abs(want)), `slope ${k}`));
      const table = [chain.rows, chain.lengths, chain.entries] as const;
      const pairs = [0, 1, 2].flatMap((k) =>
        Array.from({ length: words }, (_, w) => {
          const tokens = documents.flatMap((own, d) =>
            own.filter((word, i) => word === w && z[d]![i] === k),
          );
          return slope(beta, tokens.length);
        }),
      );
      const ofWords = pairs.reduce((all, value) => all + value, 0);
      close(
        lab.kernels.lda_word_slopes(0, words, beta, ...table),
        ofWords,
        1e-5 * ofWords,
        'words',
      );
      const totals = [...lab.i32(chain.totals, 3)];
      const ofTotals = totals.reduce((all, n) => all + slope(words * beta, n), 0);
      const found = lab.kernels.lda_total_slopes(3, words * beta, chain.totals);
      close(found, ofTotals, 1e-5 * ofTotals, 'totals');
      const [next, next32] = [lab.output(Float64Array.from(alpha)), lab.output(12)];
      const sum = lab.kernels.lda_alpha(3, 1e-6, slopes, next, next32);
      const want = alpha.map((a, k) => (a * got[k]!) / got[3]!);
      want.forEach((a, k) => close(lab.f64(next, 3)[k]!, a, 1e-12, `alpha ${k}`));
      want.forEach((a, k) => close(lab.f32(next32, 3)[k]!, a, 1e-6, `alpha ${k} in f32`));
      close(sum, want[0]! + want[1]! + want[2]!, 1e-12, 'sum of alpha');
      lab.check('slopes');
    },
  );
}

onEveryBuild('lda_rows: room for min(N_w, K) topics, blocks of about as many tokens', (lab) => {
  for (const [words, blocks] of [1, 7, 300].flatMap((v) => [1, 3, 8].map((g) => [v, g] as const))) {
    lab.reset();
    const prng = prngOf(words);
    const counts = Int32Array.from({ length: words }, () => prng.below(20));
    const [rows, lengths, starts] = [words + 1, words, blocks + 1].map((n) => lab.output(n * 4));
    const room = lab.kernels.lda_rows(
      ...([words, 5, blocks, lab.input(counts), rows!, lengths!, starts!] as const),
    );
    const sizes = [...counts].map((n) => Math.min(n, 5));
    const places = [...lab.i32(rows!, words + 1)];
    sizes.forEach((size, w) => assert.is(places[w + 1]! - places[w]!, size));
    assert.is(room, places[words]);
    assert.ok(lab.i32(lengths!, words).every((length) => length === 0));
    const cut = [...lab.i32(starts!, blocks + 1)];
    assert.is(cut[0], 0);
    assert.is(cut[blocks], words);
    const all = counts.reduce((sum, n) => sum + n, 0);
    for (let b = 0; b < blocks; b++) {
      const own = counts.slice(cut[b], cut[b + 1]).reduce((sum, n) => sum + n, 0);
      assert.ok(Math.abs(own - all / blocks) <= 20, `V=${words} block ${b} of ${blocks}: ${own}`);
    }
    lab.check(`V=${words} G=${blocks}`);
  }
});

onEveryBuild('lda_document_bytes: refuses a document that is too long', (lab) => {
  const [starts, counts] = [Int32Array.of(0, 1, 2), Int32Array.of(3, 9)].map((v) => lab.input(v));
  assert.is(lab.kernels.lda_document_bytes(0, 2, 100, 10, starts!, counts!), 8 + 16 + 8 + 48);
  assert.is(lab.kernels.lda_document_bytes(0, 2, 100, 9, starts!, counts!), -1);
  assert.is(lab.kernels.lda_document_bytes(0, 1, 2, 9, starts!, counts!), 8 + 16);
});

onEveryBuild('lda_fold: adds what the copies gained, and finds a lost token', (lab) => {
  const totals = lab.output(Int32Array.of(5, 3, 2));
  const copies = lab.input(Int32Array.of(4, 4, 2, 7, 2, 1));
  // Gains −1 1 0 and 2 −1 −1: n_k is 6 3 1, off by 2 1 1 and 1 1 0.
  assert.is(lab.kernels.lda_fold(3, 2, 10, totals, copies), 6);
  assert.equal([...lab.i32(totals, 3)], [6, 3, 1]);
  assert.is(lab.kernels.lda_fold(3, 2, 11, totals, copies), -1);
  lab.check('fold');
});

onEveryBuild('lda_gather, lda_changes, lda_gain: dense rows to entries and back', (lab) => {
  for (const [rows, topics] of [
    [1, 1],
    [4, 3],
    [7, 8],
    [3, 101],
  ] as const) {
    lab.reset();
    const prng = prngOf(topics);
    const stride = (topics + 3) & ~3;
    const random = () =>
      Int32Array.from({ length: rows * stride }, (_, i) => {
        return i % stride < topics && prng.below(3) === 0 ? 1 + prng.below(9) : 0;
      });
    const [before, after] = [random(), random()];
    const place = (values: Int32Array) => {
      const at = [rows * 4, rows * 4, rows * topics * 8].map((bytes) => lab.output(bytes));
      const places = [at[0]!, at[1]!, at[2]!] as const;
      lab.kernels.lda_gather(rows, topics, stride * 4, lab.input(values), ...places);
      return places;
    };
    const found = place(before);
    for (let i = 0; i < rows; i++) {
      const own = before.subarray(i * stride, i * stride + topics);
      const want = [...own].flatMap((n, k) => (n > 0 ? [k, n] : []));
      const length = lab.i32(found[1], rows)[i]!;
      assert.is(lab.i32(found[0], rows)[i], i * topics);
      assert.equal([...lab.i32(found[2] + i * topics * 8, 2 * length)], want);
    }
    const deltas = lab.output(new Int32Array(rows * stride).fill(5));
    lab.kernels.lda_changes(rows, stride * 4, lab.input(before), ...place(after), deltas);
    const want = after.map((n, i) => 5 + n - before[i]!);
    assert.equal([...lab.i32(deltas, rows * stride)], [...want]);
    const gains = lab.output(rows * stride * 4);
    lab.kernels.lda_gain(rows * stride, lab.input(before), lab.input(after), gains);
    assert.equal([...lab.i32(gains, rows * stride)], [...after.map((n, i) => n - before[i]!)]);
    lab.check(`${rows} rows of ${topics}`);
  }
});

for (const sampler of samplers) {
  onEveryBuild(`${sampler}: lda_export_documents, lda_export_words: what is saved`, (lab) => {
    const { documents, words } = plantTopics(prngOf(2), { topics: 3, documents: 9, length: 12 });
    const chain = openChain(
      lab,
      documents,
      { words, alpha: [0.2, 0.2, 0.2], beta: 0.1 },
      { sampler },
    );
    for (let pass = 0; pass < 3; pass++) chain.sample(4);
    const z = chain.topicsNow();
    const read = (starts: Int32Array, topics: Int32Array, counts: Int32Array, i: number) =>
      new Map(
        Array.from({ length: starts[i + 1]! - starts[i]! }, (_, j) => {
          return [topics[starts[i]! + j]!, counts[starts[i]! + j]!] as const;
        }),
      );
    const place = 5;
    const room = chain.size + place;
    const [starts, topics, counts] = [documents.length, room, room].map((n) => lab.output(n * 4));
    const end = lab.kernels.lda_export_documents(
      ...([documents.length, 3, chain.bits, place, chain.documents] as const),
      ...([starts!, topics!, counts!] as const),
    );
    const bounds = Int32Array.of(...lab.i32(starts!, documents.length), end);
    documents.forEach((_, d) => {
      const mine = new Map<number, number>();
      for (const k of z[d]!) mine.set(k, (mine.get(k) ?? 0) + 1);
      assert.equal(read(bounds, lab.i32(topics!, room), lab.i32(counts!, room), d), mine);
    });
    const [wordStarts, wordTopics, wordCounts] = [words + 1, room, room].map((n) =>
      lab.output(n * 4),
    );
    lab.kernels.lda_export_words(
      ...([words, 0, chain.rows, chain.lengths, chain.entries] as const),
      ...([wordStarts!, wordTopics!, wordCounts!] as const),
    );
    for (let w = 0; w < words; w++) {
      const mine = new Map<number, number>();
      documents.forEach((own, d) => {
        own.forEach((word, i) => {
          if (word === w) mine.set(z[d]![i]!, (mine.get(z[d]![i]!) ?? 0) + 1);
        });
      });
      const arrays = [lab.i32(wordTopics!, room), lab.i32(wordCounts!, room)] as const;
      assert.equal(read(lab.i32(wordStarts!, words + 1), ...arrays, w), mine);
    }
    lab.check('export');
  });
}

test.run();
