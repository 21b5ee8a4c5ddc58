// All topics: a map of circles, and a list of the same, the largest first. The list is for
// keyboards and screen readers too; the map repeats it for the eye.
import { browser, button, byId, html, svg, type Element } from './dom.ts';
import { sparkline } from './chart.ts';
import { nameOf, numberText, percent, shareOf, usualLambda, wordsBy } from './reading.ts';
import { mapHeight, type PageData, type PageTopic } from './types.ts';

/** Height of the map's letters, in thousandths of its width, and the width of one to its height. */
const lettersMax = 34;
const lettersMin = 19;
const letterWidth = 0.62;

/** Where list and topic stand one below the other: as in style.css. */
export const oneColumn = '(max-width: 60rem)';

export type Overview = { select(topic: number): void };

/** Circles with their first word, where it has room. */
function drawMap(data: PageData, choose: (topic: number) => void): readonly Element[] {
  const circles = data.topics.map((topic, place) => {
    const [x, y, radius] = topic.at;
    const name = nameOf(data, topic);
    const label = `${name}: ${percent(shareOf(data, topic))} of all words`;
    const word = name.split(' ')[0] ?? '';
    const size = Math.min(lettersMax, (2 * radius) / (letterWidth * word.length));
    const at = { x, y: y + size / 3, 'text-anchor': 'middle', 'font-size': size.toFixed(1) };
    const text = size >= lettersMin ? [svg('text', at, word)] : [];
    const group = svg(
      'g',
      { class: 'dot' },
      svg('circle', { cx: x, cy: y, r: radius }),
      ...text,
      svg('title', {}, label),
    );
    group.addEventListener('click', () => choose(place));
    return group;
  });
  const box = { viewBox: `0 0 1000 ${mapHeight}`, 'aria-hidden': 'true' };
  byId('map').replaceChildren(svg('svg', box, ...circles));
  return circles;
}

function row(data: PageData, topic: PageTopic, choose: () => void): Element {
  const share = shareOf(data, topic);
  const largest = shareOf(data, data.topics[0]!);
  const more = wordsBy(data, topic, usualLambda).slice(3, 9);
  const bar = html('span', { class: 'size' });
  bar.append(html('span', { style: `width:${((100 * share) / largest).toFixed(1)}%` }));
  return button(
    { class: 'topic' },
    choose,
    html('span', { class: 'name' }, nameOf(data, topic)),
    html('span', { class: 'share' }, percent(share)),
    html('span', { class: 'more' }, more.map(({ word }) => word).join(', ')),
    ...(topic.time.length > 1 ? [sparkline(topic)] : []),
    bar,
  );
}

/** Arrow keys, Home and End move in the list. */
function onArrows(rows: readonly Element[]): void {
  byId('topics').addEventListener('keydown', (event) => {
    const at = rows.findIndex((element) => element === browser.document.activeElement);
    const last = rows.length - 1;
    const moves: Readonly<Record<string, number>> = {
      ...{ ArrowDown: Math.min(last, at + 1), ArrowUp: Math.max(0, at - 1) },
      ...{ Home: 0, End: last },
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    rows[to]?.focus();
  });
}

export function openOverview(data: PageData, choose: (topic: number) => void): Overview {
  const circles = drawMap(data, choose);
  const rows = data.topics.map((topic, place) => row(data, topic, () => choose(place)));
  byId('topics').replaceChildren(...rows.map((element) => html('li', {}, element)));
  const shown = data.topics.length;
  const all = `${numberText(shown)} topics`;
  const some = `The ${numberText(shown)} largest of ${numberText(data.topicCount)} topics`;
  byId('count').textContent = shown < data.topicCount ? some : all;
  onArrows(rows);
  return {
    select(chosen) {
      circles.forEach((circle, place) => {
        circle.setAttribute('class', place === chosen ? 'dot chosen' : 'dot');
      });
      rows.forEach((element, place) => {
        if (place === chosen) element.setAttribute('aria-current', 'true');
        else element.removeAttribute('aria-current');
      });
      if (!browser.matchMedia(oneColumn).matches)
        rows[chosen]?.scrollIntoView({ block: 'nearest' });
    },
  };
}
