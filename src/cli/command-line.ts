// The command line from its arguments to its exit code. main.ts puts the real things in; tests put
// in other models and another host.
import { exitCodeOf, toFault } from '../base/errors.ts';
import { modelsText } from './arguments/help.ts';
import { parse, type JobRequest, type ModelInfo, type Request } from './arguments/parse.ts';
import { commandText, demoArguments, demoNext } from './demo.ts';
import { doctorText, isReady, runChecks } from './doctor.ts';
import { guard } from './guardian.ts';
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

function runJob(request: JobRequest, environment: Environment, before?: string): Promise<number> {
  const { job, deadlineMs, view } = request;
  const { hostEntry, streams } = environment;
  const renderer = new Renderer(screenOf(environment, view.noColor), view);
  if (before !== undefined) renderer.note(before);
  return guard({ job, deadlineMs, renderer, hostEntry, streams });
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
