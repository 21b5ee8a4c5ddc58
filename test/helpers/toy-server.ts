// A parameter server of sixty lines, on virtual time, with bugs to plant: what the checkers of
// tables are tried on. Workers hold their own deltas until the server has them; reads wait for the
// slowest worker. Every worker adds 1 to a cell of its own and random amounts to a shared one.
import { createPrng } from '../../src/base/prng.ts';
import { FinalSums } from '../checkers/final-sums.ts';
import { Findings } from '../checkers/findings.ts';
import type { Cell, Increment } from '../checkers/increments.ts';
import { OwnWrites } from '../checkers/own-writes.ts';
import { Progress } from '../checkers/progress.ts';
import { StalenessBound } from '../checkers/staleness-bound.ts';
import { VirtualTime } from '../../src/sim/virtual-time.ts';

export type Bug =
  | 'one clock early'
  | 'max for min'
  | 'applies twice'
  | 'loses a delta'
  | 'forgets own deltas'
  | 'counts own deltas twice'
  | 'never releases'
  | 'waits for itself';

type ToyOptions = { readonly staleness: number; readonly exact?: boolean; readonly bug?: Bug };

const workers = 3;
const clocks = 12;
const shared: Cell = { table: 0, row: workers, column: 0 };
const ownCell = (worker: number): Cell => ({ table: 0, row: worker, column: 1 });
const keyOf = ({ row, column }: Cell) => `${row} ${column}`;

export function runToyServer(seed: number, { staleness, exact, bug }: ToyOptions) {
  const prng = createPrng(seed);
  const time = new VirtualTime({ eventsMax: 20_000 });
  const findings = new Findings();
  const bound = { stalenessOf: () => staleness, exact: exact === true };
  const checkers = [new StalenessBound(bound, findings), new OwnWrites(findings)] as const;
  const sums = new FinalSums(findings);
  const progress = new Progress(1000, findings);
  const values = new Map<string, number>();
  const finished = new Array<number>(workers).fill(0);
  const pending: Increment[][] = Array.from({ length: workers }, () => []);
  const parked: { readonly atLeast: number; readonly go: () => void }[] = [];
  const planted = () => prng.below(20) === 0;

  const release = () => {
    const slowest = bug === 'max for min' ? Math.max(...finished) : Math.min(...finished);
    const ready = parked.filter(({ atLeast }) => slowest >= atLeast);
    for (const read of ready) {
      parked.splice(parked.indexOf(read), 1);
      if (!(bug === 'never releases' && planted())) read.go();
    }
  };
  const apply = ({ amount, ...cell }: Increment) =>
    values.set(keyOf(cell), (values.get(keyOf(cell)) ?? 0) + amount);
  const read = (worker: number, clock: number, cell: Cell) => {
    const times = bug === 'forgets own deltas' ? 0 : bug === 'counts own deltas twice' ? 2 : 1;
    let value = values.get(keyOf(cell)) ?? 0;
    for (const delta of pending[worker] ?? []) {
      if (keyOf(delta) === keyOf(cell)) value += times * delta.amount;
    }
    for (const checker of checkers) checker.read({ ...cell, host: worker, worker, clock, value });
  };
  const arrive = (worker: number, deltas: readonly Increment[]) => {
    if (!(bug === 'loses a delta' && planted())) deltas.forEach(apply);
    if (bug === 'applies twice' && planted()) deltas.forEach(apply);
    pending[worker] = (pending[worker] ?? []).filter((delta) => !deltas.includes(delta));
    finished[worker] = (finished[worker] ?? 0) + 1;
    release();
  };
  const lastArrivalMs = new Array<number>(workers).fill(0);
  const push = (worker: number, clock: number) => {
    progress.got(`the read of worker ${worker}`);
    for (let other = 0; other < workers; other++) read(worker, clock, ownCell(other));
    read(worker, clock, shared);
    const by = { host: worker, worker, clock };
    const amount = 1 + prng.below(9);
    const deltas = [
      { ...ownCell(worker), ...by, amount: 1 },
      { ...shared, ...by, amount },
    ];
    for (const delta of deltas) for (const each of [...checkers, sums]) each.incremented(delta);
    pending[worker]?.push(...deltas);
    const doneMs = time.nowMs + 10 * prng.uniform();
    lastArrivalMs[worker] = Math.max(lastArrivalMs[worker] ?? 0, doneMs + 20 * prng.uniform() ** 3);
    time.at(lastArrivalMs[worker] ?? 0, 'arrival', () => arrive(worker, deltas));
    if (clock + 1 < clocks) time.at(doneMs, 'clock', () => begin(worker, clock + 1));
  };
  const begin = (worker: number, clock: number) => {
    const early = bug === 'one clock early' ? 1 : bug === 'waits for itself' ? -staleness - 1 : 0;
    progress.want(`the read of worker ${worker}`, time.nowMs);
    parked.push({ atLeast: clock - staleness - early, go: () => push(worker, clock) });
    release();
  };
  for (let worker = 0; worker < workers; worker++) begin(worker, 0);
  time.runUntilIdle();
  progress.idle();
  for (const checker of checkers) checker.finished();
  if (!progress.waiting) sums.finished(0, (cell) => values.get(keyOf(cell)) ?? 0);
  return findings;
}
