// Parse tasks shared out over the hosts. Each runs a range of them; answers are small, for the data
// stays where it is, so everyone gets everyone's and goes on as if it had run them all.
import { assert } from '../../base/assert.ts';
import { partitionsOf } from '../../base/world.ts';
import type { Failure, ParseResult, ParseTask, Piece } from '../tasks.ts';
import type { Session } from './session.ts';

export type Answer = ParseResult | Failure;

export type Answers = {
  /** Up to the first one that failed or has a violation. */
  readonly answers: readonly Answer[];
  /** By task: rank of the host that ran it. */
  readonly holders: readonly number[];
  /** By task: this host ran it, its blocks lie here. */
  readonly here: readonly boolean[];
};

export type Sharing = {
  /** Bytes of the files, by path. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Of a compressed file a host keeps what may be its rows, and a little more. */
  readonly thin: boolean;
};

type Report = { readonly index: number; readonly answer: Answer };

/** Text that is taken apart before the event loop turns: about 2 ms. */
const TURN_CHARACTERS = 1 << 18;
/** Compressed bytes that are read before what they hold is parsed: some buffers. */
const SLACK_CHUNKS = 4;
/** A compressed file weighs about as much as its text. */
const INFLATION = 4;

export function isBroken(answer: Answer): boolean {
  return answer.kind === 'failure' || answer.violation !== undefined;
}

/** Bytes of text of each task. */
function weightsOf(tasks: readonly ParseTask[], bytes: ReadonlyMap<string, number>): number[] {
  return tasks.map(({ source, chunk }) => {
    const size = bytes.get(source.path) ?? 0;
    if (chunk === 'all') return size * INFLATION;
    return Math.max(Math.min(size - chunk * source.chunkBytes, source.chunkBytes), 0);
  });
}

/** Bytes of its file that a task of this weight reads. */
function bytesRead({ chunk }: ParseTask, weight: number): number {
  return chunk === 'all' ? weight / INFLATION : weight;
}

/**
 * Compressed files with the bytes from where blocks are kept: this host's share of the weight of
 * all tasks, and as much around it as reading may run ahead and rows may be uneven.
 */
function thinned(
  { world, partitions }: Session,
  tasks: readonly ParseTask[],
  weights: readonly number[],
): ParseTask[] {
  const own = partitionsOf(world, partitions, world.rank);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const at = (partition: number) => (partition / partitions) * total;
  let before = 0;
  return tasks.map((task, i) => {
    const weight = weights[i] ?? 0;
    const start = before;
    before += weight;
    if (task.chunk !== 'all') return task;
    const slack = SLACK_CHUNKS * task.source.chunkBytes + weight / INFLATION / 16;
    const first = (at(own.first) - start) / INFLATION - slack;
    const last = (at(own.last) - start) / INFLATION + slack;
    return { ...task, keep: { by: 'byte', first, last } };
  });
}

/** The host of each task: every host has a share of the bytes that suits its share of the rows. */
function holdersOf({ world, partitions }: Session, weights: readonly number[]): number[] {
  const ends = world.threads.map((_, rank) => partitionsOf(world, partitions, rank).last);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let before = 0;
  return weights.map((weight) => {
    const middle = ((before + weight / 2) / total) * partitions;
    before += weight;
    const rank = ends.findIndex((end) => middle < end);
    return rank < 0 ? world.size - 1 : rank;
  });
}

async function takeTurns<T, R>(
  items: readonly T[],
  each: (item: T) => R,
  charactersOf: (item: T, made: R) => number,
): Promise<R[]> {
  const all: R[] = [];
  let characters = 0;
  for (const item of items) {
    const made = each(item);
    all.push(made);
    characters += charactersOf(item, made);
    if (characters < TURN_CHARACTERS) continue;
    characters = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return all;
}

/** JSON has no typed arrays. */
function packed({ index, answer }: Report): string {
  if (answer.kind === 'failure') return JSON.stringify({ index, answer });
  const pieces = answer.pieces.map(({ labels, ...piece }) => {
    return { ...piece, labels: { ...labels, places: [...labels.places] } };
  });
  return JSON.stringify({ index, answer: { ...answer, pieces } });
}

function unpacked(line: string): Report {
  const { index, answer } = JSON.parse(line) as Report;
  if (answer.kind === 'failure') return { index, answer };
  const pieces = answer.pieces.map(({ labels, ...piece }): Piece => {
    return { ...piece, labels: { ...labels, places: Int32Array.from(labels.places) } };
  });
  return { index, answer: { ...answer, pieces } };
}

/** Everyone's reports, by rank. A line each: a text of labels has no line feed left in JSON. */
async function gatherReports(session: Session, own: readonly Report[]): Promise<Report[][]> {
  const lines = await takeTurns(own, packed, (_, line) => line.length);
  const texts = await session.talk.gather(Buffer.from(lines.join('\n')));
  const all: Report[][] = [];
  for (const bytes of texts) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
    const received = text === '' ? [] : text.split('\n');
    all.push(await takeTurns(received, unpacked, (line) => line.length));
  }
  return all;
}

/**
 * Runs `tasks` on all hosts. A compressed file cannot be cut: every host runs its task.
 */
export async function askShared(
  session: Session,
  tasks: readonly ParseTask[],
  { sizes, thin }: Sharing,
): Promise<Answers> {
  const { world } = session;
  if (world.size === 1) {
    const answers = await session.askAll(tasks, isBroken);
    return { answers, holders: tasks.map(() => 0), here: tasks.map(() => true) };
  }
  const weights = weightsOf(tasks, sizes);
  const holders = holdersOf(session, weights);
  const here = tasks.map(({ chunk }, i) => chunk === 'all' || holders[i] === world.rank);
  const mine = [...tasks.keys()].filter((i) => here[i]);
  const all = thin ? thinned(session, tasks, weights) : tasks;
  const run = mine.map((i) => all[i]!);
  session.expect(
    run.reduce((sum, task, i) => sum + bytesRead(task, weights[mine[i] ?? 0] ?? 0), 0),
  );
  const own = await session.askAll(run, isBroken);
  const answers: (Answer | undefined)[] = [];
  const reports: Report[] = [];
  own.forEach((answer, i) => {
    const index = mine[i] ?? 0;
    if (isBroken(answer) || holders[index] === world.rank) reports.push({ index, answer });
    if (!isBroken(answer)) answers[index] = answer;
  });
  for (const { index, answer } of (await gatherReports(session, reports)).flat()) {
    const known = answers[index];
    if (known === undefined || (isBroken(answer) && !isBroken(known))) answers[index] = answer;
  }
  const broken = answers.findIndex((answer) => answer !== undefined && isBroken(answer));
  const count = broken < 0 ? tasks.length : broken + 1;
  const upTo = Array.from({ length: count }, (_, i) => {
    const answer = answers[i];
    assert(answer !== undefined, 'tasks before the first that failed have answers');
    return answer;
  });
  return { answers: upTo, holders, here };
}
