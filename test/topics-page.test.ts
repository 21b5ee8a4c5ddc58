// The page of topics: what goes into it, and what a real browser makes of it where there is one.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as assert from 'uvu/assert';
import { test } from 'uvu';
import { pageData } from '../src/models/topics/report/page-data.ts';
import { topicsPage } from '../src/models/topics/page/html.ts';
import { circlesOf } from '../src/models/topics/page/map.ts';
import { wordsBy } from '../src/models/topics/page/reading.ts';
import { mapHeight, type PageData } from '../src/models/topics/page/types.ts';
import { placeTopics } from '../src/models/topics/placed.ts';
import { findBrowser, withBrowser, type Tab } from './helpers/browser.ts';
import { withHost } from './helpers/hosts.ts';
import { prngOf } from './helpers/lab.ts';
import { modelOf, plantedCounts, sparseOf } from './helpers/topics.ts';

/** Words that would be markup or code in a careless page. */
const hostile = [
  '</script><script>window.hacked=1</script>',
  '<img src=x onerror="window.hacked=1">',
  `"'&amp;\`\${window.hacked=1}`,
  '<!--',
  '\u2028]]>',
];

/** Planted topics whose topic k dominates the documents of decade k; topic sizes fall with k. */
function planted(topics: number, vocabulary: readonly string[] = []): Promise<PageData> {
  return withHost(1, (host) => {
    // A last word that all topics use often.
    const counts = [...plantedCounts(topics, 4000), new Array<number>(topics).fill(700)];
    const model = modelOf(counts, new Array<number>(topics).fill(0.1), 0.01);
    const prng = prngOf(topics);
    const count = 8 * topics;
    const documents = sparseOf(
      Array.from({ length: count }, (_, d) => {
        const [main, other] = [d % topics, prng.below(topics)];
        const rest = other === main ? [] : [[other, 60 + prng.below(100)] as const];
        return [[main, 400 + prng.below(100)] as const, ...rest].sort(([a], [b]) => a - b);
      }),
    );
    const names = Array.from({ length: count }, (_, d) => hostile[d] ?? `Letter ${d} to a friend`);
    const dates = Float64Array.from({ length: count }, (_, d) => 1800 + 10 * (d % topics));
    const words = Array.from({ length: model.words }, (_, w) => {
      return vocabulary[w] ?? hostile[w] ?? `term${String.fromCharCode(97 + (w % 26))}${w}`;
    });
    const placed = placeTopics(host, model);
    const source = { title: 'Letters & <b>more</b>', placed, vocabulary: words, documents };
    return Promise.resolve(pageData(host, { ...source, names, dates }));
  });
}

test('page data: topics by size, with words of all λ, documents, neighbours and time', async () => {
  const data = await planted(12);
  const totals = data.topics.map(({ total }) => total);
  assert.equal(
    totals,
    [...totals].sort((a, b) => b - a),
  );
  assert.is(data.topicCount, 12);
  const [topic] = data.topics;
  const words = wordsBy(data, topic!, 1).map(({ word }) => word);
  const name = (w: number) => hostile[w] ?? `term${String.fromCharCode(97 + (w % 26))}${w}`;
  const own = 5 * topic!.id;
  assert.equal(words.slice(0, 3), [name(own), name(own + 1), name(60)]);
  assert.is(data.documents[topic!.documents[0]!]![1], 1800 + 10 * topic!.id);
  assert.is(topic!.near.length, 4);
  assert.not(topic!.near.includes(0));
  const peak = Math.max(...topic!.time);
  const { first, years } = data.periods;
  assert.is(first + topic!.time.indexOf(peak) * years, 1800 + 10 * topic!.id);
  const [, total, place, percent] = data.words[topic!.words[0]!]!;
  assert.is(place, 0, 'where the word mostly is');
  assert.ok(percent! > 80 && total > 0);
  assert.equal(await planted(12), data, 'the same input gives the same page');
});

test('page: no word, name or title is markup; the data comes back as it went in', async () => {
  const data = await planted(6);
  const page = topicsPage(data);
  assert.is(page.match(/<\/script>/g)?.length, 2, 'data and script');
  assert.is(page.match(/<script/g)?.length, 2);
  assert.not.match(page, /<img|<b>more|<!--/);
  assert.match(page, '<h1>Letters &amp; &lt;b&gt;more&lt;/b&gt;</h1>');
  const json = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? '';
  assert.equal(JSON.parse(json), data);
});

test('page: 100 topics are at most 200 kB', async () => {
  const data = await planted(100);
  assert.is(data.topics.length, 100);
  // The planted topics share few words: lists of full length, of words of usual length.
  const bytes = Buffer.byteLength(topicsPage(data));
  assert.ok(bytes < 200_000, `${bytes} bytes`);
  const words = data.topics.map((topic) => topic.words.length / 2);
  assert.ok(Math.min(...words) >= 15, `${Math.min(...words)} words`);
});

test('the map: circles of the sizes of their topics lie inside and hardly overlap', () => {
  const prng = prngOf(3);
  const shares = Array.from({ length: 60 }, () => prng.uniform());
  const sum = shares.reduce((a, b) => a + b);
  const points = shares.map(() => ({ x: prng.uniform() ** 2, y: prng.uniform() }));
  const circles = circlesOf(
    points,
    shares.map((share) => share / sum),
  );
  for (const { x, y, radius } of circles) {
    assert.ok(x >= radius && x <= 1000 - radius && y >= radius && y <= mapHeight - radius);
  }
  const areas = circles.map(({ radius }) => radius ** 2);
  assert.ok(Math.abs(areas[0]! / areas[1]! - shares[0]! / shares[1]!) < 1e-9);
  const deepest = circles.flatMap((a, i) =>
    circles.slice(i + 1).map((b) => {
      return (
        (a.radius + b.radius - Math.hypot(a.x - b.x, a.y - b.y)) / Math.min(a.radius, b.radius)
      );
    }),
  );
  assert.ok(Math.max(...deepest) < 0.25, `overlap ${Math.max(...deepest)}`);
  assert.equal(circlesOf([{ x: 0, y: 0 }], [1]).length, 1);
});

const browser = findBrowser();
if (browser === undefined) {
  process.stdout.write('SKIPPED the page in a browser: there is no chromium in the PATH\n');
}

/** A test in a tab that has the page of `data` open, on a wide screen. */
function inBrowser(name: string, topics: number, body: (tab: Tab, url: string) => Promise<void>) {
  if (browser === undefined) return;
  test(`in a browser: ${name}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'perpetuum-page-'));
    try {
      const file = join(folder, 'topics.html');
      writeFileSync(file, topicsPage(await planted(topics)));
      const url = pathToFileURL(file).href;
      await withBrowser(browser, async (tab) => {
        await tab.open(url, { width: 1280, height: 900 });
        await body(tab, url);
        assert.equal(tab.complaints, []);
        assert.equal(
          [...new Set(tab.requests)].filter((asked) => !asked.startsWith(url)),
          [],
        );
        assert.is(await tab.ask('typeof window.hacked'), 'undefined', 'no word ran');
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

const texts = (selector: string) =>
  `[...document.querySelectorAll('${selector}')].map((found) => found.textContent)`;

inBrowser('every topic is listed and drawn; hostile words are text', 6, async (tab) => {
  const rows = await tab.ask<string[]>(texts('#topics .name'));
  assert.is(rows.length, 6);
  assert.is(await tab.ask('document.querySelectorAll("#map circle").length'), 6);
  const all = await tab.ask<string>('document.body.innerText');
  for (const word of hostile.slice(0, 4)) assert.ok(all.includes(word), word);
  assert.is(await tab.ask('document.querySelectorAll("img").length'), 0);
});

inBrowser('a topic is chosen by click, by keys and by address; back goes back', 8, async (tab) => {
  const title = () => tab.ask<string>('document.querySelector("#name").textContent');
  const names = await tab.ask<string[]>(texts('#topics .name'));
  assert.is(await title(), names[0]);
  await tab.ask('document.querySelectorAll("#topics button")[2].click()');
  await tab.ask('new Promise((done) => setTimeout(done))');
  assert.is(await title(), names[2]);
  assert.is(await tab.ask('document.querySelectorAll("#topics [aria-current]").length'), 1);
  await tab.ask('document.querySelectorAll("#topics button")[2].focus()');
  await tab.press('ArrowDown');
  await tab.press('ArrowDown');
  await tab.press('Enter');
  await tab.ask('new Promise((done) => setTimeout(done))');
  assert.is(await title(), names[4]);
  await tab.ask('new Promise((done) => { addEventListener("hashchange", done); history.back(); })');
  assert.is(await title(), names[2]);
  await tab.ask('document.querySelector("#near button").click()');
  await tab.ask('new Promise((done) => setTimeout(done))');
  assert.ok(names.includes(await title()) && (await title()) !== names[2]);
});

inBrowser('the slider goes from words used most to words typical of a topic', 8, async (tab) => {
  const shown = (value: number) =>
    tab.ask<string[]>(
      `(() => { const slider = document.querySelector('#lambda'); slider.value = ${value};
        slider.dispatchEvent(new Event('input')); return ${texts('#words .word')}; })()`,
    );
  const [used, typical] = [await shown(100), await shown(0)];
  assert.is(used.length, 15);
  const common = 'termo40'; // used by all topics alike
  assert.is(used.indexOf(common), 2);
  assert.ok(typical.indexOf(common) >= 5, 'after the words that only this topic uses');
});

inBrowser('a search finds a word’s topics; a word of a topic leads there', 8, async (tab) => {
  await tab.press('/');
  for (const key of 'terml') await tab.press(key);
  const found = await tab.ask<string[]>(texts('#found li p b'));
  assert.ok(found.length > 0 && found.every((word) => word.startsWith('terml')), found.join());
  await tab.ask('document.querySelector("#found .chip").click()');
  await tab.ask('new Promise((done) => setTimeout(done))');
  const words = await tab.ask<string[]>(texts('#words .word'));
  assert.ok(words.includes(found[0]!));
  await tab.press('/');
  await tab.press('Escape');
  assert.is(await tab.ask('document.querySelector("#found").hidden'), true);
  await tab.ask('document.querySelector("#words .word").click()');
  assert.is(await tab.ask('document.querySelector("#search").value'), words[0]);
});

inBrowser(
  'nothing is wider than a narrow screen; dark is dark; print has it all',
  40,
  async (tab, url) => {
    const wider = `[...document.querySelectorAll('body *')].filter((found) => {
    const box = found.getBoundingClientRect();
    return box.width > 0 && (box.right > innerWidth + 0.5 || box.left < -0.5);
  }).map((found) => found.tagName + '.' + found.className)`;
    const background = 'getComputedStyle(document.body).backgroundColor';
    const light = await tab.ask<string>(background);
    for (const width of [360, 600, 800, 1000, 1280]) {
      await tab.open('about:blank', { width, height: 800 });
      await tab.open(url, { width, height: 800 });
      assert.equal(await tab.ask(wider), [], `${width} px`);
      assert.is(await tab.ask('document.documentElement.scrollWidth'), width);
    }
    await tab.open(url, { width: 800, height: 800, dark: true });
    const dark = await tab.ask<string>(background);
    assert.is.not(dark, light);
    await tab.open(url, { width: 800, height: 800, print: true });
    assert.is(await tab.ask('getComputedStyle(document.querySelector("#find")).display'), 'none');
    const list = 'document.querySelector("#topics")';
    assert.ok(
      await tab.ask(`${list}.scrollHeight <= ${list}.clientHeight + 1`),
      'no row is hidden',
    );
  },
);

test.run();
