// Runs of several hosts on this machine, as the launcher starts them: what a clock costs when there
// is nothing to send, how fast deltas travel, what staleness is worth when hosts stall, and whether
// memory stays where it is.
//
//   clocks       2 hosts × 1 thread, tables that nobody changes
//   deltas       2 hosts × 1 thread, every clock changes every value of a table
//   stragglers   4 hosts × 1 thread whose pushes sleep 10 ms; one at a time, drawn anew, stalls for
//                four clocks' time, half of all time (bench/programs/stalling-mlr.ts)
//   memory       2 hosts × 1 thread, 50 000 clocks
import { fileURLToPath } from 'node:url';
import { digits, parameter, table } from './bench.ts';
import { run } from './command.ts';

const here = (file: string) => fileURLToPath(new URL(`./${file}`, import.meta.url));
const data = (file: string) => here(`../../examples/data/${file}`);

type Done = {
  readonly metrics: Record<string, number>;
  readonly seconds: { readonly train: number };
  readonly stalenessHistogram: readonly number[];
  readonly links: readonly { readonly bytesSent: number }[];
};

type Setting = readonly [consistency: string, staleness?: number];

/** One launch of `hosts` local hosts with a thread each; its result. */
function launch(hosts: number, [consistency, staleness]: Setting, args: readonly string[]): Done {
  const bound = staleness === undefined ? [] : ['--staleness', String(staleness)];
  const train = ['train', ...args, '--threads', '1', '--partitions', String(hosts)];
  const how = ['--consistency', consistency, ...bound, '--json', '--quiet'];
  const line = ['launch', '--local', String(hosts), '--', ...train, ...how];
  const { output } = run(process.execPath, [here('cli.js'), ...line]);
  const found = output.split('\n').find((text) => text.includes('"event":"done"'));
  if (found === undefined) throw new Error(`perpetuum ${line.join(' ')}: ${output}`);
  return JSON.parse(found) as Done;
}

const set = (options: Record<string, number | boolean>) =>
  Object.entries(options).flatMap(([name, value]) => ['--set', `${name}=${value}`]);

function measureClocks(): void {
  const clocks = parameter('clocks', 50, 10_000);
  const program = [here('clock-program.js'), data('digits.csv.gz'), ...set({ clocks, rows: 0 })];
  const settings: readonly Setting[] = [['bsp'], ['essp', 0], ['essp', 1], ['ssp', 1]];
  const rows = settings.map((setting) => {
    const { metrics } = launch(2, setting, program);
    const us = (name: string) => digits(metrics[name] ?? NaN);
    return [setting.join(' s='), us('medianUs'), us('meanUs'), us('p99Us')];
  });
  table('A clock with nothing to send, µs', ['', 'median', 'mean', '99 %'], rows);
}

function measureDeltas(): void {
  const settings: readonly Setting[] = [['bsp'], ['essp', 1]];
  const clocks = parameter('clocks of deltas', 5, 60);
  const tableRows = parameter('rows', 64, 4096);
  const program = [here('clock-program.js'), data('digits.csv.gz')];
  const rows = settings.map((setting) => {
    const options = set({ clocks, rows: tableRows });
    const { metrics, links } = launch(2, setting, [...program, ...options]);
    const seconds = (metrics['meanUs'] ?? NaN) / 1e6;
    // A host sends the deltas of the other's half, and the values of its own half.
    const bytes = tableRows * 4096;
    const sent = (links[0]?.bytesSent ?? NaN) / clocks;
    return [
      ...[setting.join(' s='), digits(bytes / 2 ** 20), digits(1000 * seconds)],
      ...[digits(bytes / seconds / 1e9), (sent / bytes).toFixed(3)],
    ];
  });
  const header = ['', 'MiB a clock', 'ms a clock', 'GB/s each way', 'sent / values'];
  table('Deltas of a whole table every clock, over TLS on loopback', header, rows);
}

function measureStragglers(): void {
  const pushMs = 10;
  const passes = parameter('passes', 1, 4);
  const model = { lambda: 1e-4, intercept: true, batchSize: 512, learningRate: 2.9 };
  const program = [here('stalling-mlr.js'), data('a9a.gz'), '--passes', String(passes)];
  const settings: readonly Setting[] = [['bsp'], ['ssp', 4], ['essp', 1], ['essp', 4], ['auto', 8]];
  for (const stallMs of [0, 4 * pushMs]) {
    const options = set({ ...model, pushMs, stallMs, hosts: 4 });
    const timed = settings.map((setting) => {
      const { seconds, metrics } = launch(4, setting, [...program, ...options]);
      return { setting, seconds: seconds.train, loss: metrics['loss']! / metrics['rows']! };
    });
    const first = timed[0]!;
    const rows = timed.map(({ setting, seconds, loss }) => [
      ...[setting.join(' s='), seconds.toFixed(2), (seconds / first.seconds).toFixed(2)],
      loss.toFixed(4),
    ]);
    const what = stallMs === 0 ? 'no stragglers' : 'transient stragglers';
    const header = ['', 'training, s', 'to bsp', 'loss in the last pass'];
    table(`mlr by SGD on 4 hosts, ${what}`, header, rows);
  }
}

function measureMemory(): void {
  const clocks = parameter('clocks of memory', 100, 50_000);
  const options = set({ clocks, rows: 16 });
  const program = [here('clock-program.js'), data('digits.csv.gz'), ...options];
  const rows = (['bsp', 'essp', 'ssp'] as const).map((consistency) => {
    const { metrics } = launch(2, [consistency], program);
    const mib = (fifth: number) => ((metrics[`bytes${fifth}`] ?? NaN) / 2 ** 20).toFixed(0);
    return [consistency, ...[1, 2, 3, 4, 5].map(mib)];
  });
  const header = ['', ...[1, 2, 3, 4, 5].map((fifth) => `${(fifth * clocks) / 5} clocks`)];
  table(`Memory of a host over ${clocks} clocks of deltas, MiB`, header, rows);
}

measureClocks();
measureDeltas();
measureStragglers();
measureMemory();
