// Files into parse tasks, and their answers back into file order.
import { assert } from '../../base/assert.ts';
import { fromFault, SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import {
  located,
  manyClasses,
  quoted,
  ruleOf,
  type Violation,
  type Wording,
} from '../parse/codes.ts';
import { labelTexts } from '../tasks.ts';
import type {
  Format,
  ParseResult,
  ParseTask,
  Piece,
  Probe,
  ProbeTask,
  Rules,
  Sink,
  Source,
} from '../tasks.ts';
import { sizeOf } from './borrowed.ts';
import type { Session } from './session.ts';
import { askShared, isBroken, type Answers } from './shared-tasks.ts';

/** A file, what its lines must look like, and where its values go. */
export type FilePlan = {
  readonly probe: Probe;
  readonly rules: Rules;
  readonly wording: Wording;
  /** Where the values of the task that begins `chunk` go. */
  readonly sink: (chunk: number | 'all') => Sink;
};

/** A block with the place its lines are counted from. */
export type PlacedPiece = Piece & {
  readonly path: string;
  readonly firstLine: number;
  /** Number of its task, and its own number among that task's pieces. */
  readonly task: number;
  readonly nth: number;
  /** Rank of the host that has it for sure. */
  readonly holder: number;
  /** It lies here: its places are this host's. */
  readonly here: boolean;
};

/** What a block brings to the classes. */
export type Labelled = Pick<PlacedPiece, 'labels' | 'path' | 'firstLine'>;

export type Parsed = {
  readonly pieces: readonly PlacedPiece[];
  readonly dropped: number;
  readonly broken: number;
  readonly rows: number;
  readonly bytesOnly: boolean;
  readonly tasks: readonly ParseTask[];
  /** Answers of the tasks, by file. */
  readonly results: readonly (readonly ParseResult[])[];
};

/** About 2 ms of the main thread. */
const LABELS_A_TURN = 10_000;

export const noWording = { fields: 0, rows: 0, columns: 0, entries: 0, nameOf: String };

/**
 * The probes of all files. On several hosts rank 0 looks at them; a host that has no such file
 * borrows it.
 */
async function lookAtAll(
  session: Session,
  paths: readonly string[],
  ask: Omit<ProbeTask, 'kind' | 'path'>,
): Promise<readonly Probe[]> {
  const { world, talk, files } = session;
  const looks =
    world.rank > 0 ? [] : paths.map((path) => ({ ...ask, kind: 'probe', path }) as const);
  const probes = (await session.askAll(looks, () => false)).map((result) => {
    if (result.kind === 'failure') throw fromFault(result);
    return result.probe;
  });
  if (world.size === 1) return probes;
  const sizes = await Promise.all(paths.map(sizeOf));
  const all = await talk.exchange({ sizes, probes });
  const agreed = all[0]?.probes ?? [];
  for (const [i, { path, bytes }] of agreed.entries()) {
    for (const [rank, host] of all.entries()) {
      const size = host.sizes[i];
      if (typeof size !== 'number' || size === bytes) continue;
      const rule = `${path}: all hosts must have the same file, or only rank 0 have it`;
      const found = `it has ${bytes} bytes on rank 0 and ${size} on rank ${rank}`;
      throw new SystemError('ERR_DATA', `${rule}; ${found}`);
    }
    if (sizes[i] === 'none') await files.borrow(path, bytes);
    else files.alias(path, paths[i] ?? path);
  }
  return agreed;
}

/** Looks at all files; they must have one format. @throws ERR_DATA for the first that is wrong. */
export async function probeFiles(
  session: Session,
  paths: readonly string[],
  ask: Omit<ProbeTask, 'kind' | 'path'>,
): Promise<readonly [Probe, ...Probe[]]> {
  if (paths.length === 0) throw new SystemError('ERR_CONFIG', 'no data file was named');
  const [first, ...others] = await lookAtAll(session, paths, ask);
  assert(first !== undefined, 'every path has a probe');
  for (const other of others) {
    if (other.format === first.format) continue;
    const rule = `${other.path}: all files must have one format`;
    const found = `${first.path} is ${first.format}, this is ${other.format}`;
    throw new SystemError('ERR_DATA', `${rule}; ${found}; force it with the format option`);
  }
  return [first, ...others];
}

/** @throws ERR_CONFIG when the format is not one of those that this kind of data has. */
export function requireFormat(format: Format, allowed: readonly Format[], what: string): void {
  if (allowed.includes(format)) return;
  const rule = `${what} are read from ${allowed.join(', ')}`;
  throw new SystemError('ERR_CONFIG', `format: ${rule}, got ${format}`);
}

export function sourceOf(session: Session, probe: Probe): Source {
  const { gzip, dataAt } = probe;
  const path = session.files.placeOf(probe.path);
  return { path, gzip, dataAt, chunkBytes: session.pool.chunkBytes, control: session.control };
}

function tasksOf(session: Session, plan: FilePlan): ParseTask[] {
  const { probe, rules } = plan;
  const source = sourceOf(session, probe);
  const { spill } = session;
  const common = { kind: 'parse', source, rules, ...(spill !== undefined && { spill }) } as const;
  const task = (chunk: number | 'all') => ({ ...common, chunk, sink: plan.sink(chunk) });
  if (probe.gzip) return [task('all')];
  const first = Math.floor(probe.dataAt / source.chunkBytes);
  const end = Math.ceil(probe.bytes / source.chunkBytes);
  return Array.from({ length: Math.max(end - first, 0) }, (_, i) => task(first + i));
}

function sum(results: readonly ParseResult[], of: (result: ParseResult) => number): number {
  return results.reduce((total, result) => total + of(result), 0);
}

/** The error of a violation; `lines` is the number of lines in the file before its task. */
export function violationError(plan: FilePlan, lines: number, violation: Violation): SystemError {
  const line = plan.probe.dataLine + lines + violation.line;
  const found = violation.found === '' ? 'the end of the line' : quoted(violation.found);
  const rule = ruleOf(violation, plan.wording);
  return new SystemError('ERR_DATA', located(plan.probe.path, line, violation.column, rule, found));
}

/** Rows that end before the row that came before them: both are known here alone. */
function isBehind({ pieces }: ParseResult, { rules }: FilePlan, last: number): boolean {
  return 'ordered' in rules && (pieces[0]?.lowest ?? last) < last;
}

/**
 * More entries than the size line promises, and rows below those of the chunk before: found when
 * all is there, so the task that has them runs again.
 */
async function checkPromise(
  session: Session,
  plan: FilePlan,
  tasks: readonly ParseTask[],
  results: readonly ParseResult[],
): Promise<void> {
  const { rules } = plan;
  if (!('promised' in rules) || rules.promised === Infinity) return;
  let rows = 0;
  let lines = 0;
  let last = 0;
  for (const [i, result] of results.entries()) {
    const task = tasks[i];
    const tooMany = rows + result.rows > rules.promised;
    if (tooMany || result.violation !== undefined || isBehind(result, plan, last)) {
      assert(task !== undefined, 'every result has a task');
      const rest = { ...rules, promised: rules.promised - rows };
      const ordered = 'ordered' in rest ? { ...rest, ordered: last } : rest;
      const again = await session.ask({ ...task, rules: ordered, sink: { kind: 'none' } });
      if (again.violation !== undefined) throw violationError(plan, lines, again.violation);
    }
    rows += result.rows;
    lines += result.lines;
    last = result.pieces.at(-1)?.highest ?? last;
  }
  if (rows === rules.promised) return;
  const rule = `the size line promises ${rules.promised} entries, there are ${rows}`;
  const line = plan.probe.dataLine + lines;
  const text = located(plan.probe.path, line, 1, rule, 'the end of the file');
  throw new SystemError('ERR_DATA', text);
}

async function askHere(session: Session, tasks: readonly ParseTask[]): Promise<Answers> {
  const answers = await session.askAll(tasks, isBroken);
  const { rank } = session.world;
  return { answers, holders: tasks.map(() => rank), here: tasks.map(() => true) };
}

/**
 * Parses the files, one after the other but on all threads. `shared`: each host parses its share,
 * and all have all pieces, those of other hosts without their places. `rows`: the same, and of
 * what every host has to read it keeps what may be its rows. `whole`: each parses everything.
 * @throws ERR_DATA for the first violation in file order, whatever the timing.
 */
export async function parseFiles(
  session: Session,
  plans: readonly FilePlan[],
  how: 'shared' | 'rows' | 'whole' = 'whole',
): Promise<Parsed> {
  const lists = plans.map((plan) => tasksOf(session, plan));
  const tasks = lists.flat();
  const { answers, holders, here } =
    how === 'whole'
      ? await askHere(session, tasks)
      : await askShared(session, tasks, { sizes: sizesOf(session, plans), thin: how === 'rows' });
  const results: ParseResult[][] = [];
  const pieces: PlacedPiece[] = [];
  let at = 0;
  for (const [i, plan] of plans.entries()) {
    const list = lists[i] ?? [];
    const { path, dataLine } = plan.probe;
    const mine: ParseResult[] = [];
    let lines = 0;
    for (const [j, answer] of answers.slice(at, at + list.length).entries()) {
      if (answer.kind === 'failure') throw fromFault(answer);
      mine.push(answer);
      if (answer.violation !== undefined) {
        await distinctLabels(pieces);
        await checkPromise(session, plan, list, mine);
        throw violationError(plan, lines, answer.violation);
      }
      const task = at + j;
      const holder = holders[task] ?? 0;
      const firstLine = dataLine + lines;
      for (const [nth, piece] of answer.pieces.entries()) {
        const isHere = piece.kept && here[task] === true;
        pieces.push({ ...piece, path, firstLine, task, nth, holder, here: isHere });
      }
      lines += answer.lines;
    }
    await checkPromise(session, plan, list, mine);
    results.push(mine);
    at += list.length;
  }
  const all = results.flat();
  return {
    ...{ pieces, tasks, results },
    dropped: sum(all, (result) => result.dropped),
    broken: sum(all, (result) => result.broken),
    rows: sum(all, (result) => result.rows),
    bytesOnly: all.every((result) => result.bytesOnly),
  };
}

/** Sizes by the place a task reads. */
function sizesOf(session: Session, plans: readonly FilePlan[]): ReadonlyMap<string, number> {
  return new Map(plans.map(({ probe }) => [session.files.placeOf(probe.path), probe.bytes]));
}

export function requireRows(rows: number, path: string): void {
  if (rows > 0) return;
  const text = `${path}:1:1: the file has no rows; found the end of the file`;
  throw new SystemError('ERR_DATA', text);
}

/** Lets the event loop turn after every few thousand labels: a block can bring thousands. */
export function breather(): (labels: number) => Promise<void> {
  let seen = 0;
  return async (labels) => {
    seen += labels;
    if (seen < LABELS_A_TURN) return;
    seen = 0;
    await new Promise((resolve) => setImmediate(resolve));
  };
}

/** The label texts of all blocks. @throws ERR_DATA at the first one too many. */
export async function distinctLabels(pieces: readonly Labelled[]): Promise<Set<string>> {
  const texts = new Set<string>();
  const breathe = breather();
  for (const piece of pieces) {
    const { labels } = piece;
    const mine = labelTexts(labels);
    await breathe(mine.length);
    for (const [i, text] of mine.entries()) {
      texts.add(text);
      if (texts.size <= limits.classesMax) continue;
      const [line = 0, column = 1] = labels.places.subarray(2 * i, 2 * i + 2);
      const place = located(piece.path, piece.firstLine + line, column, manyClasses, quoted(text));
      throw new SystemError('ERR_DATA', place);
    }
  }
  return texts;
}
