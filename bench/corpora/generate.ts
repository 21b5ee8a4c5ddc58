// Documents for benchmarks that no corpus was named for: words as unequal as in text, topics with
// words of their own.
import { writeFileSync } from 'node:fs';
import { createPrng } from '../../src/base/prng.ts';
import { parameter } from '../bench.ts';

type Wanted = { readonly seed?: number; readonly documents?: number };

/**
 * Documents as libsvm lines: each has a few topics, a topic has words of its own; the label, of
 * twenty, is that of its first topic.
 */
export function generateDocuments(
  path: string,
  { seed = 1, documents = parameter('documents', 300, 60_000) }: Wanted = {},
): string {
  const prng = createPrng(seed);
  const [words, topics] = [parameter('words', 400, 20_000), parameter('topics', 10, 100)];
  const lines = Array.from({ length: documents }, () => {
    const own = Array.from({ length: 1 + prng.below(3) }, () => prng.below(topics));
    const counts = new Map<number, number>();
    for (let i = 10 + prng.below(50); i > 0; i--) {
      const topic = own[prng.below(own.length)]!;
      const rank = Math.floor(words ** prng.uniform());
      const word = 1 + ((rank * (prng.below(5) === 0 ? 1 : 1 + topic)) % words);
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const bag = [...counts].sort(([a], [b]) => a - b);
    return `${own[0]! % 20} ${bag.map(([word, n]) => `${word}:${n}`).join(' ')}`;
  });
  writeFileSync(path, lines.join('\n') + '\n');
  return path;
}
