// The command line from its arguments to its exit code. main.ts puts the real things in; tests put
// in other models and another host.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { exitCodeOf, SystemError, toFault } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { parseHostFile, parseHostList } from '../launcher/hosts.ts';
import { joinRun, type Joined } from '../launcher/join.ts';
import { launch } from '../launcher/launch.ts';
import { planHosts, planLocal, planText, type LaunchPlan } from '../launcher/plan.ts';
import { sshCommand, wordsOf } from '../launcher/remote/ssh.ts';
import { readSecret } from '../launcher/secret.ts';
import { modelsText } from './arguments/help.ts';
import type { LaunchRequest } from './arguments/launch.ts';
import { isProgramPath, parse } from './arguments/parse.ts';
import type { JobRequest, ModelInfo, Request } from './arguments/parse.ts';
import { commandText, demoArguments, demoNext } from './demo.ts';
import { doctorText, isReady, runChecks } from './doctor.ts';
import { guard } from './guardian.ts';
import { shellText } from './format.ts';
import { failureJson, failureText, Renderer, type Screen } from './render.ts';

declare const PERPETUUM_VERSION: string;

export type Environment = {
  readonly models: readonly ModelInfo[];
  /** The file that a host process runs. */
  readonly hostEntry: URL;
  readonly streams: { readonly out: NodeJS.WriteStream; readonly err: NodeJS.WriteStream };
  readonly variables: NodeJS.ProcessEnv;
};

/** What the streams can do. https://no-color.org: any value but the empty one. */
function screenOf({ streams, variables }: Environment, noColor: boolean): Screen {
  const { out, err } = streams;
  const terminal = err.isTTY && variables['TERM'] !== 'dumb';
  return {
    out: (text) => void out.write(text),
    err: (text) => void err.write(text),
    terminal,
    color: terminal && !noColor && !variables['NO_COLOR'],
    columns: () => (err.columns > 0 ? err.columns : 80),
    nowMs: () => performance.now(),
  };
}

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
  const { hostEntry, streams } = environment;
  const renderer = new Renderer(screenOf(environment, view.noColor), view);
  if (before !== undefined) renderer.note(before);
  if (found?.warning !== undefined) renderer.show({ kind: 'warning', text: found.warning });
  return guard({ job, deadlineMs, renderer, hostEntry, streams });
}

function readHosts(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const next = 'it should have one host a line: name slots=N';
    throw new SystemError('ERR_CONFIG', `--hosts ${path} cannot be read: ${why}\n${next}`);
  }
}

function planOf({ hosts, port }: LaunchRequest, threads: number | undefined): LaunchPlan {
  switch (hosts.kind) {
    case 'local':
      return planLocal(hosts.size, { threads, port });
    case 'list':
      return planHosts(parseHostList(hosts.text), hostname(), { threads, port });
    case 'file': {
      const { path } = hosts;
      return planHosts(parseHostFile(readHosts(path), path), hostname(), { threads, port });
    }
  }
}

function runLaunch(
  { launch: asked, train }: Extract<Request, { kind: 'launch' }>,
  environment: Environment,
): Promise<number> | number {
  const { job, deadlineMs, view, threads } = train;
  if (job.command !== 'train') return exitCodeOf('ERR_INTERNAL');
  const { hostEntry, streams } = environment;
  const plan = planOf(asked, threads);
  const ssh = wordsOf(asked.ssh);
  const read = asked.secret === undefined ? undefined : readSecret(asked.secret);
  if (asked.dryRun) {
    const local = [process.execPath, fileURLToPath(hostEntry)];
    const text = planText(plan, commandText(asked.line), (rank) =>
      (rank.ssh === undefined ? local : sshCommand(ssh, rank.ssh, 'node -e …'))
        .map(shellText)
        .join(' '),
    );
    streams.out.write(text);
    return 0;
  }
  const renderer = new Renderer(screenOf(environment, view.noColor), view);
  if (read?.warning !== undefined) renderer.show({ kind: 'warning', text: read.warning });
  return launch({
    ...{ plan, job, ownProgram: isProgramPath(job.model), deadlineMs, renderer, hostEntry },
    ...{ streams, ssh, secret: read?.secret, insecure: asked.insecure },
  });
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

function carryOut(request: Request, environment: Environment): Promise<number> | number {
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
      const checks = runChecks();
      out.write(doctorText(checks));
      return isReady(checks) ? 0 : 1;
    }
    case 'demo':
      return runDemo(request, environment);
    case 'job':
      return runJob(request, environment);
    case 'launch':
      return runLaunch(request, environment);
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
