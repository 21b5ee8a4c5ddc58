// Parsing: the libsvm kernel on a megabyte of text against the same loop in C, and whole loads from
// a file by 1 and by 2 threads.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLoaderPool } from '../src/data/loader-pool.ts';
import { loadRatings } from '../src/data/load-ratings.ts';
import { loadSamples } from '../src/data/load-samples.ts';
import { createMemory, openArena, type Arena } from '../src/memory/arena.ts';
import { chooseVariant, compileKernels } from '../src/memory/kernels.ts';
import { planLayout } from '../src/memory/layout.ts';
import { checkAgreement, digits, measure, native, parameter, table, type Case } from './bench.ts';
import { f32, i32, kernels, place, room, series } from './kernels/memory.ts';
import { binaryText, ratingsText, tfidfText } from './kernels/texts.ts';

const textBytes = parameter('textBytes', 1 << 12, 1 << 20);
const fileBytes = parameter('fileBytes', 1 << 16, 8 << 20);
const loads = parameter('loads', 1, 12);
/** Count, slots and entries of the label table: assembly/parse/labels.ts. */
const LABEL_ENTRIES = 64 + 8192 * 4;
const LABEL_BYTES = LABEL_ENTRIES + 4096 * 16;

function kernelCases(name: string, text: string): Case[] {
  const content = Buffer.from(text);
  const bytes = content.lastIndexOf(10) + 1;
  const at = place(new Uint8Array(content.subarray(0, bytes)));
  const [rowsMax, entriesMax] = [bytes >> 1, bytes >> 2];
  const [state, labels] = [room(128), room(LABEL_BYTES)];
  const [target, rowStart] = [room(rowsMax * 4), room((rowsMax + 1) * 4)];
  const [index, value] = [room(entriesMax * 4), room(entriesMax * 4)];
  return series.map((build) => {
    const { bytes_zero, parse_libsvm } = kernels.get(build)!;
    const run = () => {
      bytes_zero(LABEL_ENTRIES, labels);
      return parse_libsvm(
        ...([at, at + bytes, state, -1, 1e8, 1e8, rowsMax, entriesMax] as const),
        ...([4096, 256, labels, 0, target, rowStart, index, value] as const),
      );
    };
    if (run() !== 0) throw new Error(`${name}: the kernel refuses the text`);
    const [rows, entries] = [i32[state / 4 + 3]!, i32[state / 4 + 4]!];
    let checksum = 0;
    for (let i = 0; i < entries; i++) checksum += f32[value / 4 + i]! + i32[index / 4 + i]!;
    for (let r = 0; r <= rows; r++) checksum += i32[rowStart / 4 + r]!;
    return { name, series: build, elements: bytes, run, checksum };
  });
}

function compareKernels(texts: Readonly<Record<string, string>>, folder: string): void {
  const files = Object.entries(texts).flatMap(([name, text]) => {
    const path = join(folder, `${name}.kernel`);
    writeFileSync(path, text);
    return [name, path];
  });
  const program = native('parse_libsvm', files);
  const cases = Object.entries(texts).flatMap(([name, text]) => kernelCases(name, text));
  const timings = measure(cases, [program]);
  checkAgreement(timings, 1e-8);
  const rows = [...timings].flatMap(([name, row]) => {
    const c = row.get('C')?.nanoseconds;
    return [...row].map(([build, { nanoseconds, checksum }]) => {
      const ratio = c === undefined ? (program.missing ?? 'no C') : digits(nanoseconds / c);
      const speed = [digits(1000 / nanoseconds), digits(nanoseconds)];
      return [name, build, ...speed, ratio, checksum.toPrecision(9)];
    });
  });
  const header = ['libsvm text, 1 MiB', 'build', 'MB/s', 'ns / byte', 'to C', 'checksum'];
  table('The parse kernel, one thread', header, rows);
}

type Load = { name: string; bytes: number; run: (host: Host) => Promise<number> };
type Host = { arena: Arena; pool: ReturnType<typeof createLoaderPool> };

async function timeLoads(work: readonly Load[], threads: number): Promise<Map<string, number[]>> {
  const layout = planLayout(threads, 512 * 2 ** 20);
  const memory = createMemory(layout.bytes);
  const module = compileKernels(chooseVariant({ reproducible: false }));
  const host: Host = {
    arena: openArena(memory, layout, true),
    pool: createLoaderPool({ memory, layout, module, threads }),
  };
  const found = new Map<string, number[]>();
  for (let round = 0; round <= loads; round++) {
    for (const { name, run } of work) {
      const mark = host.arena.mark();
      const start = performance.now();
      const checksum = await run(host);
      const [least = Infinity] = round === 0 ? [] : (found.get(name) ?? []);
      found.set(name, [Math.min(least, performance.now() - start), checksum]);
      host.arena.release(mark);
    }
  }
  await host.pool.close();
  return found;
}

async function compareLoads(texts: Readonly<Record<string, string>>, folder: string) {
  const work = Object.entries(texts).map(([name, text]): Load => {
    const path = join(folder, name);
    writeFileSync(path, text);
    const samples = async (host: Host) => (await loadSamples([path], {}, host)).rows;
    const ratings = async (host: Host) => (await loadRatings([path], {}, host)).count;
    return { name, bytes: text.length, run: name === 'ratings' ? ratings : samples };
  });
  const [one, two] = [await timeLoads(work, 1), await timeLoads(work, 2)];
  const rows = work.map(({ name, bytes }) => {
    const [a = NaN, rowsOfOne = 0] = one.get(name) ?? [];
    const [b = NaN, rowsOfTwo = 0] = two.get(name) ?? [];
    if (rowsOfOne !== rowsOfTwo) throw new Error(`${name}: 1 and 2 threads load other rows`);
    const speeds = [a, b].map((milliseconds) => digits(bytes / milliseconds / 1000));
    return [name, ...speeds, digits(a / b), String(rowsOfOne)];
  });
  const header = ['file, 8 MiB', '1 thread, MB/s', '2 threads, MB/s', 'gain', 'rows'];
  table('A whole load', header, rows);
}

const folder = mkdtempSync(join(tmpdir(), 'perpetuum-bench-'));
try {
  compareKernels({ 'tf-idf': tfidfText(textBytes), binary: binaryText(textBytes) }, folder);
  const [tfidf, binary] = [tfidfText(fileBytes), binaryText(fileBytes)];
  await compareLoads({ 'tf-idf': tfidf, binary, ratings: ratingsText(fileBytes) }, folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
