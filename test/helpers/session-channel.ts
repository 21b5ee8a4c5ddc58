// Two sessions over a channel that loses, duplicates, reorders and cuts, in virtual time, and a
// checker that knows what was sent, never asking a session what it thinks.
import { createPrng } from '../../src/base/prng.ts';
import type { Frame } from '../../src/mailbox/frame.ts';
import type {
  SessionConfig,
  SessionInput,
  SessionOutput,
} from '../../src/mailbox/session-types.ts';
import { sessionDefaults } from '../../src/mailbox/session-types.ts';
import { Session } from '../../src/mailbox/session.ts';

/** Planted bugs: what the channel does to frames that a correct session would have sent right. */
export type Canary = 'none' | 'lost-ack' | 'double-delivery' | 'forgets-after-cut';

export type ChannelReport = {
  readonly problem: string | undefined;
  readonly delivered: number;
  readonly cuts: number;
  readonly trace: readonly string[];
};

type Event = { readonly atMs: number; readonly order: number; readonly run: () => void };

const windowBytes = 4096;
const softBytes = 2048;
const hardBytes = 8192;

function configOf(rank: number): SessionConfig {
  const incarnations = { incarnation: 100 + rank, peerIncarnation: 101 - rank };
  const sizes = { softBytes, hardBytes, windowBytes };
  const times = { resendMs: 40, heartbeatMs: 100, silenceMs: 400, peerTimeoutMs: 60_000 };
  const pauses = { reconnectMinMs: 5, reconnectMaxMs: 50 };
  const ends = { rank, peer: 1 - rank, connects: rank === 1, ...incarnations };
  return { ...sessionDefaults, ...ends, ...sizes, ...times, ...pauses };
}

/** The payload says which packet it is, in every byte. */
function payloadOf(rank: number, index: number, bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill((rank * 97 + index * 31) & 255);
}

export function runChannel(seed: number, packets: number, canary: Canary = 'none'): ChannelReport {
  const prng = createPrng(seed);
  // Swarm weights: each seed has its own mixture of faults, and some have none of a kind.
  const rate = (most: number) => (prng.below(3) === 0 ? 0 : prng.uniform() * most);
  const rates = { lose: rate(0.3), twice: rate(0.3), cut: rate(0.02), late: rate(0.5) };
  const events: Event[] = [];
  let [nowMs, order, cuts, up] = [0, 0, 0, false];
  let problem: string | undefined;
  const trace: string[] = [];
  const sessions = [0, 1].map((rank) => new Session(configOf(rank), 0));
  const sent = [0, 0];
  const got = [0, 0];
  const sizes: number[][] = [[], []];
  const closed = [false, false];

  const fail = (why: string) => {
    problem ??= `SEED=${seed}: ${why}`;
  };
  const later = (delayMs: number, run: () => void) => {
    events.push({ atMs: nowMs + delayMs, order: order++, run });
  };

  const feed = (rank: number, input: SessionInput) => {
    const session = sessions[rank]!;
    for (const output of session.step(input, nowMs)) act(rank, output);
    const { sending, receiving } = session.heldBytes;
    if (sending > hardBytes + 128) fail(`rank ${rank} holds ${sending} bytes to send`);
    if (receiving > windowBytes) fail(`rank ${rank} holds ${receiving} bytes received`);
  };

  const cut = (why: string) => {
    if (!up) return;
    up = false;
    cuts += 1;
    for (const rank of [0, 1]) {
      later(prng.below(20), () => up || feed(rank, { kind: 'disconnected', why }));
    }
  };

  const carry = (from: number, frame: Frame) => {
    if (!up) return;
    if (prng.uniform() < rates.cut) cut('cut');
    const dropped = canary === 'lost-ack' ? { ...frame, ack: frame.ack + 1 } : frame;
    const bad = canary === 'lost-ack' && frame.ack > 2 && prng.below(20) === 0;
    for (let copy = 0; copy < (prng.uniform() < rates.twice ? 2 : 1); copy++) {
      if (prng.uniform() < rates.lose) continue;
      const delay = 1 + (prng.uniform() < rates.late ? prng.below(60) : 0);
      later(delay, () => feed(1 - from, { kind: 'frame', frame: bad ? dropped : frame }));
    }
  };

  const deliver = (rank: number, output: Extract<SessionOutput, { kind: 'deliver' }>) => {
    const { header, payload } = output.packet;
    const index = got[rank]!;
    got[rank] = index + 1;
    const expected = payloadOf(1 - rank, index, sizes[1 - rank]![index] ?? -1 >>> 31);
    if (header !== index) fail(`rank ${rank} got packet ${String(header)} for ${index}`);
    else if (Buffer.compare(payload, expected) !== 0) fail(`packet ${index} came changed`);
    later(prng.below(10), () => feed(rank, { kind: 'consumed', bytes: output.bytes }));
    const again = canary === 'double-delivery' && cuts > 0 && prng.below(10) === 0;
    if (again) deliver(rank, output);
  };

  const act = (rank: number, output: SessionOutput): void => {
    trace.push(`${nowMs} ${rank} ${output.kind}`);
    switch (output.kind) {
      case 'write':
        return carry(rank, output.frame);
      case 'deliver':
        return deliver(rank, output);
      case 'connect':
        return later(1 + prng.below(10), () => {
          if (prng.below(4) === 0) return feed(1, { kind: 'disconnected', why: 'refused' });
          up = true;
          if (canary === 'forgets-after-cut' && cuts > 0) sessions[1] = new Session(configOf(1), 0);
          feed(0, { kind: 'connected' });
          feed(1, { kind: 'connected' });
        });
      case 'drop':
        return cut(output.why);
      case 'lost':
        return fail(`rank ${rank}: ${output.fault.message}`);
      case 'closed':
        closed[rank] = true;
        return;
      case 'left':
        if (output.dropped > 0) fail(`rank ${rank} is left with ${output.dropped} packets`);
        return;
      case 'room':
        return;
    }
  };

  const offer = (rank: number) => {
    const session = sessions[rank]!;
    const count = 1 + prng.below(5);
    for (let i = 0; i < count && sent[rank]! < packets && session.hasRoom; i++) {
      const index = sent[rank]!++;
      const bytes = prng.below(4) === 0 ? prng.below(1500) : prng.below(40);
      sizes[rank]![index] = bytes;
      feed(rank, {
        kind: 'send',
        packet: { header: index, payload: payloadOf(rank, index, bytes) },
      });
    }
    const done = sent[rank] === packets && got[rank] === packets;
    if (done) feed(rank, { kind: 'close' });
    else later(1 + prng.below(30), () => offer(rank));
  };
  const tick = (rank: number) => {
    feed(rank, { kind: 'tick' });
    if (!closed[rank]) later(10, () => tick(rank));
  };
  for (const rank of [0, 1]) {
    later(0, () => offer(rank));
    later(rank, () => tick(rank));
  }
  for (let steps = 0; problem === undefined; steps++) {
    let first = 0;
    for (let i = 1; i < events.length; i++) if (before(events[i]!, events[first]!)) first = i;
    const event = events[first];
    if (event === undefined || closed.every((end) => end)) break;
    events[first] = events[events.length - 1]!;
    events.pop();
    nowMs = event.atMs;
    event.run();
    if (steps > 200_000) fail(`no end after ${nowMs} ms: ${sessions.map(String).join(' || ')}`);
  }
  got.forEach((count, rank) => {
    if (count !== packets) fail(`rank ${rank} got ${count} of ${packets} packets`);
  });
  return { problem, delivered: got[0]! + got[1]!, cuts, trace };
}

const before = (a: Event, b: Event) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
