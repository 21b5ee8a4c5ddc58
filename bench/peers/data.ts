// The data sets of the linear benchmarks, each as text, which everybody loads, and as float64 in a
// binary file, by which results are judged (and which glmnet reads: R has no fast reader).
//
//   size     50,932 × 216,808 sparse   size.train.svm.gz
//   debbin   50,932 × 30,973 sparse    sections.train.svm.gz, sections.train.binary-labels.gz
//   a9a      32,561 × 123 sparse       in examples/
//   golub    72 × 7,129 dense          data_set_ALL_AML_{train,independent}.csv.gz, actual.csv.gz
//   ar       1,000 × 10,000 dense      ar.csv, its label first
//   dense    50,000 × 500 dense        made here
//
// PERPETUUM_BENCH_DATA names the folder of the originals. What is made of them stays in
// PERPETUUM_BENCH_WORK, by default a folder of the system's temporary one.
//
// Binary: int32 rows, columns, nonzeros (−1: dense), 0 │ float64 labels │ float64 values │
// int32 rows of the values │ int32 starts of the columns. Dense: the values by column, no integers.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { createPrng } from '../../src/base/prng.ts';
import { smoke } from '../bench.ts';

const originals = process.env['PERPETUUM_BENCH_DATA'] ?? '';
const named = process.env['PERPETUUM_BENCH_WORK'] ?? join(tmpdir(), 'perpetuum-peers');

/** A smoke run keeps nothing. */
export const work = smoke ? mkdtempSync(join(tmpdir(), 'perpetuum-bench-')) : named;
mkdirSync(work, { recursive: true });
if (smoke) process.on('exit', () => rmSync(work, { recursive: true, force: true }));

export type DataSet = {
  readonly name: string;
  readonly format: 'libsvm' | 'csv';
  readonly text: string;
  readonly binary: string;
};

/** X by column, of float64; `starts` is missing where it is dense. */
export type Problem = {
  readonly rows: number;
  readonly columns: number;
  readonly y: Float64Array;
  readonly values: Float64Array;
  readonly places?: { readonly rows: Int32Array; readonly starts: Int32Array };
};

type Made = { readonly text: string | readonly string[]; readonly problem: Problem };
type Recipe = {
  readonly format: 'libsvm' | 'csv';
  readonly from: readonly string[];
  readonly make: (files: readonly string[]) => Made;
};

const textOf = (file: string) =>
  (file.endsWith('.gz') ? gunzipSync(readFileSync(file)) : readFileSync(file)).toString('latin1');
const linesOf = (file: string) => textOf(file).trimEnd().split('\n');

function writeBinary(file: string, { rows, columns, y, values, places }: Problem): void {
  const head = new Int32Array([rows, columns, places === undefined ? -1 : values.length, 0]);
  const parts = [head, y, values, ...(places === undefined ? [] : [places.rows, places.starts])];
  const bytes = parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
  writeFileSync(file, Buffer.concat(bytes));
}

export function readProblem({ binary }: DataSet): Problem {
  const { buffer, byteOffset, byteLength } = readFileSync(binary);
  const aligned = buffer.slice(byteOffset, byteOffset + byteLength);
  const [rows = 0, columns = 0, nonzeros = 0] = new Int32Array(aligned, 0, 4);
  const y = new Float64Array(aligned, 16, rows);
  const at = 16 + 8 * rows;
  if (nonzeros < 0)
    return { rows, columns, y, values: new Float64Array(aligned, at, rows * columns) };
  const values = new Float64Array(aligned, at, nonzeros);
  const [rowsAt, startsAt] = [at + 8 * nonzeros, at + 12 * nonzeros];
  const places = {
    rows: new Int32Array(aligned, rowsAt, nonzeros),
    starts: new Int32Array(aligned, startsAt, columns + 1),
  };
  return { rows, columns, y, values, places };
}

/** libsvm lines, with other labels if there are some. */
function sparse(lines: readonly string[], columns: number): Problem {
  const y = new Float64Array(lines.length);
  const starts = new Int32Array(columns + 1);
  const each = (visit: (row: number, column: number, value: number) => void) =>
    lines.forEach((line, row) => {
      const cells = line.trim().split(' ');
      y[row] = Number(cells[0]);
      for (let k = 1; k < cells.length; k++) {
        const [column, value] = cells[k]!.split(':');
        visit(row, Number(column) - 1, Number(value));
      }
    });
  each((_row, column) => starts[column + 1]!++);
  for (let j = 0; j < columns; j++) starts[j + 1]! += starts[j]!;
  const next = starts.slice();
  const [values, rows] = [new Float64Array(starts[columns]!), new Int32Array(starts[columns]!)];
  each((row, column, value) => {
    const at = next[column]!++;
    values[at] = value;
    rows[at] = row;
  });
  return { rows: lines.length, columns, y, values, places: { rows, starts } };
}

/** Rows of numbers as CSV, the label last, and the same numbers by column. */
function dense(rows: number, columns: number, rowOf: (i: number) => readonly string[]): Made {
  const [y, values] = [new Float64Array(rows), new Float64Array(rows * columns)];
  const parts: string[] = [];
  for (let i = 0; i < rows; i++) {
    const cells = rowOf(i);
    for (let j = 0; j < columns; j++) values[j * rows + i] = Number(cells[j]);
    y[i] = Number(cells[columns]);
    parts.push(`${cells.join(',')}\n`);
  }
  return { text: parts, problem: { rows, columns, y, values } };
}

function libsvm(lines: readonly string[]): Made {
  const last = (line: string) => Number(/(\d+):\S+\s*$/.exec(line)?.[1] ?? 0);
  const columns = lines.reduce((most, line) => Math.max(most, last(line)), 0);
  return { text: lines.map((line) => `${line.trim()}\n`), problem: sparse(lines, columns) };
}

/** Genes in rows, `value, call` of each sample last; samples in rows here, columns standardised. */
function golub([train, independent, actual]: readonly string[]): Made {
  const genes: number[][] = [];
  const patients: number[] = [];
  for (const file of [train!, independent!]) {
    const [head, ...lines] = linesOf(file).map((line) => line.trim().split(','));
    const ids = head!.filter((cell) => /^\d+$/.test(cell)).map(Number);
    patients.push(...ids);
    lines.forEach((cells, gene) => {
      const calls = cells.slice(cells.length - 2 * ids.length);
      genes[gene] = [...(genes[gene] ?? []), ...ids.map((_, k) => Number(calls[2 * k]))];
    });
  }
  const kinds = new Map(linesOf(actual!).map((line) => line.trim().split(',') as [string, string]));
  const sign = patients.map((id) => (kinds.get(String(id)) === 'ALL' ? 1 : -1));
  const n = patients.length;
  const mean = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0) / n;
  const scaled = genes.map((gene) => {
    const middle = mean(gene);
    const spread = Math.sqrt(mean(gene.map((value) => (value - middle) ** 2))) || 1;
    return gene.map((value) => ((value - middle) / spread).toFixed(5));
  });
  const middle = mean(sign);
  return dense(n, genes.length, (i) => [
    ...scaled.map((gene) => gene[i]!),
    (sign[i]! - middle).toFixed(7),
  ]);
}

/** Columns of an AR(½) process, a tenth of them in the truth (at most 50), signal : noise 3. */
function autoregressive(rows: number, columns: number): Made {
  const { uniform, below } = createPrng(4);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const truth = new Map<number, number>();
  const signs = () => (uniform() < 0.5 ? -1 : 1);
  while (truth.size < Math.min(50, columns / 10))
    truth.set(below(columns), (0.5 + uniform()) * signs());
  const noise = Math.sqrt([...truth.values()].reduce((sum, b) => sum + b * b, 0) / 3);
  return dense(rows, columns, () => {
    let [x, label] = [normal(), noise * normal()];
    const cells: string[] = [];
    for (let j = 0; j < columns; j++) {
      if (j > 0) x = 0.5 * x + Math.sqrt(0.75) * normal();
      label += (truth.get(j) ?? 0) * x;
      cells.push(x.toFixed(4));
    }
    return [...cells, label.toFixed(4)];
  });
}

/** Few features in a sample, popular ones more often; a label of either kind. */
function generated(rows: number, columns: number, labels: 'number' | 'sign'): Made {
  const { uniform, below } = createPrng(5);
  const lines = Array.from({ length: rows }, () => {
    const picked = Array.from({ length: 8 }, () => Math.floor(columns * uniform() ** 2));
    const cells = [...new Set(picked)].sort((a, b) => a - b);
    const noise = uniform() - 0.5;
    const score = cells.reduce((sum, j) => sum + ((j % 7) - 3) / 3, noise);
    const label = labels === 'number' ? score.toFixed(4) : score > 0 ? '+1' : '-1';
    return `${label} ${cells.map((j) => `${j + 1}:${(1 + below(100)) / 100}`).join(' ')}`;
  });
  return libsvm(lines);
}

const recipes: Record<string, Recipe> = {
  size: { format: 'libsvm', from: ['size.train.svm.gz'], make: ([f]) => libsvm(linesOf(f!)) },
  debbin: {
    format: 'libsvm',
    from: ['sections.train.svm.gz', 'sections.train.binary-labels.gz'],
    make([samples, labels]) {
      const signs = linesOf(labels!).map((label) => label.trim());
      return libsvm(linesOf(samples!).map((line, i) => line.replace(/^\S+/, signs[i]!)));
    },
  },
  a9a: {
    format: 'libsvm',
    from: [fileURLToPath(new URL('../../examples/data/a9a.gz', import.meta.url))],
    make: ([f]) => libsvm(linesOf(f!)),
  },
  golub: {
    format: 'csv',
    from: ['train', 'independent']
      .map((part) => `data_set_ALL_AML_${part}.csv.gz`)
      .concat('actual.csv.gz'),
    make: golub,
  },
  ar: {
    format: 'csv',
    from: ['ar.csv'],
    make([file]) {
      const lines = linesOf(file!);
      const rowOf = (i: number) => {
        const [label, ...cells] = lines[i]!.trim().split(',');
        return [...cells, label!];
      };
      return dense(lines.length, rowOf(0).length - 1, rowOf);
    },
  },
  dense: { format: 'csv', from: [], make: () => autoregressive(50_000, 500) },
  'smoke dense': { format: 'csv', from: [], make: () => autoregressive(80, 20) },
  'smoke sparse': { format: 'libsvm', from: [], make: () => generated(200, 40, 'number') },
  'smoke signs': { format: 'libsvm', from: [], make: () => generated(200, 40, 'sign') },
};

/** The files of a data set, made if they are not there; or the original that is missing. */
export function prepare(name: string): DataSet | { readonly missing: string } {
  const { format, from, make } = recipes[name]!;
  const base = join(work, name.replace(' ', '-'));
  const set = { name, format, text: `${base}.${format}`, binary: `${base}.f64` };
  if (existsSync(set.binary)) return set;
  const files = from.map((file) => (file.startsWith('/') ? file : join(originals, file)));
  const missing = files.find((file) => !existsSync(file));
  if (missing !== undefined) return { missing };
  const { text, problem } = make(files);
  writeFileSync(set.text, '');
  const parts = typeof text === 'string' ? [text] : text;
  // In pieces: a string has a greatest length. The binary comes last: when it is there, both are.
  for (let at = 0; at < parts.length; at += 1000)
    writeFileSync(set.text, parts.slice(at, at + 1000).join(''), { flag: 'a' });
  writeBinary(`${set.binary}.part`, problem);
  renameSync(`${set.binary}.part`, set.binary);
  return set;
}
