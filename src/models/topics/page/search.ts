// From a word to its topics: words that begin with, or else hold, what is typed.
import { browser, button, byId, html, type Element } from './dom.ts';
import { nameOf, numberText } from './reading.ts';
import type { PageData } from './types.ts';

const wordsShown = 6;

function matches({ words }: PageData, typed: string): PageData['words'] {
  const rank = (word: string) => {
    if (word === typed) return 0;
    if (word.startsWith(typed)) return 1;
    return word.includes(typed) ? 2 : 3;
  };
  return words
    .map((entry) => ({ entry, rank: rank(entry[0].toLowerCase()) }))
    .filter((found) => found.rank < 3)
    .sort((a, b) => a.rank - b.rank || b.entry[1] - a.entry[1])
    .slice(0, wordsShown)
    .map(({ entry }) => entry);
}

function resultOf(
  data: PageData,
  [word, total, ...spread]: PageData['words'][0],
  choose: (topic: number) => void,
): Element {
  const chips: Element[] = [];
  for (let i = 0; i < spread.length; i += 2) {
    const place = spread[i]!;
    const share = html('b', {}, `${spread[i + 1]} %`);
    const name = nameOf(data, data.topics[place]!);
    chips.push(button({ class: 'chip' }, () => choose(place), share, ` ${name}`));
  }
  const times = `${numberText(total)} ${total === 1 ? 'time' : 'times'}`;
  const none = chips.length === 0 ? ', a little in many topics' : '';
  const head = html('p', {}, html('b', {}, word), ` ${times}${none}`);
  return html('li', {}, head, html('div', { class: 'chips' }, ...chips));
}

export type Search = { find(word: string): void };

export function openSearch(data: PageData, choose: (topic: number) => void): Search {
  const [input, found] = [byId('search'), byId('found')];
  const draw = () => {
    const typed = input.value.trim().toLowerCase();
    const rows = typed === '' ? [] : matches(data, typed);
    found.hidden = typed === '';
    const nothing = `No topic has “${input.value.trim()}” among its words.`;
    const list = html('ul', {}, ...rows.map((entry) => resultOf(data, entry, choose)));
    found.replaceChildren(rows.length > 0 ? list : html('p', {}, nothing));
  };
  input.addEventListener('input', draw);
  browser.document.addEventListener('keydown', (event) => {
    if (event.key === '/' && browser.document.activeElement !== input) {
      event.preventDefault();
      input.focus();
    } else if (event.key === 'Escape') {
      input.value = '';
      draw();
    }
  });
  return {
    find(word) {
      input.value = word;
      draw();
      input.focus();
      input.scrollIntoView({ block: 'center' });
    },
  };
}
