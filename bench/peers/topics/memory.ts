// Memory by the size of the corpus: the same documents once, four and sixteen times. The slope
// from one size to the next is what a token costs; the table of words and topics, which grows with
// the corpus too, is known and counted apart: 8 bytes of a nonzero; so is that of documents and
// topics, 4 bytes of a nonzero. Peers write no topics here; ours do, in files those of words alone.
//
//   ┌ what does not grow: code, threads, V × … ┬ M × bytes a token ┬ nonzeros of both tables ┐
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { digits, smoke, table } from '../../bench.ts';
import { writeCounts, writeWords, type Bags } from '../../corpora/bags.ts';
import { rowsOf } from '../kept.ts';
import type { Place, Program } from './programs.ts';
import { sample } from './run.ts';

type Row = {
  readonly program: string;
  readonly topics: number;
  readonly times: number;
  /** Of ours. */
  readonly nonzeros?: { readonly words: number; readonly documents: number };
  readonly bytes: number;
  readonly wall: number;
};

/** Few: the table has most nonzeros when topics are still mixed. */
const sweeps = 5;
const secondsMax = 150;

type Of = { readonly bags: Bags; readonly folder: string; readonly threads: number };
type Size = { readonly topics: number; readonly times: number };

async function measure(program: Program, { topics, times }: Size, of: Of): Promise<Row> {
  const { documents, tokens } = of.bags;
  const base = join(of.folder, `${documents * times}-${tokens * times}`);
  const place: Place = { folder: of.folder, counts: `${base}.counts`, words: `${base}.words` };
  if (program.reads === 'words') writeWords(place.words, of.bags, times);
  else writeCounts(place.counts, of.bags, times);
  const priors = { topics, alpha: 10 / topics, beta: 0.01, threads: of.threads };
  const setting = { ...priors, sweeps, seconds: secondsMax, keeps: false };
  const limits = { seconds: secondsMax, cwd: of.folder };
  const { bytes, wall, ended } = await sample(program.sampler(place, setting), limits);
  if (!ended) process.stderr.write(`  ${program.name} was ended after ${secondsMax} s\n`);
  const row = { program: program.name, topics, times, bytes, wall };
  const counts = program.ours ? program.counts(place, setting) : undefined;
  const nonzeros = counts && {
    words: [...counts.wordTopics].length,
    documents: [...counts.documentTopics].length,
  };
  rmSync(place.counts, { force: true });
  rmSync(place.words, { force: true });
  return nonzeros === undefined ? row : { ...row, nonzeros };
}

/** Bytes a token from one size to the next, and less what the table's nonzeros take. */
function slope(from: Row, to: Row, { tokens, starts, words }: Bags): string[] {
  const more = (to.times - from.times) * tokens;
  const bytes = to.bytes - from.bytes;
  const head = [to.program, String(to.topics), `× ${from.times} to × ${to.times}`];
  if (!from.nonzeros || !to.nonzeros)
    return [...head, (bytes / more).toFixed(1), '–', '–', '–', '–'];
  const documents = to.nonzeros.documents - from.nonzeros.documents;
  const table = 8 * (to.nonzeros.words - from.nonzeros.words) + 4 * documents;
  const known = documents / more;
  return [
    ...head,
    ...[bytes / more, (bytes - table) / more].map((value) => value.toFixed(1)),
    ...[words.length / tokens, known, (starts.length - 1) / tokens].map((n) => n.toFixed(3)),
  ];
}

/** Two tables: peak memory by size, and what a token costs. */
export async function memoryTables(programs: readonly Program[], of: Of): Promise<void> {
  const { bags } = of;
  const sizes: Row[] = [];
  const slopes: string[][] = [];
  for (const program of programs) {
    for (const topics of smoke ? [10] : program.ours ? [100, 1000] : [100]) {
      const own: Row[] = [];
      for (const times of smoke ? [1, 2] : [1, 4, 16]) {
        const name = `memory ${topics} x${times} ${program.name}`;
        const row = await rowsOf(name, () => measure(program, { topics, times }, of));
        if (row !== undefined) own.push(row);
      }
      own.slice(1).forEach((row, i) => slopes.push(slope(own[i]!, row, bags)));
      sizes.push(...own);
    }
  }
  const rows = sizes.map(({ program, topics, times, nonzeros, bytes, wall }) => [
    ...[program, String(topics), `× ${times}`, digits((times * bags.tokens) / 1e6)],
    ...[nonzeros?.words, nonzeros?.documents].map((n) => (n === undefined ? '–' : digits(n / 1e6))),
    ...[(bytes / 2 ** 20).toFixed(0), digits(wall)],
  ]);
  const plural = of.threads === 1 ? 'thread' : 'threads';
  table(
    `memory by size of the corpus, Σα = 10, ${sweeps} sweeps, ${of.threads} ${plural}`,
    [
      ...['program', 'topics', 'corpus', 'M tokens', 'table, M nonzeros'],
      ...['documents, M nonzeros', 'peak, MiB', 'whole process, s'],
    ],
    rows,
  );
  table(
    'bytes a token',
    [
      ...['program', 'topics', 'corpus', 'bytes a token', 'less the tables’ nonzeros'],
      ...['pairs a token', 'document nonzeros a token', 'documents a token'],
    ],
    slopes,
  );
}
