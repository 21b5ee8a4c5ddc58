import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import { drawFaults, noFaults, transientStragglers } from '../src/sim/faults.ts';
import { networkFaults, type NetworkOptions } from '../src/sim/options.ts';
import { finishMs, Processor } from '../src/sim/processor.ts';
import { Trace } from '../src/sim/trace.ts';
import { VirtualTime } from '../src/sim/virtual-time.ts';

test('virtual time: events happen in the order of their times, then of asking', () => {
  const prng = createPrng(1);
  const time = new VirtualTime();
  const planned: { readonly timeMs: number; readonly order: number }[] = [];
  const happened: typeof planned = [];
  for (let order = 0; order < 2000; order++) {
    const event = { timeMs: prng.below(300), order };
    planned.push(event);
    time.at(event.timeMs, 'event', () => {
      assert.is(time.nowMs, event.timeMs);
      happened.push(event);
    });
  }
  assert.is(time.runUntilIdle(), 2000);
  assert.equal(
    happened,
    planned.sort((a, b) => a.timeMs - b.timeMs || a.order - b.order),
  );
});

test('virtual time: what events ask for happens too, and never in the past', () => {
  const time = new VirtualTime();
  const seen: string[] = [];
  time.at(5, 'first', () => {
    time.at(3, 'late', () => seen.push(`late ${time.nowMs}`));
    time.after(2, 'after', () => seen.push(`after ${time.nowMs}`));
  });
  time.runUntilIdle();
  assert.equal(seen, ['late 5', 'after 7']);
});

test('virtual time: a cancelled event does not happen and keeps nothing going', () => {
  const time = new VirtualTime();
  const event = time.at(5, 'never', () => assert.unreachable());
  event.cancel();
  event.cancel();
  assert.ok(time.idle);
  assert.is(time.runUntilIdle(), 0);
  assert.is(time.nowMs, 0);
});

test('virtual time: background events keep nothing going, unless a watch says so', () => {
  const time = new VirtualTime();
  let beats = 0;
  const beat = () => {
    beats += 1;
    time.backgroundAt(time.nowMs + 10, 'beat', beat);
  };
  time.backgroundAt(10, 'beat', beat);
  time.at(25, 'work', () => undefined);
  time.runUntilIdle();
  assert.is(beats, 2);
  time.watch(() => beats < 5);
  time.runUntilIdle();
  assert.is(beats, 5);
  time.runUntil(100);
  assert.is(beats, 10);
  assert.is(time.nowMs, 100);
});

test('virtual time: a livelock is an error that names the last events', () => {
  const time = new VirtualTime({ eventsMax: 100 });
  const ping = () => void time.after(0, 'ping', () => time.after(0, 'pong', ping));
  ping();
  assert.throws(
    () => time.runUntilIdle(),
    (error: Error & { code: string }) =>
      error.code === 'ERR_LIMIT' && /at most 100 events.*ping, pong, ping/.test(error.message),
  );
});

test('virtual time: a clock with offset and drift', () => {
  const time = new VirtualTime();
  time.skew(1, { offsetMs: 500, drift: 0.25 });
  time.runUntil(40);
  assert.is(time.clockOf(0).nowMs(), 40);
  assert.is(time.clockOf(1).nowMs(), 550);
  assert.is(time.clockOf(1).virtualMs(600), 80);
});

test('trace: equal lines give equal hashes, and the last lines are kept', () => {
  const of = (lines: readonly string[]) => {
    let nowMs = 0;
    const trace = new Trace(() => nowMs, 3);
    for (const line of lines) {
      trace.add(line);
      nowMs += 0.0015;
    }
    return trace;
  };
  const trace = of(['a', 'b', 'c', 'd']);
  assert.equal(trace.last(), ['2 b', '3 c', '5 d']);
  assert.equal(of(['a', 'b']).last(), ['0 a', '2 b']);
  assert.is(trace.lines, 4);
  assert.match(trace.hash, /^[0-9a-f]{16}$/);
  assert.is(of(['a', 'b', 'c', 'd']).hash, trace.hash);
  for (const other of [
    ['a', 'b', 'd', 'c'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c', 'e'],
    ['ab', 'c'],
  ]) {
    assert.is.not(of(other).hash, trace.hash);
  }
});

const slowdowns = [
  { rank: 0, fromMs: 10, untilMs: 20, factor: 2 },
  { rank: 0, fromMs: 30, untilMs: 40, factor: Infinity },
];
const pieces: readonly (readonly [string, number, number, number])[] = [
  ['before the first', 0, 5, 5],
  ['up to the first', 0, 10, 10],
  ['half of it slow', 8, 4, 14],
  ['through the first', 8, 8, 21],
  ['into the frozen time', 25, 6, 41],
  ['begun in the frozen time', 35, 1, 41],
  ['nothing, in the frozen time', 35, 0, 40],
  ['after all', 50, 3, 53],
];

for (const [name, startMs, costMs, expected] of pieces) {
  test(`processor: work is stretched while its host is slow (${name})`, () => {
    assert.is(finishMs(slowdowns, startMs, costMs), expected);
  });
}

test('processor: one thing after the other, nothing after the end', () => {
  const time = new VirtualTime();
  const processor = new Processor(time, slowdowns);
  const done: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    processor.run(7, name, () => done.push(`${name} ${time.nowMs}`));
  }
  time.runUntil(20);
  processor.end();
  time.runUntilIdle();
  assert.equal(done, ['a 7', 'b 18']);
});

test('faults: transient stragglers stall one at a time, for their share of the time', () => {
  const options = { size: 4, stallMs: 40, share: 0.5, horizonMs: 100_000 };
  const stalls = transientStragglers(createPrng(1), options);
  let stalledMs = 0;
  let endMs = 0;
  for (const { fromMs, untilMs } of stalls) {
    assert.ok(fromMs >= endMs, 'one at a time');
    stalledMs += untilMs - fromMs;
    endMs = untilMs;
  }
  assert.ok(Math.abs(stalledMs / endMs - 0.5) < 0.02, `${stalledMs / endMs}`);
  assert.equal([...new Set(stalls.map(({ rank }) => rank))].sort(), [0, 1, 2, 3]);
});

test('faults: a seed is a plan; every kind is on in some plans and off in others', () => {
  const swarm = { size: 3, horizonMs: 1000, peerTimeoutMs: 500 };
  const kinds = new Map<string, number>();
  for (let seed = 0; seed < 200; seed++) {
    const plan = drawFaults(createPrng(seed), swarm);
    assert.equal(drawFaults(createPrng(seed), swarm), plan);
    const { link, channel, cuts, resets, crashes, skews } = plan;
    const on = {
      ...{ cuts: cuts.length, resets: resets.length, crashes: crashes.length, skews: skews.size },
      ...{ slowdowns: plan.slowdowns.length, latency: link.latencyMs, jitter: link.jitterMs },
      ...{ loss: link.loss, bandwidth: link.bytesPerMs === Infinity ? 0 : 1 },
      ...{ lost: channel.lost, twice: channel.twice, overtaking: channel.overtaking },
    };
    for (const [kind, weight] of Object.entries(on)) {
      kinds.set(kind, (kinds.get(kind) ?? 0) + (weight > 0 ? 1 : 0));
    }
  }
  for (const [kind, count] of kinds) {
    assert.ok(count > 10 && count < 190, `${kind} is on in ${count} of 200 plans`);
  }
});

test('options: quantities with their units', () => {
  const given = { latency: '1.5ms', jitter: '200us', bandwidth: '100mbit', loss: '1%' };
  const plan = networkFaults({ ...given, straggler: '3x' }, 16);
  assert.equal(plan.link, { latencyMs: 1.5, jitterMs: 0.2, bytesPerMs: 12_500, loss: 0.01 });
  assert.equal(plan.slowdowns, [{ rank: 15, fromMs: 0, untilMs: Infinity, factor: 3 }]);
  assert.equal(networkFaults({}, 16), noFaults);
  assert.is(networkFaults({ bandwidth: '1gbit' }, 2).link.bytesPerMs, 125_000);
  assert.is(networkFaults({ bandwidth: '1GB' }, 2).link.bytesPerMs, 1_000_000);
  assert.is(networkFaults({ latency: '2s' }, 2).link.latencyMs, 2000);
  assert.is(networkFaults({ loss: '0.02' }, 2).link.loss, 0.02);
});

const refused: readonly (readonly [NetworkOptions, RegExp])[] = [
  [{ latency: '1' }, /--latency must be a time .* such as 1ms, got "1"/],
  [{ latency: '-1ms' }, /got "-1ms"/],
  [{ latency: 'ms' }, /got "ms"/],
  [{ latency: '1 ms' }, /got "1 ms"/],
  [{ latency: '2h' }, /got "2h"/],
  [{ jitter: '4000s' }, /from 0 to 3600s/],
  [{ bandwidth: '1gb' }, /--bandwidth must be .*1gbit, got "1gb"/],
  [{ bandwidth: '0gbit' }, /above 0/],
  [{ loss: '60%' }, /--loss must be a share from 0% to 50%, such as 1%, got "60%"/],
  [{ loss: '1' }, /got "1"/],
  [{ straggler: '0.5x' }, /--straggler must be a factor >= 1 with an x, such as 3x, got "0.5x"/],
  [{ straggler: '3' }, /got "3"/],
  [{ straggler: '3constructor' }, /got "3constructor"/],
];

for (const [given, words] of refused) {
  test(`options: refused with the rule and the value (${JSON.stringify(given)})`, () => {
    assert.throws(
      () => networkFaults(given, 2),
      (error: Error & { code: string }) => error.code === 'ERR_CONFIG' && words.test(error.message),
    );
  });
}

test.run();
