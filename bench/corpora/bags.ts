// A corpus as bags of words, and the files that programs read it from. Documents without words are
// left out and words that do not occur too, so that V and the tokens are the same for everybody.
//
//   reads    lines `word:count …`, with a label or a number before them (libsvm, lda-c), or
//            UCI's `document word count` behind three lines; compressed by gzip or not
//   writes   lines `word:count …` from 0 (several times over, if wanted), or lines of words
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Document d has `words` and `counts` from `starts[d]` to `starts[d + 1]`. */
export type Bags = {
  readonly documents: number;
  readonly vocabulary: number;
  readonly tokens: number;
  readonly starts: Int32Array;
  readonly words: Int32Array;
  readonly counts: Int32Array;
};

type Bag = readonly (readonly [word: number, count: number])[];

function bagsOfLines(lines: readonly string[]): Bag[] {
  const pair = (cell: string) => cell.split(':').map(Number) as [number, number];
  return lines.map((line) =>
    line
      .split(/\s+/)
      .filter((cell) => cell.includes(':'))
      .map(pair),
  );
}

function bagsOfTriples(lines: readonly string[]): Bag[] {
  const bags = Array.from({ length: Number(lines[0]) }, (): [number, number][] => []);
  for (const line of lines.slice(3)) {
    const [document, word, count] = line.split(' ').map(Number);
    bags[document! - 1]!.push([word!, count!]);
  }
  return bags;
}

export function readBags(path: string): Bags {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
  const lines = text.trimEnd().split('\n');
  const all = lines[3]?.includes(':') === true ? bagsOfLines(lines) : bagsOfTriples(lines);
  const bags = all.filter((bag) => bag.length > 0);
  const pairs = bags.reduce((sum, bag) => sum + bag.length, 0);
  const starts = new Int32Array(bags.length + 1);
  const [words, counts] = [new Int32Array(pairs), new Int32Array(pairs)];
  bags.forEach((bag, document) => {
    bag.forEach(([word, count], i) => {
      words[starts[document]! + i] = word;
      counts[starts[document]! + i] = count;
    });
    starts[document + 1] = starts[document]! + bag.length;
  });
  const present = [...new Set(words)].sort((a, b) => a - b);
  const numbers = new Map(present.map((word, number) => [word, number]));
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  const facts = { documents: bags.length, vocabulary: present.length, tokens };
  return { ...facts, starts, words: words.map((word) => numbers.get(word)!), counts };
}

/** A line of each document, `times` over, in pieces. */
function writeLines(
  path: string,
  { documents }: Bags,
  { times, line }: { times: number; line: (document: number) => string },
): void {
  const file = openSync(path, 'w');
  const piece = 4096;
  for (let time = 0; time < times; time++) {
    for (let at = 0; at < documents; at += piece) {
      const length = Math.min(piece, documents - at);
      writeSync(file, Array.from({ length }, (_, i) => `${line(at + i)}\n`).join(''));
    }
  }
  closeSync(file);
}

export function writeCounts(path: string, bags: Bags, times = 1): void {
  const { starts, words, counts } = bags;
  const line = (document: number) => {
    const cells: string[] = [];
    for (let i = starts[document]!; i < starts[document + 1]!; i++) {
      cells.push(`${words[i]}:${counts[i]}`);
    }
    return cells.join(' ');
  };
  writeLines(path, bags, { times, line });
}

/** `d<number> x` and the words of the document, one of n for each of its n tokens. */
export function writeWords(path: string, bags: Bags, times = 1): void {
  const { starts, words, counts } = bags;
  const line = (document: number) => {
    let text = `d${document} x`;
    for (let i = starts[document]!; i < starts[document + 1]!; i++) {
      text += ` w${words[i]}`.repeat(counts[i]!);
    }
    return text;
  };
  writeLines(path, bags, { times, line });
}
