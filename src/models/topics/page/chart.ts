// A topic's rise and fall: bars by period, and a small line of the same.
import { browser, html, svg, type Element } from './dom.ts';
import { percent, periodName } from './reading.ts';
import type { PageData, PageTopic } from './types.ts';

/** Units of the drawing: narrow screens get a narrower one, so that its letters stay readable. */
const widths = { wide: 640, narrow: 340 };
const narrowScreen = '(max-width: 40rem)';
const height = 180;
/** Room for the numbers at the left and the years below. */
const left = 44;
const below = 22;
const above = 8;

const unit = 100_000;

/** A round number at or above the largest share: the top of the axis. */
function ceiling(most: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1e-6)));
  return power * ([1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= most) ?? 10);
}

/** Period with the largest share. */
export function peakOf({ time }: PageTopic): number {
  return time.reduce((best, value, p) => (value > time[best]! ? p : best), 0);
}

function axis(data: PageData, top: number, width: number): Element[] {
  const floor = height - below;
  const lines = [0, 0.5, 1].flatMap((part) => {
    const y = floor - part * (floor - above);
    const text = `${Number((100 * top * part).toPrecision(2))} %`;
    return [
      svg('line', { class: 'grid', x1: left, x2: width, y1: y, y2: y }),
      svg('text', { class: 'tick', x: left - 6, y: y + 4, 'text-anchor': 'end' }, text),
    ];
  });
  const { first, years, documents } = data.periods;
  const count = documents.length;
  const step = Math.max(1, Math.ceil((count * 75) / width));
  const ticks = documents.flatMap((_, p) => {
    if (p % step !== 0) return [];
    const x = left + ((p + 0.5) * (width - left)) / count;
    const at = { class: 'tick', x, y: height - 4, 'text-anchor': 'middle' };
    return [svg('text', at, String(first + p * years))];
  });
  return [...lines, ...ticks];
}

/** Bars of the share in each period; periods without documents are empty. */
export function timeChart(data: PageData, topic: PageTopic): Element {
  const width = browser.matchMedia(narrowScreen).matches ? widths.narrow : widths.wide;
  const floor = height - below;
  const peak = peakOf(topic);
  const top = ceiling(topic.time[peak]! / unit);
  const slot = (width - left) / topic.time.length;
  const gap = slot > 6 ? Math.min(4, slot * 0.2) : 0;
  const bars = topic.time.map((value, p) => {
    const share = value / unit;
    const tall = (share / top) * (floor - above);
    const count = data.periods.documents[p]!;
    const of = `${count} ${count === 1 ? 'document' : 'documents'}`;
    const place = { x: left + p * slot + gap / 2, y: floor - tall, height: tall };
    return svg(
      'rect',
      { class: p === peak ? 'bar peak' : 'bar', ...place, width: Math.max(0.5, slot - gap) },
      svg('title', {}, `${periodName(data, p)}: ${percent(share)} of ${of}`),
    );
  });
  const words = `Largest in ${periodName(data, peak)}: ${percent(topic.time[peak]! / unit)}`;
  const drawing = svg(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': words },
    ...axis(data, top, width),
    ...bars,
  );
  return html('figure', {}, drawing, html('figcaption', {}, `${words} of an average document.`));
}

/** The same as a small line, without an axis. */
export function sparkline(topic: PageTopic): Element {
  const most = Math.max(1, ...topic.time);
  const step = 60 / Math.max(1, topic.time.length - 1);
  const points = topic.time.map((value, p) => {
    return `${(p * step).toFixed(1)},${(17 - (15 * value) / most).toFixed(1)}`;
  });
  const line = svg('polyline', { points: points.join(' ') });
  return svg('svg', { class: 'spark', viewBox: '0 0 60 18', 'aria-hidden': 'true' }, line);
}
