// One topic: its words, its rise and fall, its documents, its neighbours.
import { browser, button, byId, html, type Element } from './dom.ts';
import { peakOf, timeChart } from './chart.ts';
import {
  nameOf,
  numberText,
  percent,
  periodName,
  shareOf,
  usualLambda,
  wordsBy,
  type WordBar,
} from './reading.ts';
import type { PageData, PageTopic } from './types.ts';

/** What a click in a topic leads to. */
export type Links = { topic(place: number): void; word(word: string): void };

const wordsShown = 15;

/** A word with what it is elsewhere, and on top of that what it is here. */
function wordRow({ word, here, all }: WordBar, most: number, links: Links): Element {
  const part = (count: number) => `width:${((100 * count) / most).toFixed(1)}%`;
  const times = (count: number) => `${numberText(count)} ${count === 1 ? 'time' : 'times'}`;
  const title = `${word}: ${times(here)} in this topic, ${times(all)} in all`;
  const go = button(
    { class: 'word', title: `Where else is “${word}”?` },
    () => links.word(word),
    word,
  );
  return html(
    'li',
    {},
    go,
    html(
      'span',
      { class: 'bars', title, role: 'img', 'aria-label': title },
      html('span', { class: 'all', style: part(all) }),
      html('span', { class: 'here', style: part(here) }),
    ),
  );
}

/** Words at slider position 0 … 100: 100 · λ. */
function fillWords(data: PageData, topic: PageTopic, links: Links): void {
  const bars = wordsBy(data, topic, Number(byId('lambda').value) / 100).slice(0, wordsShown);
  const most = bars.reduce((high, { all }) => Math.max(high, all), 1);
  byId('words').replaceChildren(...bars.map((bar) => wordRow(bar, most, links)));
}

function fillTime(data: PageData, topic: PageTopic): void {
  const timed = topic.time.length > 1;
  byId('time-part').hidden = !timed;
  byId('time').replaceChildren(...(timed ? [timeChart(data, topic)] : []));
}

function fillDocuments(data: PageData, topic: PageTopic): void {
  const rows: Element[] = [];
  for (let i = 0; i < topic.documents.length; i += 2) {
    const [name, year] = data.documents[topic.documents[i]!]!;
    const share = topic.documents[i + 1]! / 1000;
    const bar = html('span', { class: 'size' });
    bar.append(html('span', { style: `width:${(100 * share).toFixed(0)}%` }));
    const when = year === 0 ? [] : [html('span', { class: 'year' }, String(year))];
    const title = html('span', { class: 'title' }, name, ...when);
    const part = html('span', { class: 'share' }, `${(100 * share).toFixed(0)} %`);
    rows.push(html('li', {}, title, part, bar));
  }
  byId('documents').replaceChildren(...rows);
  byId('documents-part').hidden = rows.length === 0;
}

function fillNear(data: PageData, topic: PageTopic, links: Links): void {
  const chips = topic.near.map((place) => {
    return button({ class: 'chip' }, () => links.topic(place), nameOf(data, data.topics[place]!));
  });
  byId('near').replaceChildren(...chips.map((chip) => html('li', {}, chip)));
  byId('near-part').hidden = chips.length === 0;
}

function factsOf(data: PageData, place: number): string {
  const topic = data.topics[place]!;
  const facts = [
    `Topic ${topic.id}`,
    `${percent(shareOf(data, topic))} of all words`,
    `number ${place + 1} of ${data.topicCount} by size`,
  ];
  if (topic.time.length > 1) facts.push(`most in ${periodName(data, peakOf(topic))}`);
  return facts.join(' · ');
}

export type Detail = { show(place: number): void };

export function openDetail(data: PageData, links: Links): Detail {
  let shown = data.topics[0]!;
  const slider = byId('lambda');
  slider.value = String(100 * usualLambda);
  slider.addEventListener('input', () => fillWords(data, shown, links));
  browser.addEventListener('resize', () => fillTime(data, shown));
  return {
    show(place) {
      shown = data.topics[place]!;
      byId('name').textContent = nameOf(data, shown);
      byId('facts').textContent = factsOf(data, place);
      fillTime(data, shown);
      fillWords(data, shown, links);
      fillDocuments(data, shown);
      fillNear(data, shown, links);
    },
  };
}
