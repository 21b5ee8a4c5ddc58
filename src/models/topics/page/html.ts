// The page as one file: markup, style, script and data, nothing from elsewhere. Its policy lets the
// browser run that one script and fetch nothing at all.
import { createHash } from 'node:crypto';
import { text as script } from './client.ts?page';
import { text as style } from './style.css?page';
import type { PageData } from './types.ts';

const entities: Readonly<Record<string, string>> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' },
};

const escaped = (text: string) => text.replace(/[&<>"']/g, (found) => entities[found]!);

/** JSON that HTML does not take for markup: `<` is in strings alone, where it may be \u003c. */
const json = (data: PageData) => JSON.stringify(data).replaceAll('<', '\\u003c');

const policy = () => {
  const hash = createHash('sha256').update(script).digest('base64');
  return `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
};

const numberText = (value: number) => value.toLocaleString('en');

/** What the page says to someone who has never heard of topics. */
function introduction({ documentCount, tokens, topicCount }: PageData): string {
  const corpus = `${numberText(documentCount)} documents, ${numberText(tokens)} words`;
  return `<p>${corpus}, sorted by a computer into ${numberText(topicCount)} topics. A topic is a set
of words that tend to turn up in the same documents. The computer has not been told what to look for,
and gives no names: a topic is called by its first words here.</p>`;
}

const body = (data: PageData) => `<header>
<h1>${escaped(data.title)}</h1>
${introduction(data)}
<div id="find" role="search">
<input id="search" type="search" autocomplete="off" spellcheck="false"
 aria-label="Find a word" aria-controls="found" placeholder="Find a word, and the topics it is in">
<div id="found" aria-live="polite" hidden></div>
</div>
</header>
<main>
<nav aria-label="Topics">
<div id="map"></div>
<p id="count"></p>
<ol id="topics"></ol>
</nav>
<article id="topic" aria-live="polite" aria-labelledby="name">
<h2 id="name"></h2>
<p id="facts"></p>
<section aria-labelledby="words-title">
<h3 id="words-title">Its words</h3>
<div class="slider"><label for="lambda">typical of it</label>
<input id="lambda" type="range" min="0" max="100" step="5" aria-label="From words that are typical of
 this topic alone to words that it uses most"><span>used most</span></div>
<ol id="words"></ol>
<p class="note"><span class="key here"></span>in this topic<span class="gap key all"></span>in other
topics. Choose a word to see where else it is.</p>
</section>
<section id="time-part" aria-labelledby="time-title">
<h3 id="time-title">Its rise and fall</h3>
<div id="time"></div>
</section>
<section id="documents-part" aria-labelledby="documents-title">
<h3 id="documents-title">Documents with the largest part of it</h3>
<ol id="documents"></ol>
</section>
<section id="near-part" aria-labelledby="near-title">
<h3 id="near-title">Topics with similar words</h3>
<ul id="near"></ul>
</section>
</article>
</main>
<noscript><p>This page draws with a script; scripts are turned off in this browser.</p></noscript>`;

/** The page. @returns text of an HTML file, ASCII but for words and names */
export function topicsPage(data: PageData): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<title>${escaped(data.title)}</title>
<style>${style}</style>
</head>
<body>
${body(data)}
<script type="application/json" id="data">${json(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}
