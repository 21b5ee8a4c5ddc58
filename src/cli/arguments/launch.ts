// perpetuum launch: its own options, then `--`, then the train line that all hosts carry out.
import { readTrainLine, type Wrapping } from './train-line.ts';
import { usage, type Values } from './values.ts';

export type LaunchRequest = {
  /** Exactly one of them is given. */
  readonly hosts:
    | { readonly kind: 'local'; readonly size: number }
    | { readonly kind: 'list'; readonly text: string }
    | { readonly kind: 'file'; readonly path: string };
  readonly port: number | undefined;
  readonly secret: string | undefined;
  readonly insecure: boolean;
  readonly ssh: string;
  readonly dryRun: boolean;
  /** The train line, as it was given. */
  readonly line: readonly string[];
};

const context = 'perpetuum launch';
const example = 'for example perpetuum launch --local 2 -- train mlr data.csv';
const wrapping: Wrapping = {
  command: 'launch',
  verb: 'launches',
  example,
  otherwise: `${example}; other commands work on one machine, without launch`,
};

function hostsOf(values: Values): LaunchRequest['hosts'] {
  const local = values.number('local');
  const list = values.text('host');
  const file = values.text('hosts');
  const given = [local, list, file].filter((value) => value !== undefined).length;
  if (given !== 1) {
    const rule = `${context} needs one of --local N, -H a:2,b:2 and --hosts FILE`;
    throw usage(`${rule}, got ${given === 0 ? 'none' : given}`, example);
  }
  if (local !== undefined) return { kind: 'local', size: local };
  if (list !== undefined) return { kind: 'list', text: list };
  return { kind: 'file', path: file ?? '' };
}

/** Reads what stands before `--`; `rest` is the command line behind it. @throws ERR_CONFIG */
export function readLaunch(args: readonly string[]) {
  const { rest, values } = readTrainLine(args, wrapping);
  const launch: LaunchRequest = {
    ...{ hosts: hostsOf(values), port: values.number('port'), secret: values.text('secret') },
    ...{ insecure: values.flag('insecure'), ssh: values.text('ssh') ?? 'ssh' },
    ...{ dryRun: values.flag('dry-run'), line: rest },
  };
  return { launch, rest, values };
}
