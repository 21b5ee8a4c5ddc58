// The command line from its arguments to its exit code. main.ts puts the real things in; tests put
// in other models and another host.
import { availableParallelism, cpus, hostname } from 'node:os';
import { exitCodeOf, toFault } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { joinRun, type Joined } from '../launcher/join.ts';
import { modelsText } from './arguments/help.ts';
import { parse } from './arguments/parse.ts';
import type { JobRequest, Request } from './arguments/parse.ts';
import { commandText, demoArguments, demoNext } from './commands/demo.ts';
import { guard } from './guardian.ts';
import { screenOf, type Environment } from './environment.ts';
import { failureJson, failureText, Renderer } from './render.ts';

declare const PERPETUUM_VERSION: string;

/** Cores of this process among those of the same run on this machine. */
function shareOf({ localSize, cores }: Joined): number {
  const free = availableParallelism();
  // A launcher that binds its processes to cores has divided them already.
  const fair = free < cpus().length ? free : Math.max(1, Math.floor(free / localSize));
  return Math.min(cores ?? fair, limits.workersMax);
}

/** The request, as one host of a run that something else has started, if it has. */
function joined(request: JobRequest, { variables }: Environment): [JobRequest, Joined | undefined] {
  const { job, join, threads } = request;
  const found = join && joinRun(join, variables, hostname());
  if (found === undefined || job.command !== 'train') return [request, undefined];
  const { place: cluster } = found;
  // Rank 0 speaks for all.
  const view = cluster.rank === 0 ? {} : { quiet: true, json: false };
  const own = { ...job, cluster, threads: threads ?? shareOf(found) };
  return [{ ...request, job: own, view: { ...request.view, ...view } }, found];
}

function runJob(asked: JobRequest, environment: Environment, before?: string): Promise<number> {
  const [{ job, deadlineMs, view }, found] = joined(asked, environment);
  const { startHost, streams } = environment;
  const renderer = new Renderer(screenOf(environment, view.noColor), view);
  if (before !== undefined) renderer.note(before);
  if (found?.warning !== undefined) renderer.show({ kind: 'warning', text: found.warning });
  return guard({ job, deadlineMs, renderer, startHost, streams });
}

async function runDemo(
  { extra, out }: Extract<Request, { kind: 'demo' }>,
  environment: Environment,
): Promise<number> {
  const args = demoArguments(out, extra);
  const request = parse(args, environment.models);
  if (request.kind !== 'job') return exitCodeOf('ERR_INTERNAL');
  const code = await runJob(request, environment, commandText(args));
  if (code === 0 && !request.view.quiet) {
    environment.streams.err.write(`${demoNext(args, out)}\n`);
  }
  return code;
}

async function carryOut(request: Request, environment: Environment): Promise<number> {
  const { out } = environment.streams;
  switch (request.kind) {
    case 'help':
      out.write(request.text);
      return 0;
    case 'version':
      out.write(`perpetuum ${PERPETUUM_VERSION}\n`);
      return 0;
    case 'models':
      out.write(modelsText(environment.models));
      return 0;
    case 'doctor': {
      const { doctorText, isReady, runChecks } = await import('./commands/doctor.ts');
      const checks = runChecks();
      out.write(doctorText(checks));
      return isReady(checks) ? 0 : 1;
    }
    case 'demo':
      return runDemo(request, environment);
    case 'job':
      return runJob(request, environment);
    case 'launch': {
      const { runLaunch } = await import('./commands/launch.ts');
      return runLaunch(request, environment);
    }
  }
}

/** Runs one command line to its exit code. Never throws: this is where errors become text. */
export async function runCommandLine(
  argv: readonly string[],
  environment: Environment,
): Promise<number> {
  try {
    return await carryOut(parse(argv, environment.models), environment);
  } catch (thrown) {
    const fault = toFault(thrown);
    const exitCode = exitCodeOf(fault.code);
    const verbose = argv.includes('--verbose');
    const { color } = screenOf(environment, argv.includes('--no-color'));
    environment.streams.err.write(failureText(fault, { verbose, color }));
    if (argv.includes('--json')) environment.streams.out.write(failureJson(fault, exitCode));
    return exitCode;
  }
}
