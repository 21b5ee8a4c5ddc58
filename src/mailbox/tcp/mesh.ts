// The mesh: every host connected to every other, by TCP under sessions. This is the real Network.
//
//   1. All but the last rank open a door. Ranks 1… call rank 0, which waits until all are there
//      (rendezvous) and then tells everyone where everyone is.
//   2. Each rank calls those below it; the connection to rank 0 stands already.
//   3. One timer asks all sessions what is due. Nothing else ticks, and nothing stays after close.
import type { Server } from 'node:net';
import { SystemError, fromFault, type Fault } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { LinkStatistics, Network, NetworkListener, Packet } from '../network.ts';
import { Rendezvous, type Join, type Member } from '../rendezvous.ts';
import { sessionDefaults, type SessionConfig } from '../session-types.ts';
import type { Connection } from './connection.ts';
import { Door, type Listen } from './door.ts';
import { call, type Called, type Caller } from './handshake.ts';
import { Peer } from './peer.ts';
import { Repeats } from './repeats.ts';
import { keyOf, type Key } from './security.ts';

export type MeshOptions = {
  readonly rank: number;
  readonly size: number;
  /** Where rank 0 listens, as the others reach it. Rank 0 itself listens at `bind`. */
  readonly host: string;
  readonly port: number;
  /** Address to listen at; 0.0.0.0 or :: for all of this host's. */
  readonly bind: string;
  /** A socket that listens already, in place of `bind` (and, for rank 0, `port`). */
  readonly listen?: { readonly server: Server } | { readonly fd: number };
  /** Told the port that this host listens at, before anyone has joined: useful with port 0. */
  readonly onListening?: (port: number) => void;
  /** Of the job, at least 16 bytes. Undefined: plain TCP, which stays on the loopback address. */
  readonly secret: Uint8Array | undefined;
  /** Plain TCP, wherever it goes. */
  readonly insecure: boolean;
  /** Worker threads of this host. */
  readonly threads: number;
  readonly version: string;
  readonly runId: string;
  readonly log: (text: string) => void;
  readonly joinTimeoutMs?: number;
  /** Other settings for sessions than the limits'; the same on all hosts. */
  readonly session?: Partial<typeof sessionDefaults | SessionConfig>;
};

export type Mesh = Network & {
  /** Worker threads of every host, by rank. */
  readonly threads: readonly number[];
  /** From here on packets and losses go there; those of before, at once. */
  attach(listener: NetworkListener): void;
  /**
   * Sends what waits, says goodbye, and resolves when the others have it or are gone: they do not
   * report this host lost. With a fault they do, for that reason. Nothing keeps the process alive
   * afterwards.
   */
  close(fault?: Fault): Promise<void>;
};

type Together = {
  readonly members: readonly Member[];
  /** By rank, where one stands already. */
  readonly connections: readonly (Connection | undefined)[];
};

const wildcards: ReadonlySet<string> = new Set(['0.0.0.0', '::', '']);
const nowMs = () => performance.now();

/**
 * Joins the hosts of a run, waiting until all are there.
 *
 *     const mesh = await joinMesh({ rank: 1, size: 2, host: '10.0.0.1', port: 4711, … });
 *     mesh.attach(listener);
 *     mesh.send(0, { header: { epoch: 3 }, payload });
 *     await mesh.close();
 *
 * @throws ERR_CONFIG for a setting, or when rank 0 refuses this host; ERR_PEER_LOST when not all
 * came in time, with the ranks that did not.
 */
export async function joinMesh(options: MeshOptions): Promise<Mesh> {
  const { rank, size, host, bind, secret, insecure, runId, version, threads, log } = options;
  if (size < 1 || size > limits.hostsMax || rank < 0 || rank >= size) {
    const rule = `a run has 1 to ${limits.hostsMax} hosts, with ranks from 0`;
    throw new SystemError('ERR_CONFIG', `${rule}, got rank ${rank} of ${size}`);
  }
  const addresses = size === 1 ? [] : rank === 0 ? [bind] : [bind, host];
  const key = keyOf({ secret, insecure, runId, addresses });
  const listen: Listen = options.listen ?? { host: bind, port: rank === 0 ? options.port : 0 };
  const door = rank < size - 1 ? new Door({ listen, key, log }) : undefined;
  const port = (await door?.open()) ?? 0;
  const own = { threads, host: wildcards.has(bind) ? '' : bind, port };
  const self: Join = { rank, size, version, runId, incarnation: Date.now(), ...own };
  door?.know(self);
  options.onListening?.(port);
  const joining = { options, key, self, door };
  try {
    if (size === 1) return new TcpMesh(joining, { members: [self], connections: [] });
    return new TcpMesh(joining, await (rank === 0 ? gather(joining) : enter(joining)));
  } catch (error) {
    door?.close();
    throw error;
  }
}

type Joining = {
  readonly options: MeshOptions;
  readonly key: Key;
  readonly self: Join;
  readonly door: Door | undefined;
};

/** Rank 0: waits for all others. */
function gather({ options, self, door }: Joining): Promise<Together> {
  const { log, joinTimeoutMs = limits.joinTimeoutMs } = options;
  const rendezvous = new Rendezvous({ self, deadlineMs: nowMs() + joinTimeoutMs });
  const callers: Caller[] = [];
  return new Promise((resolve, reject) => {
    const feed = (input: Parameters<Rendezvous['step']>[0]) => {
      for (const output of rendezvous.step(input, nowMs())) {
        if (output.kind === 'refuse') {
          const caller = callers[output.link];
          log(`refused ${caller?.connection.remoteHost}: ${output.reason}`);
          caller?.refuse(output.reason);
        } else {
          clearInterval(timer);
          if (output.kind === 'failed') {
            for (const { connection } of callers) connection.destroy();
            reject(fromFault(output.fault));
          } else {
            const { members, links } = output;
            const linked = links.map((link) => (link === undefined ? undefined : callers[link]));
            for (const caller of linked) caller?.welcome(members);
            resolve({ members, connections: linked.map((caller) => caller?.connection) });
          }
        }
      }
    };
    const timer = setInterval(() => {
      door?.tick(nowMs());
      feed({ kind: 'tick' });
    }, limits.sessionTickMs);
    door?.admit((caller) => {
      const link = callers.push(caller) - 1;
      const { connection, join } = caller;
      connection.promote({
        frame: (frame) => {
          log(`rank ${join.rank} sent a ${frame.kind} before it was welcome`);
          connection.destroy();
          feed({ kind: 'unlinked', link });
        },
        ended: (why) => {
          log(`rank ${join.rank} went away before all were there: ${why}`);
          feed({ kind: 'unlinked', link });
        },
      });
      const host = join.host === '' ? connection.remoteHost : join.host;
      feed({ kind: 'join', link, join: { ...join, host } });
    });
  });
}

/** Another rank: calls rank 0 until it is welcome. */
async function enter({ options, key, self, door }: Joining): Promise<Together> {
  const { host, port, log, joinTimeoutMs = limits.joinTimeoutMs } = options;
  const beganMs = nowMs();
  const deadlineMs = beganMs + joinTimeoutMs;
  const repeats = new Repeats(log);
  const timer = setInterval(() => door?.tick(nowMs()), limits.sessionTickMs);
  try {
    for (let pauseMs: number = limits.reconnectMinMs; ; pauseMs *= 2) {
      const leftMs = deadlineMs - nowMs();
      const work = { host, port, rank: 0, key, self, welcomeMs: Math.max(1, leftMs) };
      const result = await new Promise<Called>((resolve) => void call(work, resolve));
      if (result.kind === 'welcome') {
        // Rank 0 is where it was found, whatever it thinks its address is.
        const members = result.members.map((m) => (m.rank === 0 ? { ...m, host, port } : m));
        return { members, connections: [result.connection] };
      }
      const what = `rank ${self.rank} cannot join rank 0 at ${host}:${port}: ${result.why}`;
      if (result.final) throw new SystemError('ERR_CONFIG', what);
      const waitedMs = nowMs() - beganMs;
      // Names may come up late, as rank 0 itself does.
      if (result.why.includes('ENOTFOUND') && waitedMs >= limits.nameTimeoutMs) {
        const next = `call rank 0 by a name or an address that all hosts know: ${host} is none`;
        throw new SystemError('ERR_CONFIG', `${what}\n${next}`);
      }
      if (nowMs() >= deadlineMs) throw new SystemError('ERR_PEER_LOST', what);
      // That rank 0 is not there yet is no news at first.
      if (waitedMs >= limits.reconnectMaxMs) repeats.say(what);
      await new Promise((resolve) => setTimeout(resolve, Math.min(pauseMs, limits.reconnectMaxMs)));
    }
  } finally {
    clearInterval(timer);
  }
}

class TcpMesh implements Mesh {
  readonly rank: number;
  readonly size: number;
  readonly threads: readonly number[];
  readonly #joining: Joining;
  readonly #peers: readonly (Peer | undefined)[];
  readonly #timer: NodeJS.Timeout;
  #listener: NetworkListener | undefined;
  /** What came before there was a listener. Credit bounds it. */
  #early: ((listener: NetworkListener) => void)[] = [];
  #closing: Promise<void> | undefined;

  constructor(joining: Joining, { members, connections }: Together) {
    const { self, door } = joining;
    this.#joining = joining;
    this.rank = self.rank;
    this.size = self.size;
    this.threads = members.map(({ threads }) => threads);
    this.#peers = members.map((member) =>
      member.rank === self.rank ? undefined : this.#peerOf(member),
    );
    this.#timer = setInterval(() => this.#tick(), limits.sessionTickMs);
    connections.forEach((connection, rank) => {
      // It may have broken while the others were waited for.
      if (connection?.isOver === false) this.#peers[rank]?.attach(connection);
    });
    door?.admit((caller) => this.#onCaller(caller, members));
    this.#tick(); // calls the ranks below
  }

  attach(listener: NetworkListener): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const tell of early) tell(listener);
  }

  send(to: number, packet: Packet): void {
    this.#peer(to).send(packet);
  }

  hasRoom(to: number): boolean {
    return this.#peer(to).hasRoom;
  }

  statistics(): readonly LinkStatistics[] {
    return this.#all().map((peer) => peer.statistics());
  }

  close(fault?: Fault): Promise<void> {
    this.#closing ??= this.#close(fault);
    return this.#closing;
  }

  async #close(fault: Fault | undefined): Promise<void> {
    await Promise.all(this.#all().map((peer) => peer.close(fault)));
    clearInterval(this.#timer);
    this.#joining.door?.close();
  }

  #all(): readonly Peer[] {
    return this.#peers.filter((peer) => peer !== undefined);
  }

  #peer(rank: number): Peer {
    const peer = this.#peers[rank];
    if (peer !== undefined) return peer;
    const rule = `rank ${this.rank} of ${this.size} has a link to each other rank`;
    throw new SystemError('ERR_INTERNAL', `${rule}, and none to ${rank}`);
  }

  #peerOf(member: Member): Peer {
    const { options, self, key } = this.#joining;
    const { rank } = member;
    const config: SessionConfig = {
      ...{ ...sessionDefaults, ...options.session },
      ...{ rank: self.rank, peer: rank, connects: rank < self.rank, peerHost: member.host },
      ...{ incarnation: self.incarnation, peerIncarnation: member.incarnation },
    };
    const consumed = (bytes: number) => this.#peers[rank]?.consumed(bytes);
    return new Peer({
      ...{ config, member, self, key, nowMs, log: options.log },
      deliver: (packet, bytes) => {
        if (this.#listener !== undefined) {
          this.#listener.packet(rank, packet);
          return consumed(bytes);
        }
        const kept = { header: packet.header, payload: new Uint8Array(packet.payload) };
        this.#early.push((listener) => {
          listener.packet(rank, kept);
          consumed(bytes);
        });
      },
      room: () => this.#tell((listener) => listener.room(rank)),
      lost: (fault) => this.#tell((listener) => listener.lost(rank, fault)),
    });
  }

  #tell(what: (listener: NetworkListener) => void): void {
    if (this.#listener === undefined) this.#early.push(what);
    else what(this.#listener);
  }

  #tick(): void {
    this.#joining.door?.tick(nowMs());
    for (const peer of this.#all()) peer.tick();
  }

  /** A rank above calls: at first, or since its connection broke. */
  #onCaller({ join, connection, welcome, refuse }: Caller, members: readonly Member[]): void {
    const peer = this.#peers[join.rank];
    const { log } = this.#joining.options;
    const no = (reason: string) => {
      // A run that is ending here says so already.
      if (this.#closing === undefined)
        log(`refused rank ${join.rank} from ${connection.remoteHost}: ${reason}`);
      refuse(reason);
    };
    if (peer === undefined || join.rank < this.rank) return no('only ranks above call this one');
    if (join.incarnation !== peer.incarnation) {
      // Started twice by mistake: the one that takes part is none the worse for it.
      if (peer.isConnected)
        return no(`rank ${join.rank} takes part already: each has its own rank`);
      no(`rank ${join.rank} is another process, and this run goes on without it`);
      return peer.restarted(join.incarnation);
    }
    if (peer.isLost) return no('it was reported lost, and this run goes on without it');
    welcome(members);
    peer.attach(connection);
  }
}
