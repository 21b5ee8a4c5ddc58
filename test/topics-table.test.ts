// Topics in a terminal.
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { topicRows } from '../src/models/topics/report/report.ts';
import { placeTopics } from '../src/models/topics/placed.ts';
import { sparkline, topicTable, type TopicRow } from '../src/models/topics/report/table.ts';
import { withHost } from './helpers/hosts.ts';
import { placeCorpus, plantedModel, sparseOf } from './helpers/topics.ts';

const row = (topic: number, words: string, overTime?: readonly number[]): TopicRow => ({
  ...{ topic, share: 0.0812 / (topic + 1), words: words.split(' ') },
  ...(overTime !== undefined && { overTime }),
});

test('sparkline: heights relative to the largest, a blank where there is nothing', () => {
  assert.is(sparkline([0, 1, 2, 7, NaN, 3.5]), '▁▂▃█ ▅');
  assert.is(sparkline([0, 0]), '▁▁');
  assert.is(sparkline([]), '');
});

test('table: numbers, shares, words as far as they fit', () => {
  const text = topicTable([row(0, 'war peace nations'), row(11, 'labor wages men strike')], {
    width: 32,
  });
  assert.is(
    text,
    [
      '       share  words', //
      '   0   8.1 %  war peace nations',
      '  11   0.7 %  labor wages men',
      '',
    ].join('\n'),
  );
});

test('table: with a timeline under its years', () => {
  const times = [0, 0.1, 0.2, 0.4, NaN, 0, 0, 0, 0, 0, 0.1, 0.1];
  const rows = [row(3, 'gold silver', times)];
  assert.is(
    topicTable(rows, { width: 60, years: [1790, 1900] }),
    ['      share  1790 ── 1900  words', '  3   2.0 %  ▁▃▅█ ▁▁▁▁▁▃▃  gold silver', ''].join('\n'),
  );
  const narrow = topicTable([row(3, 'gold', [1, 2])], { width: 60, years: [1790, 1800] });
  assert.is(narrow.split('\n')[0], '      share  17  words', 'years are cut where they do not fit');
  assert.is(topicTable([], { width: 60 }), '      share  words\n');
});

test('table: no line is wider than asked, but for one word', () => {
  const rows = [row(1, 'a-rather-long-word another third fourth', [1, 2, 3])];
  for (const width of [20, 40, 60, 80]) {
    const [, line = ''] = topicTable(rows, { width, years: [1, 3] }).split('\n');
    assert.ok([...line].length <= Math.max(width, 36), `${width}: ${line}`);
    assert.match(line, 'a-rather-long-word');
  }
});

test('report: the largest topics with words, and by decade where documents have dates', async () => {
  await withHost(1, (host) => {
    const model = plantedModel(3);
    const placed = placeTopics(host, model);
    const documents = sparseOf([[[0, 9]], [[1, 9]], [[2, 9]], [[2, 9]]]);
    const vocabulary = Array.from({ length: 15 }, (_, w) => `w${w}`);
    const rows = documents.starts.subarray(1);
    const plain = placeCorpus(
      host.arena,
      [...rows].map(() => [[0, 1] as const]),
      15,
    );
    const undated = topicRows(host, { placed, documents, data: plain });
    assert.is(undated.years, undefined);
    assert.is(undated.rows[0]?.overTime, undefined);
    assert.is(undated.rows[0]?.words[0], `word ${5 * undated.rows[0]!.topic}`);
    const dates = Float64Array.of(1805, 1805, 1825, NaN);
    const dated = topicRows(host, { placed, documents, data: { ...plain, vocabulary, dates } });
    assert.equal(dated.years, [1800, 1820]);
    const second = dated.rows.find(({ topic }) => topic === 1)!;
    assert.equal(second.words.slice(0, 3), ['w5', 'w6', 'w7']);
    const [first = 0, none = 0, last = 0] = second.overTime!;
    assert.ok(Math.abs(first - (9.1 + 0.1) / 9.3 / 2) < 1e-9, `${first}`);
    assert.ok(isNaN(none), 'no documents in the 1810s');
    assert.ok(Math.abs(last - 0.1 / 9.3) < 1e-9);
    const shares = dated.rows.map(({ share }) => share);
    assert.equal(
      shares,
      [...shares].sort((a, b) => b - a),
    );
    return Promise.resolve();
  });
});

test.run();
