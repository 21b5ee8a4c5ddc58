// The tables of the linear benchmarks.
import { digits, table } from '../bench.ts';
import type { Kept, Row } from './measure.ts';

const seconds = (value: number | undefined) => (value === undefined ? '–' : digits(value));
const power = (value: number) => (Number.isFinite(value) ? value.toExponential(1) : '–');

function cellsOf(row: Row, best: number | undefined): string[] {
  const { program, tolerance, error, nonzeros, seconds: needed, once } = row;
  const settings = [power(tolerance), power(error), String(nonzeros)];
  if (needed === undefined) return [program, 'not reached', '–', '–', '–', '–', ...settings];
  const ratio = best === undefined ? '–' : digits(needed.wall / best);
  const wall = `${seconds(needed.wall)}${once === true ? ' ¹' : ''}`;
  const { load, train, cpu } = needed;
  return [program, wall, ratio, seconds(load), seconds(train), seconds(cpu), ...settings];
}

const header = [
  ...['whole process, s', '/ ours at 2', 'load, s', 'training, s', 'processor, s'],
  ...['tolerance', 'error', 'nonzeros'],
];

/** One case as a table: programs from the fastest to the slowest. */
export function report(title: string, { when, rows }: Kept): void {
  const wall = (row: Row) => row.seconds?.wall ?? Infinity;
  const ours = rows.find(({ program }) => program.startsWith('perpetuum, 2'))?.seconds?.wall;
  const sorted = [...rows].sort((a, b) => wall(a) - wall(b));
  const cells = sorted.map((row) => cellsOf(row, ours));
  table(`${title} (${when})`, ['program', ...header], cells);
}

export const footnote =
  '¹ measured once, when its tolerance was chosen: too long to be run again. The error is the\n' +
  'judge’s (bench/peers/judge.ts), the tolerance the program’s own: the loosest that is good\n' +
  'enough. Not reached: not within 60 seconds of processor time, at the tolerance and error before that.\n';
