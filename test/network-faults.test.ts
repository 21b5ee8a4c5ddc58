// Runs of real processes over a real network that breaks for good: every host that is left ends
// soon, and says whom it lost and what it waited for.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { childrenOf, withFolder, type Started } from './helpers/command.ts';
import { pidsIn, whyNoNamespaces, withNet, type NetHost } from './helpers/namespaces.ts';
import { endAfter, endless, nothingLeft, secretIn } from './helpers/network-runs.ts';
import { startRanks } from './helpers/network-runs.ts';

const reason = whyNoNamespaces();
if (reason !== undefined) process.stdout.write(`SKIPPED networks that break: ${reason}\n`);

type Scene = { readonly hosts: readonly NetHost[]; readonly ranks: readonly Started[] };

type Case = {
  readonly what: string;
  readonly size: number;
  /** Breaks it; what it returns is done when the others have ended. */
  readonly act: (scene: Scene) => (() => void) | undefined;
  /** The hosts that are to lose another, and whom they may name. */
  readonly losers: readonly number[];
  readonly names: RegExp;
};

/** The process of a host that does the work. */
function workerOf({ hosts }: Scene, rank: number): number {
  const pids = pidsIn(hosts[rank]!.name);
  const found = pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`).includes('host-actor'));
  assert.ok(found !== undefined, 'there is a host process');
  return found;
}

const kill = (pid: number, signal: NodeJS.Signals) => void process.kill(pid, signal);

const silence = /nothing was heard of it for 1[2-5]\.\d s/;
const cases: readonly Case[] = [
  {
    ...{ what: 'a host is cut off for good', size: 3, losers: [0, 1, 2], names: silence },
    act: ({ hosts }) => void hosts[2]!.cut(),
  },
  {
    ...{ what: 'a host process stands still', size: 3, losers: [0, 2], names: silence },
    act(scene) {
      const pid = workerOf(scene, 1);
      kill(pid, 'SIGSTOP');
      return () => kill(pid, 'SIGCONT');
    },
  },
  {
    ...{ what: 'rank 1 does not hear rank 0', size: 2, losers: [0, 1], names: silence },
    act: ({ hosts }) => void hosts[1]!.deafTo(hosts[0]!),
  },
  {
    ...{ what: 'rank 0 does not hear rank 1', size: 2, losers: [0, 1], names: silence },
    act: ({ hosts }) => void hosts[0]!.deafTo(hosts[1]!),
  },
  {
    ...{ what: 'a host process is killed', size: 3, losers: [0, 2], names: /lost rank 1/ },
    act: (scene) => kill(workerOf(scene, 1), 'SIGKILL'),
  },
  {
    ...{ what: 'rank 0 is killed, with all that guards it', size: 2, losers: [1] },
    names: /lost rank 0/,
    act({ ranks }) {
      const pid = ranks[0]!.child.pid!;
      for (const one of [...childrenOf(pid), pid]) kill(one, 'SIGKILL');
      return undefined;
    },
  },
];

async function play({ size, act, losers, names }: Case): Promise<void> {
  await withFolder((folder) =>
    withNet(size, async (hosts) => {
      const ranks = startRanks(hosts, endless, `--secret ${secretIn(folder)}`);
      await ranks[0]!.seen('"clock":13');
      const sinceMs = performance.now();
      const after = act({ hosts, ranks });
      const ends = await Promise.all(losers.map((rank) => endAfter(ranks[rank]!, sinceMs)));
      after?.();
      ends.forEach(({ code, err, s }, i) => {
        assert.is(code, 4, `rank ${losers[i]}: ${err}`);
        assert.ok(s < 15, `rank ${losers[i]} ended after ${s} s: ${err}`);
        const failure = /^perpetuum: ERR_PEER_LOST .*$/m.exec(err)?.[0] ?? err;
        assert.match(failure, names);
        const rule = /rank \d lost rank \d at 10\.77\.0\.\d: .*; waited for clock \d+ of rank \d$/;
        assert.match(failure, rule);
      });
      await Promise.all(ranks.map(({ ended }) => ended));
      await nothingLeft(hosts);
    }),
  );
}

// Most of their time is patience, so they wait together.
const played = cases.map((one) => ({
  what: one.what,
  end: reason === undefined ? play(one).then(String, (error: unknown) => error) : undefined,
}));
for (const { what, end } of played) {
  test(`network: ${what}: the others end with exit code 4`, async () => {
    const error = await end;
    if (error instanceof Error) throw error;
  });
}

test.run();
