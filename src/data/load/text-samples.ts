// Samples from libsvm and CSV text.
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { SampleBlock } from '../dataset.ts';
import type { LoadedSamples, SamplesOptions } from '../load-samples.ts';
import { located } from '../parse/codes.ts';
import type { CsvShape, Probe, Step } from '../tasks.ts';
import { mergeClasses } from './classes.ts';
import {
  noWording,
  parseFiles,
  requireRows,
  type FilePlan,
  type Parsed,
  type PlacedPiece,
} from './files.ts';
import type { Session } from './session.ts';
import { fetchRows, ownRows } from './shares.ts';

export const blocksSink = () => ({ kind: 'blocks' }) as const;

function total(pieces: readonly PlacedPiece[], of: (piece: PlacedPiece) => number): number {
  return pieces.reduce((sum, piece) => sum + of(piece), 0);
}

const isHere = ({ here }: PlacedPiece) => here;

/** Data of a model must be stored as the model's. */
export function requireStorage(path: string, sparse: boolean, options: SamplesOptions): void {
  const { like } = options;
  if (like === undefined || sparse === (like.storage === 'csr')) return;
  const words = sparse ? ['dense', 'sparse'] : ['sparse', 'dense'];
  const rule = `${path}: the training data is ${words[0]}, this file is ${words[1]}`;
  throw new SystemError('ERR_DATA', `${rule}; convert it to the format of the training data`);
}

export function leftOut(dropped: number, columns: number): string[] {
  if (dropped === 0) return [];
  const what = `${dropped} entries beyond the training data's ${columns} columns were left out`;
  return [what];
}

export function unknownLabels(unknown: readonly string[]): string[] {
  if (unknown.length === 0) return [];
  const some = unknown.slice(0, 5).join(', ') + (unknown.length > 5 ? ', …' : '');
  return [`labels that the training data does not have: ${some}`];
}

/** Classes of the blocks and the steps that renumber their targets. */
export async function classesOf(parsed: Parsed, options: SamplesOptions) {
  if (options.labels === 'number') return { classes: [], warnings: [], steps: [], maps: [] };
  const { classes, maps, unknown } = await mergeClasses(parsed.pieces, options.like?.classes);
  const steps = parsed.pieces.flatMap(({ rows: n, target, here }, i): Step[] => {
    const map = maps[i] ?? null;
    return map === null || !here ? [] : [{ op: 'remap', n, map, from: target, to: target }];
  });
  return { classes, warnings: unknownLabels(unknown), steps, maps };
}

/** libsvm: base 0 when an index 0 stands anywhere, else 1. */
export async function loadLibsvm(
  session: Session,
  probes: readonly Probe[],
  options: SamplesOptions,
): Promise<LoadedSamples> {
  const { like, labels = 'class' } = options;
  const path = probes[0]?.path ?? '';
  requireStorage(path, true, options);
  const rules = {
    kind: 'libsvm' as const,
    base: like === undefined ? (-1 as const) : like.base === 0 ? (0 as const) : (1 as const),
    columns: like?.columns ?? limits.columnsMax + 1,
    numeric: labels === 'number',
  };
  const wording = { ...noWording, format: 'libsvm' as const };
  const plans = probes.map((probe) => ({ probe, rules, wording, sink: blocksSink }));
  const parsed = await fetchRows(session, await parseFiles(session, plans, 'rows'));
  requireRows(parsed.rows, path);
  const { pieces, rows } = parsed;
  const base = like?.base ?? (pieces.some(({ lowest }) => lowest === 0) ? 0 : 1);
  const highest = pieces.reduce((most, piece) => Math.max(most, piece.highest), base - 1);
  const columns = like?.columns ?? highest - base + 1;
  const merged = await classesOf(parsed, options);
  // Without knowing better, the kernel took the indices for 1-based.
  const shifts = pieces.filter(isHere).map(({ nonzeros: n, index: at }): Step => {
    return { op: 'shift', n, delta: 1, at };
  });
  const steps = base === 0 && like === undefined ? [...shifts, ...merged.steps] : merged.steps;
  await session.steps(steps);
  const blocks = pieces.map(({ rows, nonzeros, target, rowStart, index, value }): SampleBlock => {
    return { rows, nonzeros, target, x: 0, rowStart, index, value };
  });
  return {
    ...{ kind: 'samples', format: 'libsvm', storage: 'csr', labels, columns, base, rows },
    ...ownRows(session, blocks, { rows, stride: 0, storage: 'csr' }),
    ...{ nonzeros: total(pieces, (piece) => piece.nonzeros) },
    ...{ stride: 0, scale: 1, columnNames: [], classes: merged.classes },
    warnings: [...leftOut(parsed.dropped, columns), ...merged.warnings],
  };
}

/** The number of the label column; −1 when the file has the features of the training data only. */
function labelColumnOf(probe: Probe, shape: CsvShape, options: SamplesOptions): number {
  const { label = 'last', like } = options;
  const named = shape.names.indexOf(label);
  if (named >= 0) return named;
  if (like !== undefined && shape.fields === like.columns) return -1;
  if (label === 'last') return shape.fields - 1;
  if (/^\d+$/.test(label) && Number(label) < shape.fields) return Number(label);
  const names = shape.names.slice(0, 12).join(', ') + (shape.names.length > 12 ? ', …' : '');
  const known = shape.hasHeader ? `its columns are ${names}` : 'it has no header line with names';
  const rule = `label must be a column name, a number from 0 to ${shape.fields - 1}, or last`;
  throw new SystemError('ERR_CONFIG', `${rule}, got "${label}"; ${probe.path}: ${known}`);
}

function csvPlan(probe: Probe, options: SamplesOptions): FilePlan & { readonly columns: number } {
  const { like, labels = 'class' } = options;
  const shape = probe.shape as CsvShape;
  const { fields, delimiter } = shape;
  const labelColumn = labelColumnOf(probe, shape, options);
  const features = fields - (labelColumn < 0 ? 0 : 1);
  const wanted = like?.columns ?? 1;
  if (features < wanted) {
    const rule = like
      ? `the training data has ${wanted} feature columns`
      : 'there must be a feature column besides the label; is the delimiter right?';
    const text = located(probe.path, probe.dataLine, 1, rule, `${features} feature columns`);
    throw new SystemError('ERR_DATA', text);
  }
  const columns = like?.columns ?? features;
  const nameOf = (field: number) => {
    const name = shape.names[field];
    return name === undefined ? `${field} (counted from 0)` : `"${name}"`;
  };
  return {
    ...{
      probe,
      columns,
      sink: blocksSink,
      wording: { ...noWording, format: 'csv', fields, nameOf },
    },
    rules: {
      ...{ kind: 'csv', delimiter, fields, labelColumn, keep: columns },
      ...{
        stride: Math.ceil(columns / 4) * 4,
        promised: Infinity,
        targets: labels === 'number' ? 'numbers' : 'texts',
      },
    },
  };
}

/** Files that follow one another have the same columns. */
function requireSameColumns(first: Probe, other: Probe): void {
  const a = first.shape as CsvShape;
  const b = other.shape as CsvShape;
  const same =
    a.fields === b.fields && (!a.hasHeader || !b.hasHeader || a.names.join() === b.names.join());
  if (same) return;
  const rule = `the columns must be those of ${first.path}`;
  const found = `${b.fields} fields${b.hasHeader ? ' with other names' : ''}`;
  throw new SystemError('ERR_DATA', located(other.path, 1, 1, rule, found));
}

/** Blocks of one storage: u8 when every value of the data is an integer in 0..255. */
function denseBlocks(
  session: Session,
  pieces: readonly PlacedPiece[],
  columns: number,
  wide: boolean,
) {
  const stride = Math.ceil(columns / (wide ? 4 : 16)) * (wide ? 4 : 16);
  const steps: Step[] = [];
  const blocks = pieces.map(({ rows, target, x, storage, here }): SampleBlock => {
    let to = x;
    if (here && wide && storage === 'u8') {
      to = session.arena.allocate(rows * stride * 4);
      const fromStride = Math.ceil(columns / 16) * 16;
      steps.push({ op: 'widen', rows, columns, fromStride, toStride: stride, from: x, to });
    }
    return { rows, nonzeros: 0, target, x: to, rowStart: 0, index: 0, value: 0 };
  });
  return { storage: wide ? ('f32' as const) : ('u8' as const), stride, blocks, steps };
}

/** CSV: dense numbers and one label column. */
export async function loadCsv(
  session: Session,
  probes: readonly [Probe, ...Probe[]],
  options: SamplesOptions,
): Promise<LoadedSamples> {
  const [first, ...others] = probes;
  const { like, labels = 'class' } = options;
  requireStorage(first.path, false, options);
  for (const other of others) requireSameColumns(first, other);
  if (like?.storage === 'f32') session.setWide();
  const plans = probes.map((probe) => csvPlan(probe, options));
  const counted = await parseFiles(session, plans, 'rows');
  // A value on any host decides for all: what is parsed from here on is f32 too.
  if (!counted.bytesOnly) session.setWide();
  const parsed = await fetchRows(session, counted);
  requireRows(parsed.rows, first.path);
  const { pieces, rows } = parsed;
  const [{ columns, rules }] = plans as [(typeof plans)[number]];
  const labelColumn = rules.kind === 'csv' ? rules.labelColumn : -1;
  const merged = await classesOf(parsed, options);
  const dense = denseBlocks(session, pieces, columns, session.isWide());
  const unlabelled = pieces.filter(isHere).map(({ rows: n, target: at }): Step => {
    return { op: 'fill', n, value: -1, at };
  });
  await session.steps([...(labelColumn < 0 ? unlabelled : merged.steps), ...dense.steps]);
  const shape = first.shape as CsvShape;
  const names = shape.names.filter((_, field) => field !== labelColumn).slice(0, columns);
  const more = shape.fields - (labelColumn < 0 ? 0 : 1) - columns;
  const extra =
    more > 0 ? [`${more} columns beyond the training data's ${columns} were left out`] : [];
  const none = labelColumn < 0 ? [`${first.path} has no label column`] : [];
  return {
    ...{ kind: 'samples', format: 'csv', labels, storage: dense.storage, stride: dense.stride },
    ...{ rows, columns, nonzeros: 0, scale: 1, base: 0 },
    ...ownRows(session, dense.blocks, { rows, stride: dense.stride, storage: dense.storage }),
    ...{ classes: labelColumn < 0 ? (like?.classes ?? []) : merged.classes, columnNames: names },
    warnings: [...extra, ...none, ...merged.warnings],
  };
}
