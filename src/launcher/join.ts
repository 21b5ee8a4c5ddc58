// How `perpetuum train` becomes one rank of a run that something else starts: by its own options,
// or by the environment of a launcher.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { bindAddress, isLoopback, type ClusterPlace } from '../base/place.ts';
import { placeFromEnvironment, type EnvironmentPlace, type Variables } from './environment.ts';
import { readSecret } from './secret.ts';

/** The options of `train` that have to do with other hosts. */
export type JoinOptions = {
  readonly rank: number | undefined;
  readonly size: number | undefined;
  /** HOST:PORT */
  readonly master: string | undefined;
  readonly secret: string | undefined;
  readonly insecure: boolean;
};

export type Joined = {
  readonly place: ClusterPlace;
  readonly warning: string | undefined;
  /** Processes of the run on this machine, and the cores that this one was given. */
  readonly localSize: number;
  readonly cores: number | undefined;
};

function usage(wrong: string, next: string): SystemError {
  return new SystemError('ERR_CONFIG', `${wrong}\n${next}`);
}

function masterOf(text: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65535) return { host, port };
  const next = 'for example --master 10.0.0.1:29511; an IPv6 address stands in brackets';
  throw usage(`--master must be HOST:PORT of rank 0, got "${text}"`, next);
}

function explicitPlace({ rank, size, master }: JoinOptions): EnvironmentPlace | undefined {
  const given = [rank, size, master].filter((value) => value !== undefined).length;
  if (given === 0) return undefined;
  if (rank === undefined || size === undefined || master === undefined) {
    const next = 'every host is given its rank (0 to N - 1), N, and where rank 0 listens';
    throw usage('--host-rank, --world-size and --master must be given together', next);
  }
  if (rank >= size) {
    throw usage(`--host-rank must be below --world-size ${size}, got ${rank}`, 'ranks begin at 0');
  }
  const rankZero = masterOf(master);
  return { source: 'options', rank, size, rankZero, runId: `options-${master}`, localSize: 1 };
}

/**
 * The place of this process, by its options before its environment; undefined when it is alone.
 * @throws ERR_CONFIG when something is missing, or when hosts would talk to each other in the open.
 */
export function joinRun(
  options: JoinOptions,
  variables: Variables,
  ownName: string,
): Joined | undefined {
  const explicit = explicitPlace(options);
  const found = explicit ?? placeFromEnvironment(variables);
  if (found === undefined || found.size === 1) return undefined;
  const { source, rank, size, rankZero, runId, localSize, cores } = found;
  const read = options.secret === undefined ? undefined : readSecret(options.secret);
  if (read === undefined && !options.insecure && !isLoopback(rankZero.host)) {
    const rule = `a run of ${size} hosts (${source}) needs --secret FILE, the same on all of them`;
    const next =
      'head -c 32 /dev/urandom > secret; chmod 600 secret; or --insecure on a network of your own';
    throw usage(rule, next);
  }
  const host = found.host ?? ownName;
  const bind = bindAddress(rankZero.host, rank === 0 ? rankZero.host : host);
  const place: ClusterPlace = {
    ...{ rank, size, host, rankZero, bind },
    ...{ secret: read?.secret, insecure: options.insecure, runId },
    joinTimeoutMs: limits.joinTimeoutMs,
  };
  return { place, warning: read?.warning, localSize, cores };
}
