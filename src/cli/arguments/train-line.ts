// Commands that stand in front of a train line: `perpetuum launch … -- train …`.
import { commonOptions, optionsOf } from './options.ts';
import type { JobRequest } from './parse.ts';
import { readArguments, usage, type Values } from './values.ts';

export type Wrapping = {
  readonly command: 'launch' | 'simulate';
  readonly example: string;
  /** What it does with the train line, in words: launches, simulates. */
  readonly verb: string;
  /** What to say of another command behind the dashes. */
  readonly otherwise: string;
};

/** What stands before `--`; `rest` is the command line behind it. @throws ERR_CONFIG */
export function readTrainLine(
  args: readonly string[],
  { command, example, verb, otherwise }: Wrapping,
): { readonly rest: readonly string[]; readonly values: Values } {
  const context = `perpetuum ${command}`;
  const at = args.indexOf('--');
  const before = at < 0 ? args : args.slice(0, at);
  const rest = at < 0 ? [] : args.slice(at + 1);
  const options = [...optionsOf(command), ...commonOptions];
  const { positionals, values } = readArguments(before, { options, context });
  const [extra] = positionals;
  if (extra !== undefined) {
    throw usage(`${context} takes no arguments before --, got "${extra}"`, example);
  }
  const [word] = rest;
  if (word === undefined) throw usage(`${context} needs a train line behind --`, example);
  if (word !== 'train') throw usage(`${context} ${verb} train, got "${word}"`, otherwise);
  return { rest, values };
}

/** What `by` decides must not be given again behind `--`. @throws ERR_CONFIG */
export function checkTrainLine({ join }: JobRequest, by: Wrapping['command']): void {
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
