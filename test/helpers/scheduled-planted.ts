// Planted bugs of scheduled runs: between the network and a host stands something that does one
// thing wrong with what relays say to each other. The checkers have to find each of them.
import type { RelayMessage } from '../../src/cluster/messages.ts';
import type { NetworkListener, Packet } from '../../src/mailbox/network.ts';
import type { CreateSession } from '../../src/sim/virtual-host.ts';
import { Session } from '../../src/mailbox/session.ts';

type Meddle = (rank: number, listener: NetworkListener) => NetworkListener;
type Kind = RelayMessage['kind'];

const kindOf = ({ header }: Packet) => (header as RelayMessage).kind;
/** The listener's view of a payload ends with its call. */
const copyOf = ({ header, payload }: Packet): Packet => ({ header, payload: payload.slice() });

/** A listener that hands packets on as `hand` does. */
function meddling(
  hand: (give: (packet: Packet) => void, from: number, rank: number) => (packet: Packet) => void,
): Meddle {
  return (rank, listener) => {
    const ways = new Map<number, (packet: Packet) => void>();
    return {
      packet(from, packet) {
        const way = ways.get(from) ?? hand((given) => listener.packet(from, given), from, rank);
        ways.set(from, way);
        way(packet);
      },
      room: (to) => listener.room(to),
      lost: (to, fault) => listener.lost(to, fault),
    };
  };
}

/** Every third message of a kind is dropped. */
export const drops = (kind: Kind): Meddle =>
  meddling((give) => {
    let count = 0;
    return (packet) => {
      if (kindOf(packet) === kind && (count += 1) % 3 === 0) return;
      give(packet);
    };
  });

/** What is shared is in place only when the next message of this kind has been handed out. */
const sharesAfter = (kind: Kind, isMeant: (from: number, rank: number) => boolean): Meddle =>
  meddling((give, from, rank) => {
    const late: Packet[] = [];
    return (packet) => {
      if (kindOf(packet) === 'shared' && isMeant(from, rank)) return void late.push(copyOf(packet));
      give(packet);
      if (kindOf(packet) === kind) late.splice(0).forEach(give);
    };
  });

/** A work is handed out before the bytes that came before it. */
export const worksEarly = sharesAfter('work', (from) => from === 0);
/** A report arrives before the deltas that belong to it. */
export const reportsEarly = sharesAfter('report', (_, rank) => rank === 0);
/** A flush is answered before what it asks about is there: that comes with the next one. */
export const flushesEarly: Meddle = meddling((give, from, rank) => {
  let asked: Packet[] = [];
  let late: Packet[] = [];
  return (packet) => {
    const isHeld = kindOf(packet) === 'shared' && from > 0 && rank > 0;
    if (isHeld) return void late.push(copyOf(packet));
    give(packet);
    if (kindOf(packet) !== 'flush') return;
    asked.forEach(give);
    asked = late;
    late = [];
  };
});

/** Spaces from here on are delta logs: the program has at most 4 tables, and 4 buffers. */
const firstLog = 8;

/** The deltas of a worker are taken for those of the next one, too. */
export const foldsTwice: Meddle = meddling((give, _, rank) => (packet) => {
  give(packet);
  if (kindOf(packet) !== 'shared' || rank > 0) return;
  const message = packet.header as Extract<RelayMessage, { kind: 'shared' }>;
  const [space = 0, from = 0, bytes = 0] = message.parts.slice(-3);
  if (space < firstLog) return;
  const payload = packet.payload.slice(-bytes);
  give({ header: { ...message, parts: [space + 1, from, bytes] }, payload });
});

/** Two workers of a host are taken for each other. */
export const swapsWorkers: Meddle = meddling((give) => {
  let held: Packet | undefined;
  return (packet) => {
    if (kindOf(packet) !== 'report') return give(packet);
    if (held === undefined) return void (held = copyOf(packet));
    const [a, b] = [held, packet].map(
      ({ header }) => header as Extract<RelayMessage, { kind: 'report' }>,
    );
    held = undefined;
    if (a === undefined || b === undefined) return;
    const payload = packet.payload;
    give({ header: { ...a, worker: b.worker }, payload });
    give({ header: { ...b, worker: a.worker }, payload });
  };
});

/** Frames that are lost are not sent again. */
export const resendsNothing: CreateSession = (config, nowMs) =>
  new Session({ ...config, resendMs: undefined }, nowMs);
