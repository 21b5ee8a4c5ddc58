// A program that only ticks: clocks with nothing to send, or with a whole table of deltas. Reports
// the time of its clocks.
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';

type Options = { readonly clocks: number; readonly rows: number; readonly columns: number };
type State = { readonly times: number[]; readonly bytes: number[] };

const columns = 1024;
const warmup = 0.2;

export const program = defineProgram<Options, PartitionWork, State>({
  name: 'clocks',
  tables: ({ options }) => [{ name: 'values', rows: Math.max(1, options.rows), columns }],
  clocks: ({ options }) => options.clocks,
  start: () => ({ times: [], bytes: [] }),
  push({ state, options, table, arena, worker, report }, { clock }) {
    state.times.push(performance.now());
    if ((clock + 1) % Math.ceil(options.clocks / 5) === 0)
      state.bytes.push(process.memoryUsage.rss());
    if (options.rows > 0) {
      const at = table('values').incRange(0, options.rows);
      arena.f32.fill(1, at / 4, at / 4 + options.rows * columns);
    }
    if (clock + 1 < options.clocks || worker > 0) return;
    const settled = state.times.slice(Math.floor(state.times.length * warmup));
    const spans = settled.slice(1).map((time, i) => time - (settled[i] ?? time));
    spans.sort((a, b) => a - b);
    const quantile = (share: number) => spans[Math.floor(share * (spans.length - 1))] ?? 0;
    const total = (settled.at(-1) ?? 0) - (settled[0] ?? 0);
    report({
      ...{ objective: 0, medianUs: quantile(0.5) * 1e3, p99Us: quantile(0.99) * 1e3 },
      meanUs: (total / spans.length) * 1e3,
      ...Object.fromEntries(state.bytes.map((bytes, i) => [`bytes${i + 1}`, bytes])),
    });
  },
});
