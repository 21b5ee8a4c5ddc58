// Rows for the wire: packing, taking and applying payloads of a megabyte, beside copying memory.
import { limits } from '../src/base/limits.ts';
import { createMemory, openArena } from '../src/memory/arena.ts';
import { chooseVariant, compileKernels, instantiate } from '../src/memory/kernels.ts';
import { planLayout, scratchAt } from '../src/memory/layout.ts';
import type { FoldPlace } from '../src/store/fold.ts';
import { planTables, type TablePlan } from '../src/store/table.ts';
import { addPayload } from '../src/store/wire/apply.ts';
import { takeDeltas } from '../src/store/wire/deltas.ts';
import { checkPayload, type Encoding } from '../src/store/wire/format.ts';
import { setPayload } from '../src/store/wire/set.ts';
import { packValues } from '../src/store/wire/values.ts';
import { digits, measure, parameter, table, type Case } from './bench.ts';
import { sequence } from './kernels/memory.ts';

const tableBytes = parameter('tableBytes', 1 << 16, 8 << 20);
const layout = planLayout(1, 512 * 2 ** 20);
const memory = createMemory(layout.bytes);
const arena = openArena(memory, layout, true);
const module = compileKernels(chooseVariant({ reproducible: false }));
const place: FoldPlace = {
  arena,
  kernels: instantiate(module, memory),
  scratch: scratchAt(layout, 0),
  scratchBytes: limits.scratchBytes,
  userKernels: {},
};

type Shape = {
  readonly name: string;
  readonly columns: number;
  /** One row in this many is changed. */
  readonly every: number;
  /** One entry of a changed row in this many is not 0. */
  readonly thin: number;
  readonly encoding: Encoding;
};

const shapes: readonly Shape[] = [
  { name: 'dense, 64 columns', columns: 64, every: 1, thin: 1, encoding: 'full' },
  { name: 'dense, 10 columns', columns: 10, every: 1, thin: 1, encoding: 'full' },
  { name: 'dense, 1 column', columns: 1, every: 1, thin: 1, encoding: 'full' },
  { name: 'every 10th row, 64 columns', columns: 64, every: 10, thin: 1, encoding: 'full' },
  { name: 'every 20th entry, 64 columns', columns: 64, every: 1, thin: 20, encoding: 'full' },
  { name: 'dense f16, 64 columns', columns: 64, every: 1, thin: 1, encoding: 'f16' },
  { name: 'dense bf16, 64 columns', columns: 64, every: 1, thin: 1, encoding: 'bf16' },
];

const whole = ({ rows }: TablePlan) => ({ first: 0, last: rows });
const total = (payloads: readonly Uint8Array[]) =>
  payloads.reduce((sum, { byteLength }) => sum + byteLength, 0);

function casesOf(shape: Shape): Case[] {
  const { columns, every, thin, encoding } = shape;
  const rows = Math.floor(tableBytes / (columns * 4));
  const spec = { name: 'w', rows, columns };
  const [values, deltas] = [0, 1].map(
    () => planTables(arena, [spec], { consistency: 'ssp', staleness: 1 })[0]!,
  );
  const marks = arena.allocate(rows);
  const { uniform } = sequence(7);
  const full = new Float32Array((rows * deltas!.rowBytes) / 4);
  const changed: number[] = [];
  for (let row = 0; row < rows; row += every) {
    changed.push(row);
    for (let column = row % thin; column < columns; column += thin) {
      full[(row * deltas!.rowBytes) / 4 + column] = uniform() / 1024;
    }
  }
  const numbers = Int32Array.from(changed);
  const at = deltas!.at / 4;
  const refill = () => {
    arena.f32.set(full, at);
    arena.u8.fill(0, marks, marks + rows);
    for (const row of numbers) arena.u8[marks + row] = 1;
  };
  const options = { table: values!, deltas: deltas!, marks };
  const take = () => takeDeltas(place, options, whole(deltas!), { encoding });
  refill();
  const sent = take();
  const bytes = total(sent);
  refill();
  const chosen = every === 1 ? whole(deltas!) : numbers;
  const answers = packValues(place, deltas!, chosen);
  const tables = [values!];
  const alone = { replay: [], accumulators: [], clock: 0 };
  const make = (series: string, elements: number, run: () => unknown): Case => {
    return { name: shape.name, series, elements, run, checksum: elements };
  };
  return [
    make('refill', bytes, refill),
    make('refill and take', bytes, () => {
      refill();
      return take();
    }),
    make('pack', total(answers), () => packValues(place, deltas!, chosen)),
    make('check', bytes, () => sent.map((payload) => checkPayload(payload, tables))),
    make('add', bytes, () => sent.map((payload) => addPayload(place, payload, tables, 0))),
    make('set', total(answers), () =>
      answers.map((payload) => setPayload(place, payload, tables, alone)),
    ),
  ];
}

function copyCases(): Case[] {
  const half = arena.allocate(2 * tableBytes);
  const payload = new Uint8Array(Math.min(tableBytes, limits.wireBytes));
  const copies = Math.ceil(tableBytes / payload.length);
  const make = (series: string, run: () => unknown): Case => {
    return { name: 'copy', series, elements: copies * payload.length, run, checksum: 0 };
  };
  const each = (body: (from: number) => unknown) => () => {
    for (let i = 0; i < copies; i++) body(i * payload.length);
  };
  const n = payload.length;
  return [
    make(
      'a payload into memory',
      each((from) => arena.u8.set(payload, half + from)),
    ),
    make(
      'memory into a new payload',
      each((from) => arena.u8.slice(half + from, half + from + n)),
    ),
    make('within memory', () => arena.u8.copyWithin(half + tableBytes, half, half + tableBytes)),
  ];
}

const copied = measure(copyCases());
const copies = [...copied.get('copy')!].map(([series, { nanoseconds }]) => [
  series,
  digits(1 / nanoseconds),
]);
table('Copying, payloads of a megabyte', ['copy', 'GB/s'], copies);

const rows = shapes.map((shape) => {
  const mark = arena.mark();
  const cases = casesOf(shape);
  const times = measure(cases).get(shape.name)!;
  arena.release(mark);
  const of = (series: string) => times.get(series)!.nanoseconds;
  const taking = Math.max(1e-9, of('refill and take') - of('refill'));
  const speeds = [taking, ...['pack', 'check', 'add', 'set'].map(of)];
  return [shape.name, digits(cases[0]!.elements / 1e6), ...speeds.map((ns) => digits(1 / ns))];
});
const header = ['changed', 'MB of deltas', 'take', 'pack', 'check', 'add', 'set'];
table('Payloads, one thread, GB of payload / s', header, rows);
