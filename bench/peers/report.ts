// The tables of the linear benchmarks.
import { digits, table } from '../bench.ts';
import type { Kept, Row } from './measure.ts';

const seconds = (value: number | undefined) => (value === undefined ? '–' : digits(value));
const power = (value: number) => (Number.isFinite(value) ? value.toExponential(1) : '–');

function cellsOf(row: Row, best: number | undefined): string[] {
  const { program, tolerance, verdict, nonzeros, seconds: needed, once } = row;
  const { error, excess } = verdict;
  const settings = [...[tolerance, error, excess].map(power), String(nonzeros)];
  if (needed === undefined) return [program, 'not reached', '–', '–', '–', '–', ...settings];
  const ratio = best === undefined ? '–' : digits(needed.wall / best);
  const wall = `${seconds(needed.wall)}${once === true ? ' ¹' : ''}`;
  const { load, train, cpu } = needed;
  return [program, wall, ratio, seconds(load), seconds(train), seconds(cpu), ...settings];
}

const header = [
  ...['whole process, s', '/ ours at 2', 'load, s', 'training, s', 'processor, s'],
  ...['tolerance', 'error', 'excess', 'nonzeros'],
];

/** One case as a table: programs from the fastest to the slowest. */
export function report(title: string, { when, rows }: Kept): void {
  const wall = (row: Row) => row.seconds?.wall ?? Infinity;
  const ours = rows.find(({ program }) => program.startsWith('perpetuum, 2'))?.seconds?.wall;
  const sorted = [...rows].sort((a, b) => wall(a) - wall(b));
  const cells = sorted.map((row) => cellsOf(row, ours));
  table(`${title} (${when})`, ['program', ...header], cells);
}

export const footnote = [
  '¹ measured once, when its tolerance was chosen: too long to be run again.',
  'Error and excess are the judge’s (bench/peers/judge.ts): what the table’s title asks for, and',
  'the objective over the best that is known, on the same scale. The tolerance is the program’s',
  'own, the loosest that is good enough; “objective only”: the loosest whose excess is. Not',
  'reached: not within 60 seconds of processor time; the error is the last before that. “Load”',
  'of a peer is from the start of its process to the start of its training.',
  '',
].join('\n');
