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
  end(): Promise<void>;
};

/** Hosts `one` and `two`, which are both this machine, by ssh alone. */
export async function startSshd(folder: string): Promise<Sshd> {
  const file = (name: string) => join(folder, name);
  const port = await freePort();
  for (const name of ['host', 'good', 'bad']) makeKey(file(name));
  const put = (name: string, lines: readonly string[]) =>
    writeFileSync(file(name), `${lines.join('\n')}\n`, { mode: 0o600 });
  put('sshd_config', [
    ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${file('host')}`, 'UsePAM no'],
    ...[`AuthorizedKeysFile ${file('good')}.pub`, 'StrictModes no', 'PasswordAuthentication no'],
    ...['PermitRootLogin yes', `PidFile ${file('pid')}`],
  ]);
  // It wants this folder for those that it does not trust yet.
  if (!existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
  const child = spawn(daemon, ['-D', '-e', '-f', file('sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('Server listening')) resolve();
    });
    void ended.then(() => reject(new Error(`sshd ended: ${said}`)));
  });
  put('known', [`perpetuum-test ${readFileSync(file('host.pub'), 'utf8').trim()}`]);
  put('none', []);
  const config = (name: string, key: string, hosts: string) => {
    put(name, [
      ...['Host one two', 'HostName 127.0.0.1', `Port ${port}`, `IdentityFile ${file(key)}`],
      ...['IdentitiesOnly yes', `UserKnownHostsFile ${file(hosts)}`, 'User root'],
      ...['GlobalKnownHostsFile none', 'StrictHostKeyChecking yes', 'CheckHostIP no'],
      ...['HostKeyAlias perpetuum-test', 'LogLevel ERROR'],
    ]);
    return `ssh -F ${file(name)}`;
  };
  return {
    ssh: config('config', 'good', 'known'),
    refused: config('config-refused', 'bad', 'known'),
    unknown: config('config-unknown', 'good', 'none'),
    end: () => {
      child.kill();
      return ended;
    },
  };
}
