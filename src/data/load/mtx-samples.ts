// Samples from Matrix Market files: X.mtx and then y.mtx, both in coordinate or array layout.
//
// Values may be anywhere in the file, so X takes two passes over it: count the entries of each row
// (or check the values), then put each in its place. On several hosts each reads all of it and
// keeps its rows.
import { assert } from '../../base/assert.ts';
import { SystemError } from '../../base/errors.ts';
import type { SampleBlock } from '../dataset.ts';
import type { LoadedSamples, SamplesOptions } from '../load-samples.ts';
import { mtxTriples } from '../load-ratings.ts';
import { located, quoted } from '../parse/codes.ts';
import type { CsvRules, MtxShape, Probe, Sink, Step } from '../tasks.ts';
import { placeCoordinates } from './coordinates.ts';
import { noWording, parseFiles, violationError, type FilePlan, type Parsed } from './files.ts';
import type { Session } from './session.ts';
import { ownRows } from './shares.ts';
import { blocksSink, classesOf, leftOut, requireStorage } from './text-samples.ts';

/** No class and, as an f32, no number: marks a row that has no label yet. */
const NO_LABEL = -2;

function shapeOf(probe: Probe): MtxShape {
  assert(probe.shape?.kind === 'mtx', 'a Matrix Market file has its shape');
  return probe.shape;
}

function sizeError(probe: Probe, rule: string): SystemError {
  const { sizeLine, sizeText } = shapeOf(probe);
  return new SystemError('ERR_DATA', located(probe.path, sizeLine, 1, rule, quoted(sizeText)));
}

/** The plan of an array file: one value a line. */
function arrayPlan(
  probe: Probe,
  rules: Pick<CsvRules, 'labelColumn' | 'keep' | 'targets'>,
): FilePlan {
  const { rows, columns, entries } = shapeOf(probe);
  return {
    probe,
    sink: () => ({ kind: 'none' }),
    wording: { ...noWording, format: 'mtx', rows, columns, entries },
    rules: {
      ...{ kind: 'csv', delimiter: 32, fields: 1, stride: rules.keep, promised: entries },
      ...rules,
    },
  };
}

/** An entry that stands twice: the place of the second one of the first such row. */
async function refuseTwice(session: Session, plan: FilePlan, row: number, column: number) {
  const found = { ...plan, sink: (): Sink => ({ kind: 'find', row: row + 1, column: column + 1 }) };
  // One chunk after the other would do; all at once is simpler, and the answers are in order.
  const { results } = await parseFiles(session, [found]);
  let seen = 0;
  let lines = 0;
  for (const result of results[0] ?? []) {
    for (const place of result.places) {
      if (seen++ === 1) throw violationError(plan, lines, place);
    }
    lines += result.lines;
  }
  assert(false, 'a row that has a column twice has it twice in the file');
}

type Matrix = Pick<LoadedSamples, 'storage' | 'stride' | 'nonzeros'> & {
  readonly blocks: readonly SampleBlock[];
  readonly dropped: number;
};

/** Coordinate layout into CSR blocks by counting sort. */
async function readCoordinates(session: Session, probe: Probe, keep: number): Promise<Matrix> {
  const { rows } = shapeOf(probe);
  const plan = mtxTriples(probe);
  const placed = await placeCoordinates(session, plan, { rows, columns: keep });
  const blocks = placed.blocks.map((block): SampleBlock => ({ ...block, target: 0, x: 0 }));
  const sorts = blocks.map((block): Step => ({ op: 'sort', ...block }));
  const twice = await session.steps(sorts);
  let before = 0;
  for (const [i, block] of blocks.entries()) {
    const row = twice[i] ?? -1;
    if (row >= 0) {
      const [column = 0] = await session.steps([{ op: 'twice', row, ...block }]);
      await refuseTwice(session, plan, before + row, column);
    }
    before += block.rows;
  }
  return { storage: 'csr', stride: 0, ...placed, blocks };
}

/** Array layout, column by column, into dense rows. */
async function readArray(
  session: Session,
  probe: Probe,
  keep: number,
  wide: boolean,
): Promise<Matrix> {
  const { arena, pool } = session;
  const { rows, columns } = shapeOf(probe);
  const plan = arrayPlan(probe, { labelColumn: -1, keep: 1, targets: 'numbers' });
  const { bytesOnly, results } = await parseFiles(session, [plan]);
  const bytes = bytesOnly && !wide;
  const width = bytes ? 1 : 4;
  const stride = (Math.ceil((keep * width) / 16) * 16) / width;
  const x = arena.allocate(rows * stride * width);
  await session.steps([{ op: 'zero', bytes: rows * stride * width, at: x }]);
  // Number of the first value of each chunk, known from the first pass.
  let sum = 0;
  const firsts = (results[0] ?? []).map((result) => (sum += result.rows) - result.rows);
  const firstChunk = Math.floor(probe.dataAt / pool.chunkBytes);
  const size = { rows, columns: keep, stride, bytes, x };
  const sink = (chunk: number | 'all'): Sink => {
    const first = chunk === 'all' ? 0 : (firsts[chunk - firstChunk] ?? 0);
    return { kind: 'columns', first, ...size };
  };
  await parseFiles(session, [{ ...plan, sink }]);
  const blockRows = Math.max(1, Math.floor(Math.max(pool.chunkBytes, 1 << 14) / (stride * width)));
  const blocks = Array.from({ length: Math.ceil(rows / blockRows) }, (_, i): SampleBlock => {
    const first = i * blockRows;
    const at = x + first * stride * width;
    const none = { nonzeros: 0, target: 0, rowStart: 0, index: 0, value: 0 };
    return { rows: Math.min(blockRows, rows - first), x: at, ...none };
  });
  const storage = bytes ? 'u8' : 'f32';
  return { storage, stride, nonzeros: 0, blocks, dropped: (columns - keep) * rows };
}

function placeLabels(
  parsed: Parsed,
  maps: readonly (Int32Array | null)[],
  rows: number,
  to: number,
) {
  let row = 0;
  return parsed.pieces.map((piece, i): Step => {
    const { rows: n, target, value, storage } = piece;
    const map = maps[i] ?? null;
    if (storage === 'triples')
      return { op: 'place', n, base: 1, rows, map, at: target, from: value, to };
    row += n;
    return { op: 'remap', n, map, from: target, to: to + (row - n) * 4 };
  });
}

/** Labels of a matrix of one column into one run of rows × 4 bytes. */
async function readLabels(session: Session, probe: Probe, rows: number, options: SamplesOptions) {
  const numeric = options.labels === 'number';
  const targets = numeric ? 'numbers' : 'number-texts';
  const shape = shapeOf(probe);
  if (shape.columns !== 1 || shape.rows !== rows) {
    throw sizeError(probe, `the labels of ${rows} rows are a matrix of ${rows} rows and 1 column`);
  }
  let plan = arrayPlan(probe, { labelColumn: 0, keep: 0, targets });
  if (shape.layout === 'coordinate') {
    if (shape.entries !== rows) throw sizeError(probe, 'every row must have a label');
    const triples = mtxTriples(probe);
    assert(triples.rules.kind === 'triples', 'entries are triples');
    plan = { ...triples, rules: { ...triples.rules, labels: !numeric } };
  }
  const parsed = await parseFiles(session, [{ ...plan, sink: blocksSink }]);
  const { classes, warnings, maps } = await classesOf(parsed, options);
  const target = session.arena.allocate(rows * 4);
  await session.steps([{ op: 'fill', n: rows, value: NO_LABEL, at: target }]);
  await session.steps(placeLabels(parsed, maps, rows, target));
  const [missing = -1] = await session.steps([
    { op: 'find', n: rows, value: NO_LABEL, at: target },
  ]);
  if (missing >= 0)
    throw sizeError(probe, `every row must have one label; row ${missing + 1} has none`);
  return { target, classes, warnings };
}

async function noLabels(session: Session, rows: number, options: SamplesOptions) {
  const target = session.arena.allocate(rows * 4);
  await session.steps([{ op: 'fill', n: rows, value: -1, at: target }]);
  return { target, classes: options.like?.classes ?? [], warnings: ['there is no file of labels'] };
}

/** Matrix Market: a design matrix, then its labels; the labels may be absent with `like`. */
export async function loadMtx(
  session: Session,
  probes: readonly [Probe, ...Probe[]],
  options: SamplesOptions,
): Promise<LoadedSamples> {
  const [matrix, vector] = probes;
  const { like } = options;
  if (probes.length > 2 || (vector === undefined && like === undefined)) {
    const rule = 'Matrix Market data is two files, the matrix and then its labels (rows × 1)';
    throw new SystemError('ERR_CONFIG', `${rule}, got ${probes.length}: ${matrix.path}`);
  }
  const shape = shapeOf(matrix);
  const sparse = shape.layout === 'coordinate';
  requireStorage(matrix.path, sparse, options);
  const columns = like?.columns ?? shape.columns;
  if (!sparse && shape.columns < columns) {
    throw sizeError(matrix, `the training data has ${columns} columns`);
  }
  session.expect(2 * matrix.bytes + (vector?.bytes ?? 0));
  const wide = like?.storage === 'f32';
  const data = sparse
    ? await readCoordinates(session, matrix, columns)
    : await readArray(session, matrix, columns, wide);
  const { rows } = shape;
  const labels = vector
    ? await readLabels(session, vector, rows, options)
    : await noLabels(session, rows, options);
  let row = 0;
  const blocks = data.blocks.map((block): SampleBlock => {
    row += block.rows;
    return { ...block, target: labels.target + (row - block.rows) * 4 };
  });
  return {
    ...{ kind: 'samples', format: 'mtx', labels: options.labels ?? 'class', rows, columns },
    ...{ storage: data.storage, stride: data.stride, nonzeros: data.nonzeros, scale: 1 },
    ...{ base: sparse ? 1 : 0, classes: labels.classes, columnNames: [] },
    ...ownRows(session, blocks, { rows, stride: data.stride, storage: data.storage }),
    warnings: [...leftOut(data.dropped, columns), ...labels.warnings],
  };
}
