// perpetuum simulate: its own options, then `--`, then the train line of simulated hosts.
import type { SimulateJob } from '../../jobs/job.ts';
import { policyFrom, type Consistency, type Policy } from '../../ps/freshness.ts';
import { networkFaults, pushMsOf, type NetworkOptions } from '../../sim/options.ts';
import type { JobRequest } from './parse.ts';
import { checkTrainLine, readTrainLine, type Wrapping } from './train-line.ts';
import { usage, type Values } from './values.ts';

const context = 'perpetuum simulate';
const example = 'for example perpetuum simulate --hosts 4 -- train mlr data.csv --solver sgd';
const wrapping: Wrapping = {
  command: 'simulate',
  verb: 'simulates',
  example,
  otherwise: example,
};
const defaultPush = '5ms';
const defaultPolicies = 'bsp,ssp:1,ssp:2,ssp:4,ssp:8,essp:1,essp:4,auto';
const names: readonly Consistency[] = ['bsp', 'ssp', 'essp', 'async', 'auto'];

/** `essp:4`, or a name alone with its own default. */
function policyOf(word: string): Policy {
  const [name = '', staleness, ...rest] = word.split(':');
  const consistency = names.find((known) => known === name);
  const count = staleness === undefined ? undefined : Number(staleness);
  const right = rest.length === 0 && staleness !== '' && /^\d*$/.test(staleness ?? '');
  if (consistency !== undefined && right) return policyFrom(consistency, count);
  const rule = `--only must be of ${names.join(', ')}, each with or without :STALENESS`;
  throw usage(`${rule}, got "${word}"`, 'for example --only bsp,essp:4');
}

function policiesOf(list: string): readonly Policy[] {
  const policies = list.split(',').map((word) => policyOf(word.trim()));
  const same = (a: Policy) => (b: Policy) =>
    a.consistency === b.consistency && a.staleness === b.staleness;
  return policies.filter((policy, i) => policies.findIndex(same(policy)) === i);
}

function networkOf(values: Values): NetworkOptions {
  const given = (['latency', 'jitter', 'bandwidth', 'loss', 'straggler'] as const).flatMap(
    (name) => {
      const text = values.text(name);
      return text === undefined ? [] : [[name, text] as const];
    },
  );
  return Object.fromEntries(given);
}

/** Reads what stands before `--`; `rest` is the command line behind it. @throws ERR_CONFIG */
export function readSimulate(args: readonly string[]) {
  return readTrainLine(args, wrapping);
}

/** The job, out of its options and the train line. @throws ERR_CONFIG */
export function simulateJobOf(values: Values, train: JobRequest): SimulateJob {
  if (train.job.command !== 'train') throw usage(`${context} simulates train`, example);
  checkTrainLine(train, 'simulate');
  const { out } = train.job;
  if (out !== undefined) {
    throw usage(`${context} saves no model, got --out ${out}`, 'leave --out out');
  }
  const hosts = values.number('hosts') ?? 4;
  const own = values.number('threads');
  if (own !== undefined && train.threads !== undefined && own !== train.threads) {
    const rule = `--threads must be given once, got ${own} and ${train.threads}`;
    throw usage(rule, 'leave out the one behind --');
  }
  const network = networkOf(values);
  const push = values.text('push') ?? defaultPush;
  networkFaults(network, hosts);
  pushMsOf(push);
  return {
    ...{ command: 'simulate', train: train.job, hosts, threads: own ?? train.threads ?? 1 },
    ...{ network, push, seed: values.number('sim-seed') ?? 1 },
    policies: policiesOf(values.text('only') ?? defaultPolicies),
    objective: values.number('objective'),
  };
}
