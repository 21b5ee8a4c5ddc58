// What a user says of a simulated cluster, as text with units, and the fault plan it means:
//
//   --latency 1ms  --jitter 200us  --bandwidth 1gbit  --loss 1%  --straggler 3x  --push 5ms
//   --straggler transient:4clocks:50%  --straggler frozen:4clocks:50%
import { SystemError } from '../base/errors.ts';
import { noFaults, perfectLink, type FaultPlan, type Slowdown } from './faults.ts';

/** A number, then a unit out of a table; the unit `''` lets the number stand alone. */
type Quantity = {
  /** Multiples of what the result is in, by unit. */
  readonly units: Readonly<Record<string, number>>;
  readonly minimum: number;
  readonly maximum: number;
  readonly rule: string;
};

const duration: Quantity = {
  units: { us: 0.001, ms: 1, s: 1000 },
  minimum: 0,
  maximum: 3_600_000,
  rule: 'a time from 0 to 3600s in us, ms or s, such as 1ms',
};
const bandwidth: Quantity = {
  units: { kbit: 1 / 8, mbit: 125, gbit: 125_000, kB: 1, MB: 1000, GB: 1_000_000 },
  minimum: 0.001,
  maximum: 1e9,
  rule: 'a rate above 0 in kbit, mbit, gbit, kB, MB or GB per second, such as 1gbit',
};
const share: Quantity = {
  units: { '%': 0.01, '': 1 },
  minimum: 0,
  maximum: 0.5,
  rule: 'a share from 0% to 50%, such as 1%',
};
const factor: Quantity = {
  units: { x: 1 },
  minimum: 1,
  maximum: 1e6,
  rule: 'a factor >= 1 with an x, such as 3x',
};

const stallShare: Quantity = {
  units: { '%': 0.01, '': 1 },
  minimum: 0.001,
  maximum: 0.95,
  rule: 'a share from 0.1% to 95%, such as 50%',
};
const clocks: Quantity = {
  units: { clock: 1, clocks: 1 },
  minimum: 0.01,
  maximum: 10_000,
  rule: 'a number of clocks, such as 4clocks',
};
const work: Quantity = { ...duration, minimum: 0.001, rule: 'a time from 1us on, such as 5ms' };

function read(option: string, text: string, quantity: Quantity): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?|\.\d+)([a-zA-Z%]*)$/.exec(text) ?? [];
  const multiple = Object.hasOwn(quantity.units, unit) ? (quantity.units[unit] ?? NaN) : NaN;
  const value = digits === '' ? NaN : Number(digits) * multiple;
  if (value >= quantity.minimum && value <= quantity.maximum) return value;
  const wrong = `--${option} must be ${quantity.rule}, got "${text}"`;
  throw new SystemError('ERR_CONFIG', `${wrong}\nperpetuum simulate --help explains all options`);
}

/** The texts given, by the name of their option. */
export type NetworkOptions = {
  readonly latency?: string;
  readonly jitter?: string;
  readonly bandwidth?: string;
  readonly loss?: string;
  /** How many times slower the last host is than the others; or what `transientOf` reads. */
  readonly straggler?: string;
};

/** The workers of one host at a time, drawn at random, stand still. */
export type TransientStraggler = {
  /** So many clocks of a host that does not. */
  readonly clocks: number;
  /** Some host does for this share of the time. */
  readonly share: number;
  /** Its mailbox stands still, too: nothing is received or answered. */
  readonly frozen: boolean;
};

/** What `--straggler transient:4clocks:50%` means. @throws ERR_CONFIG */
export function transientOf(text: string | undefined): TransientStraggler | undefined {
  const [form, long = '', share = '', ...rest] = text?.split(':') ?? [];
  if (form !== 'transient' && form !== 'frozen') return undefined;
  if (rest.length > 0 || share === '') {
    const rule = `--straggler ${form} needs a length and a share, such as ${form}:4clocks:50%`;
    const next = 'perpetuum simulate --help explains all options';
    throw new SystemError('ERR_CONFIG', `${rule}, got "${text}"\n${next}`);
  }
  return {
    clocks: read('straggler', long, clocks),
    share: read('straggler', share, stallShare),
    frozen: form === 'frozen',
  };
}

/** What `--push 5ms` means, in milliseconds. @throws ERR_CONFIG */
export function pushMsOf(text: string): number {
  return read('push', text, work);
}

/**
 * The plan of a cluster of `size` hosts as described; what is not given is perfect.
 *
 *     networkFaults({ latency: '1ms', loss: '1%' }, 16).link.latencyMs // 1
 *
 * @throws ERR_CONFIG for a text that is no such quantity.
 */
export function networkFaults(options: NetworkOptions, size: number): FaultPlan {
  const { latency, jitter, bandwidth: rate, loss, straggler } = options;
  const steady = straggler !== undefined && transientOf(straggler) === undefined;
  const times = steady ? read('straggler', straggler, factor) : 1;
  const rank = size - 1;
  const slow: Slowdown = { rank, fromMs: 0, untilMs: Infinity, factor: times };
  return {
    ...noFaults,
    link: {
      latencyMs: latency === undefined ? perfectLink.latencyMs : read('latency', latency, duration),
      jitterMs: jitter === undefined ? perfectLink.jitterMs : read('jitter', jitter, duration),
      bytesPerMs: rate === undefined ? Infinity : read('bandwidth', rate, bandwidth),
      loss: loss === undefined ? perfectLink.loss : read('loss', loss, share),
    },
    slowdowns: times > 1 ? [slow] : [],
  };
}
