// medlda: time and test accuracy by threads and topics.
//
// PERPETUUM_BENCH_CORPUS and PERPETUUM_BENCH_CORPUS_TEST name documents with labels (any format that
// `perpetuum train medlda` reads); without them some are made: a quarter of a document's words are of
// its class' topic.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrng } from '../src/base/prng.ts';
import { parameter, table } from './bench.ts';
import { ours } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'perpetuum-medlda-'));

/** Documents as libsvm lines: their class, and its words among those of topics that all share. */
function generate(name: string, seed: number): string {
  const prng = createPrng(seed);
  const classes = 10;
  const wordsOfTopic = parameter('words', 20, 2000);
  const lines = Array.from({ length: parameter('documents', 200, 10_000) }, () => {
    const own = prng.below(classes);
    const counts = new Map<number, number>();
    for (let i = 10 + prng.below(200); i > 0; i--) {
      const topic = prng.below(4) === 0 ? own : classes + prng.below(classes);
      const word = 1 + topic * wordsOfTopic + Math.floor(wordsOfTopic ** prng.uniform()) - 1;
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const bag = [...counts].sort(([a], [b]) => a - b);
    return `${own} ${bag.map(([word, n]) => `${word}:${n}`).join(' ')}`;
  });
  const path = join(folder, name);
  writeFileSync(path, lines.join('\n') + '\n');
  return path;
}

try {
  const train = process.env['PERPETUUM_BENCH_CORPUS'] ?? generate('train.svm', 1);
  const test = process.env['PERPETUUM_BENCH_CORPUS_TEST'] ?? generate('test.svm', 2);
  const passes = parameter('passes', 4, 40);
  const rows = [
    [40, 2],
    [40, 1],
    [parameter('topics', 20, 80), 2],
  ].map(([topics, threads]) => {
    const sizes = ['--topics', String(topics), '--threads', String(threads)];
    const args = ['medlda', train, '--test', test, ...sizes, '--passes', String(passes)];
    const { seconds, metrics, objective } = ours(args);
    return [
      ...[String(topics), String(threads), seconds.train.toFixed(2)],
      ...[metrics['accuracy']!.toFixed(4), metrics['trainAccuracy']!.toFixed(4)],
      objective.toFixed(4),
    ];
  });
  const header = ['topics', 'threads', 's', 'test accuracy', 'train accuracy', 'objective'];
  table(`medlda, ${passes} passes: training and the classes of the test documents`, header, rows);
} finally {
  rmSync(folder, { recursive: true });
}
