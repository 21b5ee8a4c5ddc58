// Samples from idx files (MNIST): pixels of one byte each, then labels of one byte each. Pixels
// stay bytes in memory; their value is byte / 255. Of several hosts each reads the pixels of its
// rows, and all labels.
import { assert } from '../../base/assert.ts';
import { fromFault, SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { SampleBlock } from '../dataset.ts';
import type { LoadedSamples, SamplesOptions } from '../load-samples.ts';
import { located, type Violation } from '../parse/codes.ts';
import type { IdxShape, ImagesTask, Piece, Probe } from '../tasks.ts';
import { mergeClasses } from './classes.ts';
import { sourceOf } from './files.ts';
import type { Session } from './session.ts';
import { rowsHere } from './shares.ts';
import { requireStorage } from './text-samples.ts';

/** A binary file counts as one line; the column is the byte, from 1. */
function sizeError(probe: Probe, column: number, rule: string, found: string): SystemError {
  return new SystemError('ERR_DATA', located(probe.path, 1, column, rule, found));
}

function dimensionsOf(probe: Probe): readonly number[] {
  return (probe.shape as IdxShape).dimensions;
}

function promised(probe: Probe): string {
  return `the header promises ${dimensionsOf(probe).join(' × ')} bytes`;
}

function violationError(probe: Probe, violation: Violation): SystemError {
  return sizeError(probe, violation.column, promised(probe), violation.found);
}

/** What can be seen before reading: number of files, dimensions, sizes of plain files. */
function checkShapes(probes: readonly Probe[], columnsWanted: number | undefined) {
  const [images, labels] = probes;
  if (images === undefined || labels === undefined || probes.length !== 2) {
    const rule = 'idx data is two files, images and then labels';
    throw new SystemError('ERR_CONFIG', `${rule}, got ${probes.length}: ${images?.path}`);
  }
  const [rows = 0, ...inner] = dimensionsOf(images);
  const [count = 0, ...more] = dimensionsOf(labels);
  const swapped = 'name the images first, then the labels';
  if (inner.length === 0) throw sizeError(images, 4, swapped, 'one dimension, so labels');
  if (more.length > 0)
    throw sizeError(labels, 4, swapped, `${more.length + 1} dimensions, so images`);
  const rowBytes = inner.reduce((product, n) => product * n, 1);
  if (rows === 0 || rowBytes === 0)
    throw sizeError(images, 5, 'there must be rows and columns', 'a size of 0');
  if (rowBytes > limits.chunkBytes) {
    throw sizeError(images, 9, `a sample has at most ${limits.chunkBytes} bytes`, `${rowBytes}`);
  }
  if (columnsWanted !== undefined && rowBytes !== columnsWanted) {
    throw sizeError(images, 9, `the training data has ${columnsWanted} columns`, `${rowBytes}`);
  }
  for (const probe of [images, labels]) {
    const size = probe.dataAt + dimensionsOf(probe).reduce((product, n) => product * n, 1);
    if (probe.gzip || probe.bytes === size) continue;
    const found = probe.bytes < size ? 'the end of the file' : 'more bytes';
    throw sizeError(probe, Math.min(probe.bytes, size) + 1, promised(probe), found);
  }
  if (count !== rows) {
    throw sizeError(
      labels,
      5,
      `there must be a label for each of the ${rows} images`,
      `${count} labels`,
    );
  }
  return { images, labels, rows, rowBytes };
}

/** A task for each block of this host's rows; of a compressed file one, which skips the others. */
function imageTasks(session: Session, probe: Probe, rows: number, rowBytes: number): ImagesTask[] {
  const source = sourceOf(session, probe);
  const blockRows = Math.max(1, Math.floor(source.chunkBytes / rowBytes));
  const stride = Math.ceil(rowBytes / 16) * 16;
  const keep = rowsHere(session, rows);
  const task = { kind: 'images', source, rowBytes, stride, blockRows, keep } as const;
  if (probe.gzip) return [{ ...task, firstRow: 0, rows }];
  return Array.from({ length: Math.ceil((keep.last - keep.first) / blockRows) }, (_, i) => {
    const firstRow = keep.first + i * blockRows;
    return { ...task, firstRow, rows: Math.min(blockRows, keep.last - firstRow) };
  });
}

async function readImages(session: Session, tasks: readonly ImagesTask[], probe: Probe) {
  const results = await session.askAll(tasks, (result) => result.violation !== undefined);
  const pieces: Piece[] = [];
  for (const result of results) {
    if (result.kind === 'failure') throw fromFault(result);
    if (result.violation !== undefined) throw violationError(probe, result.violation);
    pieces.push(...result.pieces);
  }
  return pieces;
}

/** Classes are the labels met, or those of the training data. */
async function readLabels(session: Session, probe: Probe, rows: number, options: SamplesOptions) {
  const source = sourceOf(session, probe);
  const result = await session.ask({ kind: 'labels', source, rows });
  if (result.violation !== undefined) throw violationError(probe, result.violation);
  const met = result.seen.flatMap((seen, label) => (seen ? [String(label)] : []));
  const labels = { texts: met.join('\n'), places: new Int32Array(2 * met.length) };
  const piece = { labels, path: probe.path, firstLine: 1 };
  const { classes, unknown } = await mergeClasses([piece], options.like?.classes);
  const map = Int32Array.from({ length: 256 }, (_, label) => classes.indexOf(String(label)));
  const { target } = result;
  await session.steps([{ op: 'remap', n: rows, map, from: target, to: target }]);
  const warnings =
    unknown.length === 0
      ? []
      : [`labels that the training data does not have: ${unknown.join(', ')}`];
  return { target, classes, warnings };
}

/** idx: images of any number of dimensions ≥ 2, and their labels. */
export async function loadIdx(
  session: Session,
  probes: readonly Probe[],
  options: SamplesOptions,
): Promise<LoadedSamples> {
  if (options.labels === 'number') {
    throw new SystemError('ERR_CONFIG', 'labels: idx labels are classes, got number');
  }
  requireStorage(probes[0]?.path ?? '', false, options);
  const { images, labels, rows, rowBytes } = checkShapes(probes, options.like?.columns);
  const tasks = imageTasks(session, images, rows, rowBytes);
  const pieces = await readImages(session, tasks, images);
  const { target, classes, warnings } = await readLabels(session, labels, rows, options);
  const here = rowsHere(session, rows);
  let row = here.first;
  const blocks = pieces.map((piece): SampleBlock => {
    const at = target + row * 4;
    row += piece.rows;
    return {
      rows: piece.rows,
      nonzeros: 0,
      target: at,
      x: piece.x,
      rowStart: 0,
      index: 0,
      value: 0,
    };
  });
  assert(row === here.last, 'every image of this host is in a block');
  return {
    ...{ kind: 'samples', format: 'idx', storage: 'u8', labels: 'class', rows, columns: rowBytes },
    ...{ stride: Math.ceil(rowBytes / 16) * 16, nonzeros: 0, scale: 1 / 255, base: 0 },
    ...{ first: here.first, classes, columnNames: [], blocks, warnings },
  };
}
