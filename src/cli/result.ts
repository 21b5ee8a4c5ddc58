// How a finished job reads: the text on standard output, and the JSON line.
import type { InputOptions, Job, JobDone, Metrics, SimulatedPolicy } from '../jobs/job.ts';
import type { ReplayDone, SimulateDone, TopicsDone, TrainDone, TrainJob } from '../jobs/job.ts';
import type { TopicDetail } from '../models/topics/report/details.ts';
import type { TopicsListing } from '../models/topics/report/listing.ts';
import { topicTable } from '../models/topics/report/table.ts';
import { bytesText, metricText, numberText, percentText } from './format.ts';
import { secondsText, shellText } from './format.ts';

/** Aligned `name value` lines, indented. */
function block(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length), 12) + 2;
  return rows.map(([name, value]) => `  ${name.padEnd(width)}${value}\n`).join('');
}

function metricRows(metrics: Metrics): (readonly [string, string])[] {
  return Object.entries(metrics).map(([name, value]) => [name, metricText(name, value)] as const);
}

/** `no`, why, and what to do about it. */
function convergedText({ converged, gap, gapScale, tolerance, passes }: TrainDone): string {
  const of = gapScale === undefined ? '' : ` × ${numberText(gapScale)}`;
  const limit = tolerance === null ? '' : ` ${numberText(tolerance)}${of}`;
  if (converged === null) return 'not measured: it ends after its passes';
  if (converged) {
    if (gap === null) return 'yes';
    return `yes: gap ${numberText(gap)}${limit && ` <= tolerance${limit}`}`;
  }
  const where = `after ${numberText(passes)} passes`;
  if (gap === null) return `no, ${where}: give it more --passes`;
  const than = limit && ` > tolerance${limit}`;
  return `no, ${where}: gap ${numberText(gap)}${than}; more --passes or a larger --tolerance`;
}

/** `0: 62.1 %, 1: 37.9 % of reads`; what is rare at the end is one number. */
function stalenessText(histogram: readonly number[]): string {
  const shown = 5;
  const all = histogram.reduce((sum, count) => sum + count, 0);
  const share = (count: number) => percentText(all === 0 ? 0 : count / all);
  const parts = histogram.slice(0, shown).map((count, lag) => `${lag}: ${share(count)}`);
  const rest = histogram.slice(shown).reduce((sum, count) => sum + count, 0);
  if (rest > 0) parts.push(`${shown} and more: ${share(rest)}`);
  return `${parts.join(', ')} of reads`;
}

/** The input options that a later command must repeat to read files of the same kind. */
function inputArguments(input: InputOptions): string[] {
  const { format, label, delimiter, header, corpus } = input;
  const column = (name: string, value: string | undefined) =>
    value === undefined ? [] : [`--${name}`, value];
  return [
    ...(format === undefined ? [] : ['--format', format]),
    ...(label === 'last' ? [] : ['--label', label]),
    ...(delimiter === undefined ? [] : ['--delimiter', delimiter === '\t' ? 'tab' : delimiter]),
    ...(header === undefined ? [] : [header ? '--header' : '--no-header']),
    ...column('documents', corpus?.documents),
    ...column('text-column', corpus?.textColumn),
  ];
}

function nextCommand(job: TrainJob, out: string): string {
  const data = job.test.length > 0 ? job.test : job.data;
  const words = ['perpetuum', 'evaluate', out, ...data, ...inputArguments(job.input)];
  return words.map(shellText).join(' ');
}

function trainText(done: TrainDone, job: TrainJob): string {
  const { seconds, threads, consistency, staleness, clocks, passes } = done;
  const times = `load ${secondsText(seconds.load)}, train ${secondsText(seconds.train)}`;
  const plural = threads === 1 ? 'thread' : 'threads';
  const rows: (readonly [string, string])[] = [
    ['objective', numberText(done.objective)],
    ...metricRows(done.metrics),
    ['converged', convergedText(done)],
    ['time', `${secondsText(seconds.total)} (${times})`],
    ['clocks', `${clocks} (${numberText(passes)} ${passes === 1 ? 'pass' : 'passes'})`],
  ];
  if (done.stalenessHistogram.length > 0) {
    rows.push(['staleness', stalenessText(done.stalenessHistogram)]);
  }
  rows.push(['memory', bytesText(done.memoryBytesMax)]);
  if (done.bytesSent > 0) rows.push(['sent', bytesText(done.bytesSent)]);
  rows.push(['model hash', done.modelHash.slice(0, 12)]);
  rows.push(['saved in', done.out ?? 'nowhere: --out DIR saves the model']);
  const policy = `${consistency}, staleness ${staleness}`;
  const where = `${done.hosts > 1 ? `${done.hosts} hosts × ` : ''}${threads} ${plural}`;
  const head = `${done.model} on ${where}, ${policy}, seed ${done.seed}\n`;
  // A user's program has no scoring of ours.
  const ours = !/\.m?js$/.test(job.model);
  const next = done.out === null || !ours ? '' : `\nnext: ${nextCommand(job, done.out)}\n`;
  return head + block(rows) + pathText(done.path) + topicsText(done.topics) + next;
}

/** Columns under their names, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)));
  return rows.map((row) => `  ${line(row).join('  ').trimEnd()}\n`).join('');
}

const topicsWidth = 100;

function topicsText(topics: TrainDone['topics']): string {
  if (topics === undefined) return '';
  const { rows, years } = topics;
  const shown = topicTable(rows, { width: topicsWidth, ...(years !== undefined && { years }) });
  return `\n${shown}${pageText(topics)}`;
}

const pageText = ({ page }: TopicsDone) =>
  page === undefined ? '' : `\npage: open ${shellText(page)} in a browser\n`;

/** One topic at a time: words with their scores, neighbours, documents. */
function detailText({ topic, share, words, near, documents }: TopicDetail): string {
  const head = ['word', 'weight', 'lift', 'relevance'];
  const rows = words.map(({ word, weight, lift, relevance }) => {
    return [word, ...[weight, lift, relevance].map((score) => numberText(round(score)))];
  });
  const nearest = near.map(
    ({ topic: other, distance }) => `${other} (${numberText(round(distance))})`,
  );
  const typical = documents.map(({ document, share }) => `  ${percentText(share)}  ${document}\n`);
  return [
    `topic ${topic}, ${percentText(share)} of all tokens\n`,
    table([head, ...rows]),
    nearest.length > 0 ? `nearest topics (distance): ${nearest.join(', ')}\n` : '',
    typical.length > 0 ? `most typical documents (share of the topic):\n${typical.join('')}` : '',
  ].join('');
}

const round = (score: number) => Number(score.toPrecision(3));

function listingText(listing: TopicsListing): string {
  // A table, or the one topic that was asked for.
  return listing.rows.length > 0
    ? topicsText(listing).slice(1)
    : listing.details.map(detailText).join('\n') + pageText(listing);
}

const pathRows = 20;

/** Every λ, or of a long path some of them; a star where the model is. */
function pathText(path: TrainDone['path']): string {
  if (path === undefined) return '';
  const { values, chosen } = path;
  const step = Math.max(1, Math.ceil(values.length / pathRows));
  const last = values.length - 1;
  const shown = [...values.keys()].filter((i) => i % step === 0 || i === chosen || i === last);
  const scored = values[0]?.error !== undefined;
  const rows = shown.map((i) => {
    const { lambda, objective, gap, nonzeros, error = 0, standardError = 0 } = values[i]!;
    return [
      ...[i === chosen ? '*' : '', numberText(lambda), numberText(objective), numberText(gap)],
      ...[String(nonzeros), ...(scored ? [numberText(error), numberText(standardError)] : [])],
    ];
  });
  const head = ['', 'lambda', 'objective', 'gap', 'nonzeros'];
  const scores = scored ? ['mean squared error', 'standard error'] : [];
  const all = step > 1 ? `, ${shown.length} of them here` : '';
  return `path of ${values.length} values${all}; * is the model\n${table([[...head, ...scores], ...rows])}`;
}

function policyName({ consistency, staleness }: SimulatedPolicy): string {
  const plain = consistency === 'bsp' || consistency === 'async';
  return plain ? consistency : `${consistency} s=${staleness}`;
}

function replayText({ model, hosts, objective, modelHash, runs }: ReplayDone): string {
  const order = `${runs.replayed} in recorded order, ${runs.plain} that always end the same`;
  const rows = [
    ['objective', numberText(objective)],
    ['model hash', `${modelHash.slice(0, 12)}, equal to the recorded one`],
    ['runs', order],
  ] as const;
  return `${model} replayed, ${hosts} ${hosts === 1 ? 'host' : 'hosts'}\n${block(rows)}`;
}

function simulateText(done: SimulateDone): string {
  const { hosts, threads, seed, target, policies, pushMs, measuredPushMs, traceHash } = done;
  const bsp = policies.find(({ consistency }) => consistency === 'bsp')?.secondsToObjective;
  const rows = policies.map((row) => {
    const { secondsToObjective: to } = row;
    return [
      policyName(row),
      to === null ? 'not reached' : secondsText(to),
      to !== null && typeof bsp === 'number' ? (to / bsp).toFixed(2) : '',
      ...[secondsText(row.seconds), numberText(row.objective), String(row.clocks)],
      ...[row.meanStaleness.toFixed(2), percentText(row.waited), bytesText(row.bytesSentPerHost)],
    ];
  });
  const head = ['policy', 'to objective', '/ bsp', 'in all', 'objective', 'clocks', 'staleness'];
  const each = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const goal = target === null ? 'no losses reported' : `to a mean loss of ${numberText(target)}`;
  const real = `${numberText(Number(measuredPushMs.toPrecision(3)))} ms`;
  return [
    `${done.model} on ${hosts} simulated hosts × ${each}, seed ${seed}, ${goal}\n`,
    table([[...head, 'waited', 'sent per host'], ...rows]),
    `  times are virtual: a push takes ${numberText(pushMs)} ms, one really took ${real} here\n`,
    `  trace ${traceHash}\n`,
  ].join('');
}

/** What a person reads on standard output. */
export function resultText(done: JobDone, job: Job): string {
  switch (done.command) {
    case 'train':
      return job.command === 'train' ? trainText(done.result, job) : '';
    case 'evaluate':
      return `${done.model} on ${done.rows} rows\n${block(metricRows(done.metrics))}`;
    case 'predict':
      return '';
    case 'topics':
      return listingText(done.listing);
    case 'simulate':
      return simulateText(done.result);
    case 'replay':
      return replayText(done.result);
  }
}

/** The last lines of `--json`. Predictions are the result themselves. */
export function resultJson(done: JobDone): readonly object[] {
  switch (done.command) {
    case 'train':
      return [{ event: 'done', ...done.result }];
    case 'evaluate': {
      const { model, rows, metrics } = done;
      return [{ event: 'done', model, rows, metrics }];
    }
    case 'predict':
      return [];
    case 'topics': {
      const { details, page, years } = done.listing;
      const all = { ...(years && { years }), ...(page !== undefined && { page }) };
      const rows = details.map((detail, i) => {
        const { overTime } = done.listing.rows[i] ?? {};
        return { event: 'topic', ...detail, ...(overTime && { overTime }) };
      });
      return [...rows, { event: 'done', model: done.model, ...all }];
    }
    case 'replay':
      return [{ event: 'done', ...done.result }];
    case 'simulate': {
      const { policies, ...all } = done.result;
      const rows = policies.map((policy) => ({ event: 'policy', ...policy }));
      return [...rows, { event: 'done', ...all }];
    }
  }
}
