// perpetuum launch, from its request to its exit code: hosts and plan, then the launcher.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { exitCodeOf, SystemError } from '../../base/errors.ts';
import { isProgramPath } from '../../base/program-path.ts';
import { parseHostFile, parseHostList } from '../../launcher/hosts.ts';
import { launch } from '../../launcher/launch.ts';
import { planHosts, planLocal, planText, type LaunchPlan } from '../../launcher/plan.ts';
import { sshCommand, wordsOf } from '../../launcher/remote/ssh.ts';
import { readSecret } from '../../launcher/secret.ts';
import type { LaunchRequest } from '../arguments/launch.ts';
import type { Request } from '../arguments/parse.ts';
import { screenOf, type Environment } from '../environment.ts';
import { commandText } from './demo.ts';
import { shellText } from '../format.ts';
import { Renderer } from '../render.ts';

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

export function runLaunch(
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
