// What simulated connections promise, whatever is drawn: what TCP promises.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import { encodeHeader, type Frame } from '../src/mailbox/frame.ts';
import { Connections } from '../src/sim/connections.ts';
import { drawFaults, noFaults, type FaultPlan } from '../src/sim/faults.ts';
import { Trace } from '../src/sim/trace.ts';
import { VirtualTime } from '../src/sim/virtual-time.ts';

const none = new Uint8Array(0);
const frameOf = (seq: number): Frame => ({
  ...{ kind: 'packet', from: 1, to: 1, seq, ack: 0, credit: 0 },
  ...{ header: encodeHeader(null), payload: none },
});

function openConnections(seed: number, faults: FaultPlan, size: number) {
  const time = new VirtualTime({ eventsMax: 100_000 });
  const trace = new Trace(() => time.nowMs);
  const prng = createPrng(seed, 1);
  const own = { size, time, faults, prng, trace, connectTimeoutMs: 250 };
  return { time, connections: new Connections(own) };
}

type End = { readonly seen: number[]; ends: number };

test('connections: frames come in order, without a hole, until the end, which is told once', () => {
  let frames = 0;
  let cutShort = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const prng = createPrng(seed);
    const size = 2 + prng.below(2);
    const swarm = { size, horizonMs: 500, peerTimeoutMs: 300 };
    const drawn = drawFaults(createPrng(seed, 2), swarm);
    const faults = { ...drawn, channel: noFaults.channel, crashes: [] };
    const { time, connections } = openConnections(seed, faults, size);
    const ends = new Map<string, End>();
    const written = new Map<string, number>();
    const where = (rank: number, id: number) => {
      const name = `${rank} ${id}`;
      const end = ends.get(name) ?? { seen: [], ends: 0 };
      ends.set(name, end);
      return end;
    };
    for (let rank = 0; rank < size; rank++) {
      const write = (id: number) => {
        if (where(rank, id).ends > 0) return;
        const count = written.get(`${rank} ${id}`) ?? 0;
        written.set(`${rank} ${id}`, count + 1);
        connections.write(id, rank, frameOf(count));
        const more = () => write(id);
        if (count < 30) time.after(20 * prng.uniform(), 'write', more);
        else if (prng.below(2) === 0) connections.close(id, rank, true);
      };
      connections.start(rank, {
        accepts: () => true,
        connected: write,
        refused: () => undefined,
        frame: (id, { seq }) => {
          assert.is(where(rank, id).ends, 0, `SEED=${seed}: a frame after the end`);
          where(rank, id).seen.push(seq);
        },
        disconnected: (id) => {
          where(rank, id).ends += 1;
          if (time.nowMs < 400 && rank > 0) connections.connect(rank, rank - 1);
        },
      });
    }
    for (let rank = 1; rank < size; rank++) connections.connect(rank, rank - 1);
    time.runUntil(10_000);
    for (const { seen, ends: told } of ends.values()) {
      assert.equal(seen, [...seen.keys()], `SEED=${seed}: in order, from the first`);
      assert.ok(told <= 1, `SEED=${seed}: the end is told once`);
      frames += seen.length;
      if (seen.length < 31) cutShort += 1;
    }
  }
  assert.ok(frames > 10_000 && cutShort > 100, `${frames} frames, ${cutShort} ways cut short`);
});

/** Host 1 connects to host 0 and both say what happens to them. */
function pair(faults: FaultPlan, seed = 1) {
  const { time, connections } = openConnections(seed, faults, 2);
  const log: string[] = [];
  const say = (text: string) => log.push(`${Math.round(time.nowMs)} ${text}`);
  const startHost = (rank: number) =>
    connections.start(rank, {
      accepts: () => true,
      connected: (id) => say(`${rank} connected ${id}`),
      refused: () => say(`${rank} refused`),
      frame: (id, { seq }) => say(`${rank} frame ${id} ${seq}`),
      disconnected: (id) => say(`${rank} disconnected ${id}`),
    });
  startHost(0);
  startHost(1);
  const take = () => log.splice(0);
  return { time, connections, take, startHost };
}

const slowLink = { ...noFaults.link, latencyMs: 10 };

test('connections: a connection takes a round trip, and a frame half of one', () => {
  const { time, connections, take } = pair({ ...noFaults, link: slowLink });
  connections.connect(1, 0);
  time.runUntilIdle();
  assert.equal(take(), ['20 0 connected 1', '30 1 connected 1']);
  connections.write(1, 0, frameOf(7));
  connections.close(1, 0, false);
  connections.write(1, 0, frameOf(8));
  connections.write(1, 1, frameOf(9));
  time.runUntilIdle();
  assert.equal(take(), ['40 1 frame 1 7', '40 1 disconnected 1']);
});

test('connections: a cut holds up what is under way, one way or both, and refuses new ones', () => {
  const cut = { from: 0, to: 1, fromMs: 100, untilMs: 400 };
  const { time, connections, take } = pair({ ...noFaults, link: slowLink, cuts: [cut] });
  connections.connect(1, 0);
  time.runUntil(100);
  take();
  connections.write(1, 0, frameOf(0));
  connections.write(1, 0, frameOf(1));
  connections.write(1, 1, frameOf(2));
  connections.connect(1, 0);
  time.runUntil(399);
  assert.equal(take(), ['110 0 frame 1 2', '350 1 refused']);
  time.runUntil(700);
  const late = take();
  assert.equal(
    late.map((line) => line.replace(/^\d+ /, '')),
    ['1 frame 1 0', '1 frame 1 1'],
  );
});

test('connections: a crash ends them, silently or not, and a restart is reached anew', () => {
  for (const silent of [false, true]) {
    const { time, connections, take, startHost } = pair({ ...noFaults, link: slowLink });
    connections.connect(1, 0);
    time.runUntil(50);
    take();
    connections.write(1, 0, frameOf(0));
    connections.write(1, 1, frameOf(1));
    connections.crash(0, silent);
    time.runUntil(100);
    assert.equal(take(), ['60 1 frame 1 0', ...(silent ? [] : ['60 1 disconnected 1'])]);
    connections.connect(1, 0);
    time.runUntil(200);
    assert.equal(take(), ['120 1 refused']);
    startHost(0);
    connections.connect(1, 0);
    time.runUntil(300);
    assert.equal(take(), ['220 0 connected 2', '230 1 connected 2']);
  }
});

test('connections: nothing of an earlier life reaches a host that started again', () => {
  const { time, connections, take, startHost } = pair({ ...noFaults, link: slowLink });
  connections.connect(1, 0);
  time.runUntil(50);
  take();
  connections.connect(0, 1);
  connections.write(1, 1, frameOf(0));
  connections.crash(0, true);
  startHost(0);
  connections.write(1, 1, frameOf(1));
  time.runUntil(100);
  assert.equal(take(), []);
});

test('connections: a lost segment holds up what is behind it', () => {
  const link = { ...slowLink, loss: 0.5 };
  let late = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const { time, connections, take } = pair({ ...noFaults, link }, seed);
    connections.connect(1, 0);
    time.runUntil(100);
    take();
    for (let seq = 0; seq < 5; seq++) connections.write(1, 0, frameOf(seq));
    time.runUntilIdle();
    const times = take().map((line) => Number(/^\d+/.exec(line)?.[0]));
    assert.is(times.length, 5);
    if ((times[0] ?? 0) > 140) late += 1;
  }
  // Each is lost in half of the cases, and no follower may bring the first one earlier.
  assert.ok(late > 160 && late < 240, `${late} of 400 first frames are late`);
});

test('connections: a reset is told to both ends, and what was under way is lost or late', () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 50; seed++) {
    const { time, connections, take } = pair({ ...noFaults, link: slowLink }, seed);
    connections.connect(1, 0);
    time.runUntil(50);
    take();
    connections.write(1, 0, frameOf(0));
    connections.write(1, 1, frameOf(1));
    connections.reset(0, 1);
    connections.write(1, 1, frameOf(2));
    time.runUntilIdle();
    const log = take().map((line) => line.replace(/^\d+ /, ''));
    assert.is(log.filter((line) => line.endsWith('disconnected 1')).length, 2);
    assert.not(log.some((line) => line.endsWith('frame 1 2')));
    outcomes.add(
      log
        .filter((line) => line.includes('frame'))
        .sort()
        .join(),
    );
  }
  assert.equal([...outcomes].sort(), ['', '0 frame 1 1', '0 frame 1 1,1 frame 1 0', '1 frame 1 0']);
});

test.run();
