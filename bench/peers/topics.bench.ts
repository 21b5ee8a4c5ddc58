// lda against tomotopy, MALLET and WarpLDA: seconds of sampling to stated log-likelihoods, on the
// same documents with the same fixed priors.
//
//   a piece    ours, a peer, ours again: so that both see the same machine; ratios are of a piece
//   judge      when a program ends, the log-likelihood of what it wrote, by one formula for all
//              (topics/likelihood.ts), beside the one that it printed last
//
// PERPETUUM_BENCH_CORPUS names a corpus (corpora/bags.ts says in which forms), topics/programs.ts
// says how peers are named, PERPETUUM_BENCH_ROWS chooses pieces (kept.ts).
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { digits, smoke, table } from '../bench.ts';
import { readBags, writeCounts, writeWords, type Bags } from '../corpora/bags.ts';
import { generateDocuments } from '../corpora/generate.ts';
import { work } from './data.ts';
import { rowsOf } from './kept.ts';
import { likelihoodOf } from './topics/likelihood.ts';
import { peers, perpetuum, type Place, type Program, type Setting } from './topics/programs.ts';
import { sample, secondsTo, type Sampled } from './topics/run.ts';

type Goal = {
  readonly topics: number;
  readonly alpha: number;
  readonly likelihoods: readonly number[];
};

const goals: readonly Goal[] = smoke
  ? [{ topics: 10, alpha: 0.1, likelihoods: [-9, -6, -1] }]
  : [
      { topics: 100, alpha: 0.1, likelihoods: [-8.1, -8.05, -8, -7.95] },
      { topics: 1000, alpha: 0.01, likelihoods: [-8.25, -8.05, -7.96, -7.7] },
    ];
const beta = 0.01;
/** Of sampling, a run. */
const secondsMax = 60;
/** Ours is run a second time in a piece if it takes less. */
const shortSeconds = 25;

type Run = Sampled & {
  readonly program: string;
  /** By the one formula, of what was written at the end. */
  readonly judged?: number;
};

async function measure(program: Program, given: Setting, { place, bags }: Corpus): Promise<Run> {
  const setting = { ...given, sweeps: program.sweeps(given.topics) };
  const sampler = program.sampler(place, setting);
  const sampled = await sample(sampler, { seconds: given.seconds, cwd: place.folder });
  const { vocabulary, tokens } = bags;
  const { points, ended } = sampled;
  const last = points.at(-1);
  const judged = ended
    ? likelihoodOf({ ...setting, vocabulary }, program.counts(place, setting))
    : undefined;
  const off = Math.abs((judged ?? NaN) - (last?.likelihood ?? NaN));
  if (program.ours && ended && !(off < 1e-8))
    throw new Error(`${program.name} printed ${last?.likelihood}, but wrote ${judged}`);
  const speed = last === undefined ? NaN : (tokens * last.sweep) / last.seconds / 1e6;
  const words = [last?.likelihood, judged].map((value) => value?.toFixed(4) ?? '–');
  const head = `  ${program.name}: ${last?.sweep ?? 0} sweeps, ${digits(speed)} M tokens/s`;
  process.stderr.write(`${head}, ${words.join(' judged ')}\n`);
  return { ...sampled, program: program.name, ...(judged !== undefined && { judged }) };
}

type Corpus = { readonly bags: Bags; readonly place: Place };

function corpus(): Corpus {
  const folder = join(work, 'topics');
  mkdirSync(folder, { recursive: true });
  const named = process.env['PERPETUUM_BENCH_CORPUS'];
  const given = smoke ? undefined : named;
  const bags = readBags(given ?? generateDocuments(join(folder, 'generated.svm')));
  // Another corpus has other files: named by its size.
  const base = join(folder, `${bags.documents}-${bags.tokens}`);
  const place = { folder, counts: `${base}.counts`, words: `${base}.words` };
  if (!existsSync(place.words)) {
    writeCounts(place.counts, bags);
    writeWords(place.words, bags);
  }
  return { bags, place };
}

/** The runs of a piece: ours first, and once more after the peer. */
async function piece(ours: Program, peer: Program | undefined, given: Setting, of: Corpus) {
  const runs = [await measure(ours, given, of)];
  if (peer === undefined) return runs;
  runs.push(await measure(peer, given, of));
  const again = runs[0]!.wall < shortSeconds;
  return again ? [...runs, await measure(ours, given, of)] : runs;
}

const seconds = (value: number | undefined) => (value === undefined ? '–' : digits(value));

/** The shorter time of a program's runs to a log-likelihood. */
function least(runs: readonly Run[], program: string, likelihood: number): number | undefined {
  const own = runs.filter((run) => run.program === program);
  const times = own.map(({ points }) => secondsTo(points, likelihood));
  return times.reduce((a, b) => (a === undefined || (b !== undefined && b < a) ? b : a), undefined);
}

/** A program's line in a piece; a peer's has how many times as long as ours it took. */
function lineOf(runs: readonly Run[], program: string, { goal, tokens }: LineOf): string[] {
  const [first] = runs;
  const own = runs.filter((run) => run.program === program).sort((a, b) => a.wall - b.wall)[0]!;
  const cells = goal.likelihoods.map((likelihood) => {
    const time = least(runs, program, likelihood);
    const ours = least(runs, first!.program, likelihood);
    const ratio = program === first!.program || !time || !ours ? '' : ` (${digits(time / ours)} ×)`;
    return `${seconds(time)}${ratio}`;
  });
  const last = own.points.at(-1);
  const speed = last && (tokens * last.sweep) / last.seconds / 1e6;
  return [
    ...[program, ...cells, String(last?.sweep ?? 'none'), seconds(speed)],
    ...[last?.likelihood, own.judged].map((value) => value?.toFixed(4) ?? '–'),
    ...[seconds(own.load), seconds(last?.seconds), own.ended ? seconds(own.wall) : '–'],
    (own.bytes / 2 ** 20).toFixed(0),
  ];
}
type LineOf = { readonly goal: Goal; readonly tokens: number };

const ours = perpetuum('perpetuum');
const of = corpus();
const { documents, vocabulary, tokens } = of.bags;
console.log(`${documents} documents, ${vocabulary} words, ${tokens} tokens.\n`);
const named = peers();
if (named.length > 0) console.log(`Peers: ${named.map(({ title }) => title).join(', ')}.\n`);
for (const goal of goals) {
  const { topics, alpha, likelihoods } = goal;
  for (const threads of [1, 2]) {
    const setting = { topics, alpha, beta, threads, seconds: secondsMax, sweeps: 0, keeps: true };
    const lines: string[][] = [];
    for (const peer of named.length === 0 ? [undefined] : named) {
      const name = `topics ${topics} threads ${threads} ${peer?.name ?? 'alone'}`;
      const runs = await rowsOf(name, () => piece(ours, peer, setting, of));
      if (runs === undefined) continue;
      const programs = [...new Set(runs.map((run) => run.program))];
      lines.push(...programs.map((program) => lineOf(runs, program, { goal, tokens })));
    }
    const header = [
      ...['program', ...likelihoods.map((value) => `≥ ${value}, s`), 'sweeps', 'M tokens/s'],
      ...['printed last', 'judged', 'load, s', 'sampling, s', 'whole process, s', 'memory, MiB'],
    ];
    const plural = threads === 1 ? 'thread' : 'threads';
    table(`K = ${topics}, α = ${alpha}, β = ${beta}, ${threads} ${plural}`, header, lines);
  }
}
console.log(
  [
    'Seconds to a log-likelihood per token are of sampling, on the line between the two that were',
    'printed around it (every 5 sweeps, tomotopy at 1,000 topics 2, MALLET 10, WarpLDA 1), in',
    'brackets: over ours in the same piece, which is the line above (the better of two runs). They',
    'include computing what is printed (not tomotopy’s), ours also placing the tokens. “Judged”',
    'is the log-likelihood of the topics that a program wrote when it ended, by one formula for all;',
    `“–”: it was ended after ${secondsMax} seconds. Memory is the largest resident set, with writing`,
    'the topics; other columns are of the shorter run.',
    '',
  ].join('\n'),
);
