// Planted bugs: sessions that do one thing wrong, around the real one. The checkers have to find
// each of them, or they check nothing.
import type { NetworkListener, Packet } from '../../src/mailbox/network.ts';
import type { SessionInput, SessionOutput } from '../../src/mailbox/session-types.ts';
import { Session } from '../../src/mailbox/session.ts';
import type { CreateSession, SessionLike } from '../../src/sim/virtual-host.ts';

type Step = (input: SessionInput, nowMs: number) => readonly SessionOutput[];

/** A session whose step is another. */
function around(session: Session, step: Step, hasRoom?: () => boolean): SessionLike {
  return {
    step,
    get phase() {
      return session.phase;
    },
    get hasRoom() {
      return hasRoom?.() ?? session.hasRoom;
    },
    get heldBytes() {
      return session.heldBytes;
    },
    toString: () => session.toString(),
  };
}

/** After a reconnect it hands out the last packet that it had handed out before. */
export const deliversTwice: CreateSession = (config, nowMs) => {
  const session = new Session(config, nowMs);
  let last: SessionOutput | undefined;
  let connections = 0;
  return around(session, (input, atMs) => {
    const outputs = session.step(input, atMs);
    const again = input.kind === 'connected' && connections++ > 0 && last !== undefined;
    const more = again && last !== undefined ? [last, ...outputs] : outputs;
    last = outputs.findLast(({ kind }) => kind === 'deliver') ?? last;
    return more;
  });
};

/**
 * After a reconnect it takes the first packet without an acknowledgement for acknowledged: the
 * packets after it take its number, and those of the acknowledgements go up by one.
 */
export const skipsOne: CreateSession = (config, nowMs) => {
  const session = new Session(config, nowMs);
  let skipped = Infinity;
  let armed = false;
  let connections = 0;
  return around(session, (input, atMs) => {
    let given = input;
    if (input.kind === 'connected') armed = connections++ > 0;
    if (input.kind === 'frame' && input.frame.ack >= skipped) {
      given = { ...input, frame: { ...input.frame, ack: input.frame.ack + 1 } };
    }
    return session.step(given, atMs).flatMap((output): readonly SessionOutput[] => {
      if (output.kind !== 'write' || output.frame.kind !== 'packet') return [output];
      const { seq } = output.frame;
      if (armed && skipped === Infinity) skipped = seq;
      if (seq < skipped) return [output];
      return seq === skipped ? [] : [{ ...output, frame: { ...output.frame, seq: seq - 1 } }];
    });
  });
};

/** It takes a peer that has started again for the one that it knew. */
export const ignoresIncarnations: CreateSession = (config, nowMs) => {
  const { incarnation, peerIncarnation } = config;
  const session = new Session(config, nowMs);
  return around(session, (input, atMs) => {
    if (input.kind !== 'frame') return session.step(input, atMs);
    const frame = { ...input.frame, from: peerIncarnation, to: incarnation };
    return session.step({ kind: 'frame', frame }, atMs);
  });
};

/** It always has room, up to the hard limit. */
export const alwaysHasRoom: CreateSession = (config, nowMs) => {
  const session = new Session(config, nowMs);
  return around(
    session,
    (input, atMs) => session.step(input, atMs),
    () => session.heldBytes.sending + 512 < config.hardBytes,
  );
};

/** It gives its peer up after a tenth of the time. */
export const givesUpEarly: CreateSession = (config, nowMs) =>
  new Session({ ...config, peerTimeoutMs: config.peerTimeoutMs / 10 }, nowMs);

/** It gives its peer up and says so to nobody. */
export const losesInSilence: CreateSession = (config, nowMs) => {
  const session = new Session(config, nowMs);
  return around(session, (input, atMs) =>
    session.step(input, atMs).filter(({ kind }) => kind !== 'lost'),
  );
};

/** A network that hands every tenth packet out after the one that follows it. */
export function breaksOrder(_rank: number, listener: NetworkListener): NetworkListener {
  const held = new Map<number, Packet>();
  let count = 0;
  return {
    ...listener,
    packet(from, packet) {
      count += 1;
      const before = held.get(from);
      if (count % 10 === 0 && before === undefined) {
        held.set(from, { header: packet.header, payload: packet.payload.slice() });
        return;
      }
      listener.packet(from, packet);
      if (before !== undefined) listener.packet(from, before);
      held.delete(from);
    },
  };
}

/** A network that changes a byte of every tenth packet. */
export function changesBytes(_rank: number, listener: NetworkListener): NetworkListener {
  let count = 0;
  return {
    ...listener,
    packet(from, packet) {
      count += 1;
      const payload = packet.payload.slice();
      if (count % 10 === 0 && payload.length > 0) payload[0] = (payload[0] ?? 0) ^ 1;
      listener.packet(from, { header: packet.header, payload });
    },
  };
}
