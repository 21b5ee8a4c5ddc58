// A real sshd on the loopback, with keys and settings of its own, for as long as one test runs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const daemon = '/usr/sbin/sshd';

/** Why there can be no sshd here; undefined when there can. */
export function whyNoSshd(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can start an sshd of its own';
  if (!existsSync(daemon)) return `there is no ${daemon}`;
  return spawnSync('ssh', ['-V']).error === undefined ? undefined : 'there is no ssh';
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function makeKey(path: string): void {
  const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]);
  if (made.status !== 0) throw new Error(`ssh-keygen: ${made.stderr.toString()}`);
}

export type Sshd = {
  /** For --ssh: reaches every host name of the tests by this daemon. */
  readonly ssh: string;
  /** The same with a key that it refuses, and without its host key. */
  readonly refused: string;
  readonly unknown: string;
  /** Where hosts behind it put what they unpack. */
  readonly tmp: string;
  end(): Promise<void>;
};

const put = (path: string, lines: readonly string[]) =>
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });

type Daemon = {
  readonly address: string;
  readonly port: number;
  /** What stands before its command. */
  readonly within?: readonly string[];
  /** Where hosts put what they unpack. */
  readonly tmp?: string;
};

/** One daemon with the keys of `folder`; resolves, when it listens, with what ends it. */
async function startDaemon(folder: string, daemonAt: Daemon): Promise<() => Promise<void>> {
  const { address, port, within = [], tmp } = daemonAt;
  const file = (name: string) => join(folder, name);
  const config = file(`sshd_config-${address}`);
  put(config, [
    ...[`Port ${port}`, `ListenAddress ${address}`, `HostKey ${file('host')}`, 'UsePAM no'],
    ...[`AuthorizedKeysFile ${file('good')}.pub`, 'StrictModes no', 'PasswordAuthentication no'],
    ...['PermitRootLogin yes', `PidFile ${file(`pid-${address}`)}`],
    ...(tmp === undefined ? [] : [`SetEnv TMPDIR=${tmp}`]),
  ]);
  // It wants this folder for those that it does not trust yet.
  if (!existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
  const [command = '', ...words] = [...within, daemon, '-D', '-e', '-f', config];
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('Server listening')) resolve();
    });
    void ended.then(() => reject(new Error(`sshd ended: ${said}`)));
  });
  return () => {
    child.kill();
    return ended;
  };
}

/** Settings of a client that knows the daemons of `folder`. */
const clientLines = (folder: string, key: string, hosts: string) => [
  ...[`IdentityFile ${join(folder, key)}`, 'IdentitiesOnly yes', 'User root'],
  ...[`UserKnownHostsFile ${join(folder, hosts)}`, 'GlobalKnownHostsFile none'],
  ...['StrictHostKeyChecking yes', 'CheckHostIP no', 'HostKeyAlias perpetuum-test'],
  'LogLevel ERROR',
];

function makeKeys(folder: string): void {
  for (const name of ['host', 'good', 'bad']) makeKey(join(folder, name));
  const key = readFileSync(join(folder, 'host.pub'), 'utf8').trim();
  put(join(folder, 'known'), [`perpetuum-test ${key}`]);
  put(join(folder, 'none'), []);
}

/** A daemon for each of these, all with the same keys; --ssh for those that reach them. */
export async function startSshds(
  folder: string,
  daemons: readonly Omit<Daemon, 'port'>[],
): Promise<{ readonly ssh: string; end(): Promise<void> }> {
  makeKeys(folder);
  const ends = await Promise.all(daemons.map((one) => startDaemon(folder, { ...one, port: 22 })));
  put(join(folder, 'config'), ['Host *', ...clientLines(folder, 'good', 'known')]);
  return {
    ssh: `ssh -F ${join(folder, 'config')}`,
    end: async () => void (await Promise.all(ends.map((end) => end()))),
  };
}

/** Hosts `one` and `two`, which are both this machine, by ssh alone. */
export async function startSshd(folder: string): Promise<Sshd> {
  const port = await freePort();
  makeKeys(folder);
  const tmp = join(folder, 'tmp');
  mkdirSync(tmp);
  const end = await startDaemon(folder, { address: '127.0.0.1', port, tmp });
  const config = (name: string, key: string, hosts: string) => {
    put(join(folder, name), [
      ...['Host one two 127.0.0.*', 'HostName 127.0.0.1', `Port ${port}`],
      ...clientLines(folder, key, hosts),
    ]);
    return `ssh -F ${join(folder, name)}`;
  };
  return {
    ssh: config('config', 'good', 'known'),
    refused: config('config-refused', 'bad', 'known'),
    unknown: config('config-unknown', 'good', 'none'),
    ...{ tmp, end },
  };
}
