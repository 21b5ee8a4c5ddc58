// Topics in a terminal: a line each with its number, its share of all tokens, its rise and fall,
// and its top words.
//
//        share  1790 ────────────── 2020  words
//   33   3.1 %  ▄▄▅█▇▅▆▅▆▇▆▃▅▂▂▁▁▁▁▁▁▁▁▁  relations friendly convention intercourse
export type TopicRow = {
  readonly topic: number;
  /** Of all tokens, 0 … 1. */
  readonly share: number;
  /** Best first. */
  readonly words: readonly string[];
  /** Share in each period; NaN: no documents. */
  readonly overTime?: readonly number[];
};

export type TableOptions = {
  /** Columns of the terminal. */
  readonly width: number;
  /** First year of the first and of the last period. */
  readonly years?: readonly [number, number];
};

const bars = '▁▂▃▄▅▆▇█';

/** One character for each value, its height relative to the largest; a blank for NaN. */
export function sparkline(values: readonly number[]): string {
  const most = values.reduce((high, value) => (value > high ? value : high), 0);
  return values
    .map((value) => {
      if (Number.isNaN(value)) return ' ';
      const level = most > 0 ? Math.round((value / most) * (bars.length - 1)) : 0;
      return bars[level];
    })
    .join('');
}

/** Words, separated by blanks, that fit into `room` characters. */
function fitting(words: readonly string[], room: number): string {
  let text = '';
  for (const word of words) {
    const longer = text === '' ? word : `${text} ${word}`;
    if ([...longer].length > room && text !== '') break;
    text = longer;
  }
  return text;
}

/** A timeline's head as wide as the timeline: `1790 ── 2010`, or what of it fits. */
function span([from, to]: readonly [number, number], width: number): string {
  const line = width - `${from}  ${to}`.length;
  return line >= 1
    ? `${from} ${'─'.repeat(line)} ${to}`
    : String(from).slice(0, width).padEnd(width);
}

/** The table, one topic a line in the order given, no line longer than `width`. */
export function topicTable(rows: readonly TopicRow[], { width, years }: TableOptions): string {
  const digits = rows.reduce((most, { topic }) => Math.max(most, String(topic).length), 1);
  const periods = rows.reduce((most, { overTime }) => Math.max(most, overTime?.length ?? 0), 0);
  const lines = rows.map(({ topic, share, words, overTime = [] }) => {
    const number = String(topic).padStart(digits);
    const percent = `${(100 * share).toFixed(1)} %`.padStart(7);
    const time = periods > 0 ? `  ${sparkline(overTime).padEnd(periods)}` : '';
    const head = `  ${number} ${percent}${time}  `;
    return head + fitting(words, width - [...head].length);
  });
  const indent = ' '.repeat(digits + 2);
  const time = periods > 0 && years !== undefined ? `  ${span(years, periods)}` : '';
  const head = `${indent}   share${time}  words`;
  return [head, ...lines].map((line) => line.trimEnd() + '\n').join('');
}
