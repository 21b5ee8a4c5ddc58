// The page's script: reads the data that lies in the page, draws, and listens. The address' hash
// names the topic that is shown, so that back, forward and links work.
import { browser, byId } from './dom.ts';
import { openDetail } from './detail.ts';
import { oneColumn, openOverview } from './overview.ts';
import { openSearch } from './search.ts';
import type { PageData } from './types.ts';

const data = JSON.parse(byId('data').textContent ?? '') as PageData;
const hashOf = (place: number) => `#topic-${data.topics[place]!.id}`;

/** The topic that the address names; the largest if it names none. */
function addressed(): number {
  const { hash } = browser.location;
  return Math.max(
    0,
    data.topics.findIndex((_, place) => hashOf(place) === hash),
  );
}

function choose(place: number): void {
  if (browser.location.hash !== hashOf(place)) browser.location.hash = hashOf(place);
  else show();
  // On a narrow screen the topic is below the list; on a wide one it may have been read to its end.
  if (browser.matchMedia(oneColumn).matches) byId('topic').scrollIntoView({ block: 'start' });
  else byId('name').scrollIntoView({ block: 'nearest' });
}

const overview = openOverview(data, choose);
const search = openSearch(data, choose);
const detail = openDetail(data, { topic: choose, word: (word) => search.find(word) });

function show(): void {
  const place = addressed();
  overview.select(place);
  detail.show(place);
}

browser.addEventListener('hashchange', show);
show();
