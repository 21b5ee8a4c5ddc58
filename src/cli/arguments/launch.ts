// perpetuum launch: its own options, then `--`, then the train line that all hosts carry out.
import { commonOptions, optionsOf } from './options.ts';
import type { JobRequest } from './parse.ts';
import { readArguments, usage, type Values } from './values.ts';

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
  const at = args.indexOf('--');
  const before = at < 0 ? args : args.slice(0, at);
  const rest = at < 0 ? [] : args.slice(at + 1);
  const options = [...optionsOf('launch'), ...commonOptions];
  const { positionals, values } = readArguments(before, { options, context });
  const [extra] = positionals;
  if (extra !== undefined) {
    throw usage(`${context} takes no arguments before --, got "${extra}"`, example);
  }
  const [word] = rest;
  if (word === undefined) throw usage(`${context} needs a train line behind --`, example);
  if (word !== 'train') {
    const next = `${example}; other commands work on one machine, without launch`;
    throw usage(`${context} launches train, got "${word}"`, next);
  }
  const launch: LaunchRequest = {
    ...{ hosts: hostsOf(values), port: values.number('port'), secret: values.text('secret') },
    ...{ insecure: values.flag('insecure'), ssh: values.text('ssh') ?? 'ssh' },
    ...{ dryRun: values.flag('dry-run'), line: rest },
  };
  return { launch, rest, values };
}

/** What launch, or simulate, decides must not be given again behind `--`. @throws ERR_CONFIG */
export function checkLaunched({ join }: JobRequest, by = 'launch'): void {
  const given = [
    ...[join?.rank !== undefined && '--host-rank', join?.size !== undefined && '--world-size'],
    join?.master !== undefined && '--master',
  ].find((name) => name !== false);
  if (given !== undefined) {
    throw usage(`${given} is given by ${by} itself`, `leave out ${given}`);
  }
  const moved = join?.secret !== undefined ? '--secret' : join?.insecure ? '--insecure' : undefined;
  if (moved !== undefined) {
    throw usage(`${moved} is an option of ${by}`, `write it before --`);
  }
}
