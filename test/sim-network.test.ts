// Storms: random faults over random packets, thousands of seeds. A failure prints what repeats it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { noFaults, type FaultPlan } from '../src/sim/faults.ts';
import { networkFaults } from '../src/sim/options.ts';
import { openVirtualNetwork } from '../src/sim/virtual-network.ts';
import { VirtualTime } from '../src/sim/virtual-time.ts';
import * as planted from './helpers/planted.ts';
import { storm, type StormOptions } from './helpers/storm.ts';

const all = process.env['TEST_ALL'] !== undefined;
const seeds = Number(process.env['PERPETUUM_SEEDS'] ?? (all ? 100_000 : 2_000));
const firstSeed = Number(process.env['PERPETUUM_FIRST_SEED'] ?? 1);
const command = 'npm test -- --only sim-network';

test(`simulated network: exactly once, in order, or lost for a reason (${seeds} seeds)`, () => {
  const total = { packets: 0, losses: 0, reconnects: 0 };
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const { findings, packets, losses, reconnects, last } = storm(seed);
    total.packets += packets;
    total.losses += losses;
    total.reconnects += reconnects;
    if (findings.length === 0) continue;
    const again = `PERPETUUM_FIRST_SEED=${seed} PERPETUUM_SEEDS=1 ${command}`;
    assert.unreachable([...last, `SEED=${seed}`, ...findings, again].join('\n'));
  }
  if (seeds < 100) return;
  assert.ok(total.packets > 50 * seeds, `packets arrive: ${total.packets}`);
  assert.ok(total.losses > seeds / 10, `hosts are lost: ${total.losses}`);
  assert.ok(total.reconnects > seeds, `connections are replaced: ${total.reconnects}`);
});

test('simulated network: the same seed gives the same trace, another seed another', () => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 100; seed++) {
    const { hash, events } = storm(seed);
    const again = storm(seed);
    assert.is(again.hash, hash, `SEED=${seed}`);
    assert.is(again.events, events, `SEED=${seed}`);
    hashes.add(hash);
  }
  assert.is(hashes.size, 100);
});

/** Each with the words that the checkers find for it. */
const canaries: readonly (readonly [string, StormOptions, RegExp])[] = [
  ['a session delivers twice', { createSession: planted.deliversTwice }, /came again/],
  ['a session skips a packet', { createSession: planted.skipsOne }, /came, packets|arrived, none/],
  [
    'a session ignores incarnations',
    { createSession: planted.ignoresIncarnations },
    /new life|came again/,
  ],
  ['a session always has room', { createSession: planted.alwaysHasRoom }, /the limit is/],
  ['a session gives up early', { createSession: planted.givesUpEarly }, /nothing happened to it/],
  ['a session loses in silence', { createSession: planted.losesInSilence }, /never told/],
  ['a network breaks order', { meddle: planted.breaksOrder }, /did not/],
  ['a network changes bytes', { meddle: planted.changesBytes }, /other bytes/],
];

for (const [name, options, words] of canaries) {
  test(`simulated network: checkers find a planted bug (${name})`, () => {
    for (let seed = 1; seed <= 300; seed++) {
      const findings = storm(seed, options).findings;
      if (findings.some((finding) => words.test(finding))) return;
    }
    assert.unreachable('300 seeds, and nothing was found');
  });
}

test('simulated network: a host that closes delivers everything first, and nobody is lost', () => {
  const resets = Array.from({ length: 40 }, (_, i) => ({ a: 0, b: 1, atMs: 80 + 7 * i }));
  const faults = { ...networkFaults({ latency: '2ms', jitter: '5ms' }, 2), resets };
  for (let seed = 1; seed <= 50; seed++) {
    const time = new VirtualTime({ eventsMax: 100_000 });
    const network = openVirtualNetwork({ size: 2, seed, time, faults });
    const arrived: unknown[] = [];
    const hosts = [0, 1].map((rank) =>
      network.open(rank, {
        packet: (_, { header }) => {
          if (arrived.push(header) === 50) network.host(1)?.close();
        },
        room: () => undefined,
        lost: (_, { message }) => assert.unreachable(`SEED=${seed}: ${message}`),
      }),
    );
    const [sender] = hosts;
    time.at(90, 'send', () => {
      for (let n = 0; n < 50; n++) sender?.send(1, { header: n, payload: new Uint8Array(n) });
      sender?.close();
    });
    time.runUntilIdle();
    assert.equal(arrived, [...arrived.keys()], `SEED=${seed}`);
    assert.is(arrived.length, 50, `SEED=${seed}: ${network.trace.last().join('\n')}`);
    const phases = hosts.map((host) => host.phase(1 - host.rank));
    assert.equal(phases, ['closed', 'closed'], `SEED=${seed}`);
  }
});

/** Sends `bytes` from host 0 to host 1 and returns when they are there, in virtual ms. */
function arrivalMs(faults: FaultPlan, sizes: readonly number[]): readonly number[] {
  const time = new VirtualTime();
  const network = openVirtualNetwork({ size: 2, seed: 1, time, faults });
  const at: number[] = [];
  const quiet = { packet: () => undefined, room: () => undefined, lost: () => undefined };
  const sender = network.open(0, quiet);
  network.open(1, { ...quiet, packet: () => at.push(time.nowMs - startMs) });
  time.runUntil(500);
  const startMs = time.nowMs;
  for (const bytes of sizes) sender.send(1, { header: 0, payload: new Uint8Array(bytes) });
  time.runUntilIdle();
  return at;
}

const near = (value: number | undefined, expected: number, share: number) =>
  assert.ok(Math.abs((value ?? NaN) - expected) <= share * expected, `${value}, not ${expected}`);

test('simulated network: a packet takes latency, bytes / bandwidth, and its processing', () => {
  near(arrivalMs(networkFaults({ latency: '3ms' }, 2), [0])[0], 3, 0.01);
  const gigabit = networkFaults({ latency: '1ms', bandwidth: '1gbit' }, 2);
  const [first, second] = arrivalMs(gigabit, [12_500_000, 12_500_000]);
  near(first, 101, 0.05);
  near(second, 201, 0.05);
});

test('simulated network: loss costs time and bandwidth, and loses nothing', () => {
  const lossy = networkFaults({ latency: '1ms', bandwidth: '10gbit', loss: '1%' }, 2);
  const sizes = Array.from({ length: 100 }, () => 100_000);
  const at = arrivalMs(lossy, sizes);
  assert.is(at.length, sizes.length);
  // Mathis et al.: 1460 B / 2 ms · 1.22 / √0.01 ≈ 8.9 MB/s, whatever the line could carry.
  near(at.at(-1), 10_000_000 / 8906, 0.1);
});

test('simulated network: a straggler takes its factor longer, a frozen host catches up', () => {
  const once = arrivalMs(noFaults, [5_000_000])[0] ?? NaN;
  near(arrivalMs(networkFaults({ straggler: '3x' }, 2), [5_000_000])[0], 3 * once, 0.01);
  const freeze = { rank: 1, fromMs: 500, untilMs: 700, factor: Infinity };
  const frozen = { ...noFaults, slowdowns: [freeze] };
  near(arrivalMs(frozen, [0, 0])[1], 200, 0.01);
});

test.run();
