// The machines of the parameter server in words, for golden files: a line of text is an input,
// outputs become lines, and the last line is the machine's state.
import { AdaptiveStaleness } from '../../src/ps/adaptive.ts';
import { Budget } from '../../src/ps/budget.ts';
import { Client, type ClientInput, type ClientOutput } from '../../src/ps/client.ts';
import type { RowList } from '../../src/ps/row-set.ts';
import { Shard, type ShardInput, type ShardOutput } from '../../src/ps/shard.ts';
import { VectorClock } from '../../src/ps/vector-clock.ts';

type Answer = (command: string) => readonly string[];

/** `name=value` and bare names (true) of a command. */
class Words {
  readonly verb: string;
  readonly #rest: readonly string[];

  constructor(command: string) {
    const [verb = '', ...rest] = command.split(' ');
    this.verb = verb;
    this.#rest = rest;
  }

  has(name: string): boolean {
    return this.#rest.includes(name);
  }

  text(name: string): string | undefined {
    return this.#rest.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  }

  number(name: string, otherwise = 0): number {
    return Number(this.text(name) ?? otherwise);
  }

  numbers(name: string): readonly number[] {
    const text = this.text(name);
    return text === undefined || text === '' ? [] : text.split(',').map(Number);
  }

  /** `rows=3,4` or `rows=0..9`. */
  rows(): RowList {
    const [first, last] = (this.text('rows') ?? '').split('..').map(Number);
    if (first !== undefined && last !== undefined) return { first, count: last - first + 1 };
    return { rows: Int32Array.from(this.numbers('rows')) };
  }
}

/** Lines of what a step throws, when it does. */
function attempt(step: () => readonly string[]): readonly string[] {
  try {
    return step().map((line) => `  ${line}`);
  } catch (error) {
    return [`  throws ${error instanceof Error ? error.message : String(error)}`];
  }
}

const list = (values: readonly number[]) => (values.length > 0 ? values.join(',') : 'none');

function clientLine(output: ClientOutput): string {
  switch (output.kind) {
    case 'cut':
      return `cut epoch=${output.epoch} clock=${output.clock}${output.early ? ' early' : ''}`;
    case 'install':
      return `install from=${output.from} replay=${list(output.replay)}`;
    case 'release':
      return `release owner=${output.owner} epoch=${output.epoch}`;
    case 'visible':
      return `visible table=${output.table} clock=${output.clock}`;
    case 'grant':
      return `grant ${output.id}`;
  }
}

function clientInput(words: Words): ClientInput {
  switch (words.verb) {
    case 'clock':
      return { kind: 'clock', clock: words.number('clock') };
    case 'idle':
      return { kind: 'idle' };
    case 'quiet':
      return { kind: 'quiet', clock: words.number('clock') };
    case 'want': {
      const want = { id: words.number('id'), table: words.number('table') };
      return { kind: 'want', ...want, of: words.numbers('of'), whole: words.has('whole') };
    }
    case 'values': {
      const [clock, includes] = [words.number('clock'), words.number('includes')];
      const rest = { answers: words.numbers('answers'), last: !words.has('more') };
      return { kind: 'values', from: words.number('from'), clock, includes, ...rest };
    }
    default:
      throw new Error(`no such command: ${words.verb}`);
  }
}

function clientInWords(): Answer {
  let client: Client | undefined;
  return (command) => {
    const words = new Words(command);
    if (words.verb === 'client') {
      const [size, tables] = [words.number('size', 2), words.number('tables', 1)];
      const eager = !words.has('ssp');
      const epochsMax = words.number('epochs', 4);
      client = new Client({ rank: words.number('rank'), size, tables, eager, epochsMax });
      return [String(client)];
    }
    const lines = attempt(() => (client?.step(clientInput(words)) ?? []).map(clientLine));
    return [...lines, String(client)];
  };
}

function shardLine(output: ShardOutput): string {
  switch (output.kind) {
    case 'apply':
      return `apply from=${output.from}`;
    case 'hold':
      return `hold from=${output.from} epoch=${output.epoch}`;
    case 'applyHeld':
      return `apply held of epoch ${output.epoch}, by rank`;
    case 'quiet':
      return `quiet ${output.clock}`;
    case 'clock':
      return `clock ${output.clock}`;
    case 'push': {
      const { to, clock, includes, answers, rows, final } = output;
      const tables = rows
        .map(({ table, rows: set }) => ` table ${table}: ${set.toString()}`)
        .join('');
      const answered = answers.length > 0 ? ` answers=${list(answers)}` : '';
      const last = final ? ' final' : '';
      return `push to=${to} clock=${clock} includes=${includes}${answered}${last}${tables}`;
    }
  }
}

function shardInput(words: Words): ShardInput {
  const [from, table, to] = [words.number('from'), words.number('table'), words.number('to')];
  switch (words.verb) {
    case 'batch': {
      const [epoch, clock] = [words.number('epoch'), words.number('clock')];
      const [last, silent] = [!words.has('more'), words.has('silent')];
      return { kind: 'batch', from, epoch, clock, last, silent };
    }
    case 'touched':
    case 'drop':
      return { kind: words.verb, from, table, rows: words.rows() };
    case 'ask': {
      const rows = words.has('all') ? 'all' : words.rows();
      const [id, required] = [words.number('id'), words.number('required')];
      return { kind: 'ask', from, table, rows, id, required };
    }
    case 'full':
    case 'room':
      return { kind: words.verb, to };
    case 'idle':
      return { kind: 'idle' };
    default:
      throw new Error(`no such command: ${words.verb}`);
  }
}

function shardInWords(): Answer {
  let shard: Shard | undefined;
  return (command) => {
    const words = new Words(command);
    if (words.verb === 'shard') {
      const [rank, size] = [words.number('rank'), words.number('size', 2)];
      const [eager, asynchronous] = [!words.has('ssp'), words.has('async')];
      const held = !words.has('rows');
      const tables = words.numbers('tables').map((rows) => ({ rows, held }));
      const [clocks, epochsMax] = [words.number('clocks', 9), words.number('epochs', 8)];
      const ways = { eager, asynchronous, ordered: words.has('ordered') };
      shard = new Shard({ rank, size, tables, ...ways, clocks, epochsMax });
      return [String(shard)];
    }
    const lines = attempt(() => {
      const outputs = words.verb === 'pushes' ? shard?.pushes() : shard?.step(shardInput(words));
      return (outputs ?? []).map(shardLine);
    });
    return [...lines, String(shard)];
  };
}

function clockInWords(): Answer {
  let clocks: VectorClock | undefined;
  return (command) => {
    const words = new Words(command);
    if (words.verb === 'clocks') clocks = new VectorClock(words.number('parties'));
    const party = words.number('party');
    const lines = attempt(() => {
      if (words.verb === 'advance') clocks?.advance(party, words.number('clock'));
      if (words.verb === 'except') return [`all but ${party}: ${clocks?.minExcept(party)}`];
      return [`all: ${clocks?.min()}`];
    });
    return [...lines, String(clocks)];
  };
}

function budgetInWords(): Answer {
  let budget: Budget | undefined;
  return (command) => {
    const words = new Words(command);
    const [nowMs, bytes] = [words.number('at'), words.number('bytes')];
    if (words.verb === 'budget') {
      budget = new Budget(words.number('rate'), words.number('burst'), nowMs);
    }
    const lines = attempt(() => {
      if (words.verb === 'spend') return [budget?.spend(bytes, nowMs) === true ? 'yes' : 'no'];
      if (words.verb === 'wait') return [`${budget?.waitMs(bytes, nowMs)} ms`];
      return [];
    });
    return [...lines, `available=${budget?.available(nowMs)}`];
  };
}

/** `clocks count=8 waited=2 busy=8`: so many clocks of which each took so long. */
function adaptiveInWords(): Answer {
  let adaptive = new AdaptiveStaleness(0);
  let clock = 0;
  return (command) => {
    const words = new Words(command);
    if (words.verb === 'adaptive') adaptive = new AdaptiveStaleness(words.number('most'));
    const lines: string[] = [];
    for (let n = words.number('count'); n > 0; n--) {
      const times = { waitedMs: words.number('waited'), busyMs: words.number('busy') };
      const change = adaptive.step(clock, times);
      if (change !== undefined) {
        const { from, to, waited } = change;
        lines.push(`  clock ${change.clock}: ${from} → ${to}, waited ${waited.toFixed(2)}`);
      }
      clock += 1;
    }
    return [...lines, `staleness=${adaptive.staleness}`];
  };
}

/** The machine of a golden file: the first word of its name. */
export function machineInWords(file: string): Answer {
  const machines: Readonly<Record<string, () => Answer>> = {
    client: clientInWords,
    shard: shardInWords,
    clock: clockInWords,
    budget: budgetInWords,
    adaptive: adaptiveInWords,
  };
  const machine = machines[file.split('-')[0] ?? ''];
  if (machine === undefined) throw new Error(`${file} names no machine`);
  return machine();
}
