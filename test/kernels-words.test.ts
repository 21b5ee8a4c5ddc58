// assembly/parse/words.ts and text.ts: words of texts and their table. What a word is, over all of
// Unicode, is held by data-texts.test.ts.
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { code } from '../src/data/parse/codes.ts';
import { onEveryBuild, type Lab } from './helpers/lab.ts';

const WORDS_MAX = 16;
const TEXT_BYTES = 200;
const JOINER = 0x80000000;
const STATE_BYTES = 320;
const LABEL_BYTES = 64 + 8192 * 4 + 16 * 64;
const bytesOf = (value: string) => new Uint8Array(Buffer.from(value));

/** A table of words over a–z, digits and é, with ' and - as joiners. */
function makeTable(lab: Lab, { stop = '', keep = '', shortest = 1 } = {}) {
  const letters = new Uint32Array(0x20000);
  for (const c of 'abcdefghijklmnopqrstuvwxyz0123456789é') {
    letters[c.toUpperCase().charCodeAt(0)] = c.charCodeAt(0);
    letters[c.charCodeAt(0)] = c.charCodeAt(0);
  }
  letters[39] = JOINER + 39;
  letters[45] = JOINER + 45;
  const slots = lab.output(new Int32Array(32));
  const entries = lab.output(WORDS_MAX * 16);
  const texts = lab.output(TEXT_BYTES);
  const lettersAt = lab.input(new Int32Array(letters.buffer));
  const header = [0, 0, 0, 31, slots, entries, WORDS_MAX, texts, TEXT_BYTES, lettersAt];
  const table = lab.output(Int32Array.from([...header, 0, shortest, 0, 0]));
  const intern = (words: string) => {
    const bytes = bytesOf(words);
    const at = lab.input(bytes);
    lab.kernels.words_intern(at, at + bytes.length, table);
  };
  intern(stop);
  lab.kernels.i32_fill(1, lab.i32(table, 1)[0] ?? 0, table + 40);
  intern(keep);
  lab.kernels.i32_fill(1, keep === '' ? 0 : 1, table + 48);
  const wordOf = (entry: number) => {
    const [at = 0, bytes = 0] = lab.i32(entries + 16 * entry, 2);
    return Buffer.from(lab.u8(at, bytes)).toString();
  };
  const documentsOf = (entry: number) => lab.i32(entries + 16 * entry + 12, 1)[0];
  return { table, wordOf, documentsOf, where: lab.output(WORDS_MAX * 4) };
}

type Table = ReturnType<typeof makeTable>;

/** `word:count …` of one document, and what text_bag found besides. */
function bagOf(lab: Lab, { table, where, wordOf }: Table, content: string, room = 20) {
  const bytes = bytesOf(content);
  const at = lab.input(bytes, 3);
  const [word, found] = [lab.output(80), lab.output(new Int32Array(2))];
  const [index, count] = [lab.output(room * 4), lab.output(room * 4)];
  const end = at + bytes.length;
  const n = lab.kernels.text_bag(
    end - bytes.length,
    end,
    table,
    where,
    word,
    found,
    room,
    index,
    count,
  );
  lab.check(content);
  if (n < 0) return { n };
  const entries = [...lab.i32(index, n)];
  const counts = lab.i32(count, n);
  const bag = entries.map((entry, i) => `${wordOf(entry)}:${counts[i]}`).join(' ');
  return { bag, entries, index, found: [...lab.i32(found, 2)] };
}

onEveryBuild('text_bag: words in order of appearance, counted', (lab) => {
  const table = makeTable(lab);
  assert.is(
    bagOf(lab, table, "It's a DOG, a dog-cat -dog' 12 1é").bag,
    "it's:1 a:2 dog:2 dog-cat:1 1é:1",
  );
  assert.is(bagOf(lab, table, 'cat dog').bag, 'cat:1 dog:1', 'another document, one word known');
  assert.is(bagOf(lab, table, '').bag, '');
  assert.equal(bagOf(lab, table, 'dog \u0434 dog').found, [0, 0], 'no letter of this table');
  assert.is(bagOf(lab, table, 'dog a cat', 2).n, -1, 'no room for the third word');
});

onEveryBuild('text_bag: bytes that are not UTF-8, a word cut by the end', (lab) => {
  const table = makeTable(lab);
  const broken = Uint8Array.of(100, 0xff, 100, 0xc3, 32, 0xe2, 0x82);
  const at = lab.input(broken);
  const [word, found] = [lab.output(80), lab.output(new Int32Array(2))];
  const [index, count] = [lab.output(80), lab.output(80)];
  const { where } = table;
  const end = at + broken.length;
  const n = lab.kernels.text_bag(at, end, table.table, where, word, found, 20, index, count);
  assert.equal([n, ...lab.i32(count, 1), ...lab.i32(found, 2)], [1, 2, 0, 4]);
});

onEveryBuild(
  'text_bag: stop words are left out, unknown words of a complete table counted',
  (lab) => {
    const table = makeTable(lab, { stop: 'the\nof\n', keep: 'dog\nnew_york\ncat\n', shortest: 2 });
    const { bag, entries, found } = bagOf(lab, table, 'The cat of the x dog, the cow; of cows');
    assert.equal([bag, entries, found], ['cat:1 dog:1', [4, 2], [2, 0]]);
    assert.is(table.wordOf(3), 'new_york');
  },
);

onEveryBuild('text_bag: a table that is full says so', (lab) => {
  const table = makeTable(lab);
  const words = Array.from({ length: WORDS_MAX + 3 }, (_, i) => `w${i}`);
  const { entries = [], found } = bagOf(lab, table, words.join(' '));
  assert.equal([entries.length, found], [WORDS_MAX, [3, 0]]);
  assert.is(lab.i32(table.table + 8, 1)[0], 1);
  lab.reset();
  const long = makeTable(lab);
  const ten = 'abcdefghij'
    .split('')
    .map((c) => c.repeat(30))
    .join(' ');
  assert.is(bagOf(lab, long, ten).entries?.length, Math.floor(TEXT_BYTES / 30));
  assert.is(lab.i32(long.table + 8, 1)[0], 1);
});

onEveryBuild('word_documents, word_select: in how many documents a word is', (lab) => {
  const table = makeTable(lab, { stop: 'the\n' });
  for (const document of ['the a b c', 'b c c', 'the c']) {
    const { entries = [], index = 0 } = bagOf(lab, table, document);
    lab.kernels.word_documents(entries.length, table.table, index);
  }
  assert.equal([0, 1, 2, 3].map(table.documentsOf), [0, 1, 2, 3]);
  const to = lab.output(WORDS_MAX * 4);
  const select = (least: number, most: number) => {
    const n = lab.kernels.word_select(table.table, least, most, to);
    return [...lab.i32(to, n)].map(table.wordOf).join('');
  };
  assert.equal([select(1, 9), select(2, 9), select(1, 2), select(0, 0)], ['abc', 'bc', 'ab', '']);
  lab.check('select');
});

type Columns = readonly [text: number, label: number, date: number, name: number];

function parse(lab: Lab, content: string, columns?: { n: number; of: Columns }) {
  lab.reset();
  const table = makeTable(lab);
  const bytes = bytesOf(content);
  const at = lab.input(bytes);
  const state = lab.output(STATE_BYTES);
  const labels = lab.output(new Uint8Array(LABEL_BYTES));
  const [target, dates, names, rowStart] = [40, 40, 80, 44].map((size) => lab.output(size));
  const [index, count] = [lab.output(80), lab.output(80)];
  assert.ok(target && dates && names && rowStart);
  const words = [table.table, table.where, 10, 20] as const;
  const range = [at, at + bytes.length, state] as const;
  const answer =
    columns === undefined
      ? lab.kernels.parse_text(...range, ...words, target, rowStart, index, count)
      : lab.kernels.parse_text_fields(
          ...([...range, 44, columns.n, ...columns.of, ...words, 9, 9, labels] as const),
          ...([target, dates, names, rowStart, index, count] as const),
        );
  lab.check(content);
  if (answer !== 0) return { answer, at: (lab.i32(state + 4, 1)[0] ?? 0) - at };
  const [rows = 0] = lab.i32(state + 12, 1);
  const starts = lab.i32(rowStart, rows + 1);
  const found = [...lab.i32(index, starts[rows] ?? 0)].map(table.wordOf);
  const spans = lab.i32(names, 2 * rows);
  return {
    rows: Array.from({ length: rows }, (_, r) => found.slice(starts[r], starts[r + 1]).join(' ')),
    targets: [...lab.i32(target, rows)],
    dates: [...lab.f32(dates, rows)],
    names: Array.from({ length: rows }, (_, r) =>
      content.slice((spans[2 * r] ?? 0) - at, (spans[2 * r + 1] ?? 0) - at),
    ),
  };
}

onEveryBuild('parse_text: a line a document', (lab) => {
  const { rows, targets } = parse(lab, 'a dog\r\n\n  \nthe a\n');
  assert.equal(
    [rows, targets],
    [
      ['a dog', '', '', 'the a'],
      [-1, -1, -1, -1],
    ],
  );
  assert.equal(parse(lab, '\n'.repeat(11)), { answer: code.noRoom, at: 10 });
  const many = Array.from({ length: 16 }, (_, i) => `w${i}`).join(' ');
  assert.equal(parse(lab, `${many}\nw0 w1 w2 w3 w4\n`), {
    answer: code.noRoom,
    at: many.length + 1,
  });
});

onEveryBuild('parse_text_fields: a field a document, others for label, date and name', (lab) => {
  const columns = { n: 4, of: [1, 3, 0, 2] as const };
  const content = '1801-07,"a ""b"", c",x y,L\r\n\n-5.5,d,"z",M\n,,,L\n';
  const got = parse(lab, content, columns);
  assert.equal(got.rows, ['a b c', 'd', '']);
  assert.equal(got.targets, [0, 1, 0]);
  assert.equal(got.names, ['x y', 'z', '']);
  assert.equal(got.dates?.map(String), ['1801.5', '-5.5', 'NaN']);
  const none = { n: 2, of: [0, -1, -1, -1] as const };
  assert.equal(parse(lab, 'a,1\n', none).targets, [-1]);
  const refused = (line: string) => parse(lab, line, columns);
  assert.equal(refused('1,a,b\n'), { answer: code.fewFields, at: 5 });
  assert.equal(refused('1,a,b,c,d\n'), { answer: code.manyFields, at: 7 });
  assert.equal(refused('1,"a,b,c\n'), { answer: code.openQuote, at: 2 });
  assert.equal(refused('1,"a"b,c,d\n'), { answer: code.afterQuote, at: 5 });
  assert.equal(refused('x,a,b,c\n'), { answer: code.badDate, at: 0 });
  assert.equal(refused('1,a,b,\n'), { answer: code.emptyField, at: 6 });
});

test.run();
