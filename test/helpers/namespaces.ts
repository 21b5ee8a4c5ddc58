// Hosts on a network of their own: network namespaces joined by a bridge, which has a namespace
// too, so that nothing of this machine's network is touched. Needs root, `ip` and `nft`.
//
//   namespace h0 ─ eth0 ══ port0 ┐
//   namespace h1 ─ eth0 ══ port1 ┼ bridge (namespace switch)
//   namespace h2 ─ eth0 ══ port2 ┘
//
// Names are PREFIX-PID-…: what a test left that was killed goes when the next one begins.
import { spawnSync } from 'node:child_process';

const PREFIX = 'perpetuum-net';

type Said = { readonly status: number | null; readonly out: string; readonly err: string };

function say(command: string, words: readonly string[], input = ''): Said {
  const { status, stdout, stderr, error } = spawnSync(command, words, { input, encoding: 'utf8' });
  return { status, out: stdout, err: error?.message ?? stderr };
}

/** @throws when it fails */
function must(command: string, words: readonly string[], input = ''): string {
  const { status, out, err } = say(command, words, input);
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${err}`);
  return out;
}

const namesHere = () =>
  say('ip', ['netns', 'list'])
    .out.split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(`${PREFIX}-`));

/** Process ids in a namespace. */
export const pidsIn = (name: string): number[] =>
  say('ip', ['netns', 'pids', name]).out.split('\n').filter(Boolean).map(Number);

/** Takes a namespace away, with everything that runs in it. */
function remove(name: string): void {
  for (const pid of pidsIn(name)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It went by itself meanwhile.
    }
  }
  say('ip', ['netns', 'del', name]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What tests left that ended without their end. */
function removeStale(): void {
  for (const name of namesHere()) {
    const pid = Number(name.slice(PREFIX.length + 1).split('-')[0]);
    if (!isAlive(pid)) remove(name);
  }
}

/** Why there can be no networks here; undefined when there can. */
export function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can make network namespaces';
  for (const [command, word] of [
    ['ip', '-V'],
    ['nft', '--version'],
  ] as const) {
    if (say(command, [word]).status !== 0) return `there is no command ${command}`;
  }
  removeStale();
  try {
    openNet(1).end();
  } catch (error) {
    return error instanceof Error ? error.message.trim().split('\n')[0] : String(error);
  }
  return undefined;
}

/** Why links cannot be made slow here; undefined when they can. */
export function whyNoRates(): string | undefined {
  const net = openNet(1);
  const { status, err } = say('tc', shape(net.hosts[0]!.name, 100));
  net.end();
  return status === 0 ? undefined : `tc has no tbf here: ${err.trim()}`;
}

const shape = (name: string, mbit: number) => [
  ...['-n', name, 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf'],
  ...['rate', `${mbit}mbit`, 'burst', '128kb', 'latency', '50ms'],
];

export type NetHost = {
  readonly name: string;
  readonly address: string;
  /** What stands before a command that runs there. */
  readonly within: readonly string[];
  /** What leaves it goes no faster, in both directions of the link. */
  rate(mbit: number): void;
  /** So many of 1000 packets that come are lost. */
  loss(perMille: number): void;
  /** Drops what comes from there, and nothing that goes there. */
  deafTo(other: NetHost): void;
  /** Answers whatever comes by TCP with a reset: connections break. */
  reset(): void;
  /** Takes back what `loss`, `deafTo` and `reset` did. */
  hearAll(): void;
  /** Pulls the plug, at the switch or at its own end. */
  cut(end?: 'switch' | 'own'): void;
  heal(): void;
};

export type Net = { readonly hosts: readonly NetHost[]; end(): void };

let nets = 0;

function hostOf(base: string, index: number): NetHost {
  const name = `${base}-h${index}`;
  const switchName = `${base}-switch`;
  const address = `10.77.0.${index + 1}`;
  const rules = (lines: readonly string[]) =>
    must('ip', ['netns', 'exec', name, 'nft', '-f', '-'], `${lines.join('\n')}\n`);
  const link = (where: string, device: string, state: 'up' | 'down') =>
    void must('ip', ['-n', where, 'link', 'set', device, state]);
  return {
    ...{ name, address, within: ['ip', 'netns', 'exec', name] },
    rate: (mbit) => void must('tc', shape(name, mbit)),
    loss: (perMille) =>
      void rules([`add rule inet t input iif eth0 numgen random mod 1000 < ${perMille} drop`]),
    deafTo: (other) => void rules([`add rule inet t input ip saddr ${other.address} drop`]),
    reset: () =>
      void rules(['add rule inet t input iif eth0 ip protocol tcp reject with tcp reset']),
    hearAll: () => void rules(['flush chain inet t input']),
    cut: (end = 'switch') =>
      end === 'own' ? link(name, 'eth0', 'down') : link(switchName, `port${index}`, 'down'),
    heal() {
      link(name, 'eth0', 'up');
      link(switchName, `port${index}`, 'up');
    },
  };
}

/** A network of so many hosts: 10.77.0.1, 10.77.0.2, … @throws when the machine has none */
export function openNet(size: number): Net {
  removeStale();
  nets += 1;
  const base = `${PREFIX}-${process.pid}-${nets}`;
  const hosts = Array.from({ length: size }, (_, index) => hostOf(base, index));
  const names = [`${base}-switch`, ...hosts.map(({ name }) => name)];
  const end = () => {
    process.off('exit', end);
    names.forEach(remove);
  };
  process.on('exit', end);
  const batch = (name: string, lines: readonly string[]) =>
    must('ip', ['-n', name, '-batch', '-'], `${lines.join('\n')}\n`);
  try {
    for (const name of names) must('ip', ['netns', 'add', name]);
    batch(`${base}-switch`, [
      ...['link add bridge type bridge', 'link set bridge up'],
      ...hosts.flatMap(({ name }, i) => [
        `link add port${i} type veth peer name eth0 netns ${name}`,
        `link set port${i} master bridge up`,
      ]),
    ]);
    for (const { name, address, within } of hosts) {
      batch(name, [
        ...['link set lo up', `address add ${address}/24 dev eth0`, 'link set eth0 up'],
      ]);
      const rules = [
        'add table inet t',
        'add chain inet t input { type filter hook input priority 0; }',
      ];
      must(within[0]!, [...within.slice(1), 'nft', '-f', '-'], `${rules.join('\n')}\n`);
    }
  } catch (error) {
    end();
    throw error;
  }
  return { hosts, end };
}

/** Runs `body` over a network that is gone afterwards. */
export async function withNet<T>(
  size: number,
  body: (hosts: readonly NetHost[]) => Promise<T>,
): Promise<T> {
  const { hosts, end } = openNet(size);
  try {
    return await body(hosts);
  } finally {
    end();
  }
}
