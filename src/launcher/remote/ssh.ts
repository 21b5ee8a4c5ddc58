// The ssh command, and what its failures mean.
import type { Fault } from '../../base/errors.ts';
import { remoteCommand } from './bootstrap.ts';

/** No questions, no endless waits, nothing of the user's own forwardings. */
const settings = [
  ...['BatchMode=yes', 'ConnectTimeout=10', 'ServerAliveInterval=5', 'ServerAliveCountMax=3'],
  'ClearAllForwardings=yes',
];

/** Words of a command as a shell splits them, without its other magic. */
export function wordsOf(command: string): readonly string[] {
  const words = command.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));
}

/** The whole command line that starts `command`, a host process's relay, on `host`. */
export function sshCommand(
  ssh: readonly string[],
  host: string,
  command = remoteCommand,
): readonly string[] {
  return [...ssh, '-T', ...settings.flatMap((one) => ['-o', one]), host, command];
}

/** The oldest Node that the package runs on, as in its package.json. */
const nodeMin = { major: 20, minor: 19 } as const;

/** Why a host's Node will not do. */
export function nodeFault(host: string, version: string): Fault | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const { major: least, minor: leastMinor } = nodeMin;
  if (major > least || (major === least && minor >= leastMinor)) return undefined;
  const rule = `${host}: Node must be ${least}.${leastMinor} or newer, found ${version}`;
  return { code: 'ERR_CONFIG', message: `${rule}\ninstall a newer one there: see nodejs.org` };
}

type Meaning = {
  readonly pattern: RegExp;
  readonly code: Fault['code'];
  readonly what: string;
  /** What to do; HOST stands for the host. */
  readonly next: string;
};

/** What ssh writes, and what it means: the first that matches. */
const meanings: readonly Meaning[] = [
  {
    pattern: /host key verification failed|host identification has changed/i,
    code: 'ERR_CONFIG',
    what: 'its host key is not known, or is not the one that is known',
    next: "run ssh HOST once by hand and compare the key's fingerprint",
  },
  {
    pattern: /permission denied|too many authentication/i,
    code: 'ERR_CONFIG',
    what: 'it refuses our key',
    next: 'ssh HOST true must work without a password: ssh-copy-id HOST',
  },
  {
    pattern: /could not resolve hostname|name or service not known/i,
    code: 'ERR_CONFIG',
    what: 'its name is not known',
    next: 'correct the name, or add it to ~/.ssh/config',
  },
  {
    pattern: /node: (command )?not found|not found: node|node.*no such file/i,
    code: 'ERR_CONFIG',
    what: 'it has no Node.js where ssh looks for commands',
    next: 'ssh HOST node --version must print 20.19 or newer',
  },
  {
    pattern: /refused|timed out|no route|unreachable|reset by peer/i,
    code: 'ERR_PEER_LOST',
    what: 'it cannot be reached',
    next: 'is it up, and does sshd run there? try ssh HOST true',
  },
];

/** Why no host process could be started by ssh, which ended with `code` and wrote `lastWords`. */
export function sshFault(host: string, code: number | null, lastWords: readonly string[]): Fault {
  const text = lastWords.join(' | ');
  const said = text === '' ? '' : `: ${text}`;
  const known = meanings.find(({ pattern }) => pattern.test(text));
  if (known) {
    const { what, next } = known;
    const message = `${host}: ${what}${said}\n${next.replaceAll('HOST', host)}`;
    return { code: known.code, message };
  }
  const what = `${host}: ssh ended with code ${code} before a host process was there${said}`;
  return { code: 'ERR_PEER_LOST', message: `${what}\ntry ssh ${host} node --version` };
}

/** The ssh command itself cannot be run. */
export function noSshFault(command: string, why: string): Fault {
  const message = `the command "${command}" cannot be started: ${why}`;
  return { code: 'ERR_CONFIG', message: `${message}\ninstall OpenSSH's client, or give --ssh` };
}
