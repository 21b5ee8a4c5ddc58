// A host's packets, sorted: those of a run to the member that takes part in it, those of gatherings
// to whoever waits for them. A host may be ahead of us by a run, or by a gathering: what it says
// before we ask is kept until we do.
import { assert } from '../base/assert.ts';
import { fromFault, SystemError, toFault, type Fault } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { LinkStatistics, Network, NetworkListener, Packet } from '../mailbox/network.ts';
import type { PeerMessage, RelayMessage } from './messages.ts';

/** One host's part of a gathering; large ones come in pieces. */
type GatherMessage = { readonly kind: 'gather'; readonly name: string; readonly last: boolean };

/** A piece of a file that another host has, and its answer. */
type ReadMessage = {
  readonly kind: 'read';
  readonly id: number;
  readonly path: string;
  readonly from: number;
  readonly bytes: number;
};
type BytesMessage = { readonly kind: 'bytes'; readonly id: number; readonly fault?: Fault };
type LinkMessage = GatherMessage | ReadMessage | BytesMessage | PeerMessage | RelayMessage;

/** Reads a piece of a file of this host, for another one. */
export type ServeFile = (path: string, from: number, bytes: number) => Promise<Uint8Array>;
type Settle<T> = { resolve(value: T): void; reject(error: Error): void };

type Gathering = {
  readonly pieces: Uint8Array[][];
  readonly whole: boolean[];
  settle?: Settle<readonly Uint8Array[]>;
};

export type RunListener = {
  packet(from: number, packet: Packet): void;
  room(to: number): void;
  lost(rank: number, fault: Fault): void;
};

/** Packets of a run that has not begun here: a few clocks' worth at most. */
const earlyPacketsMax = 4096;

export class Link implements NetworkListener {
  readonly #network: Network;
  readonly #gatherings = new Map<string, Gathering>();
  readonly #early: { from: number; packet: Packet }[] = [];
  readonly #lost = new Map<number, Fault>();
  readonly #serve: ServeFile;
  readonly #reads = new Map<number, Settle<Uint8Array>>();
  #readId = 0;
  #run = 0;
  #listener: RunListener | undefined;

  constructor(network: Network, serve: ServeFile) {
    this.#network = network;
    this.#serve = serve;
  }

  get statistics(): readonly LinkStatistics[] {
    return this.#network.statistics();
  }

  /** Takes part in run `run`: what came early is delivered now, and then what comes. */
  begin(run: number, listener: RunListener): void {
    this.#run = run;
    this.#listener = listener;
    for (const [rank, fault] of this.#lost) listener.lost(rank, fault);
    const early = this.#early.splice(0);
    for (const { from, packet } of early) this.packet(from, packet);
  }

  end(): void {
    this.#listener = undefined;
  }

  /** Tells the others why this host ends run `run`, when it is a thread of it that failed. */
  fail(fault: Fault, run: number): void {
    const { rank, size } = this.#network;
    const header: PeerMessage = { kind: 'fault', fault, run };
    for (let to = 0; to < size; to++) {
      if (to !== rank) this.#network.send(to, { header, payload: new Uint8Array(0) });
    }
  }

  /** See World.allGather. */
  gather(name: string, bytes: Uint8Array): Promise<readonly Uint8Array[]> {
    const { rank, size } = this.#network;
    const gathering = this.#gathering(name);
    assert(gathering.settle === undefined, 'a gathering has a name of its own');
    const [lost] = this.#lost.values();
    if (lost !== undefined) return Promise.reject(fromFault(lost));
    gathering.pieces[rank] = [bytes];
    gathering.whole[rank] = true;
    for (let to = 0; to < size; to++) if (to !== rank) this.#sendPieces(to, name, bytes);
    return new Promise((resolve, reject) => {
      gathering.settle = { resolve, reject };
      this.#settle(name, gathering);
    });
  }

  /** See World.readRemote. */
  async read(path: string, from: number, bytes: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (let done = 0; done < bytes;) {
      const want = Math.min(limits.wireBytes, bytes - done);
      const piece = await this.#readPiece(path, from + done, want);
      pieces.push(piece);
      done += piece.length;
      if (piece.length < want) break;
    }
    return Buffer.concat(pieces);
  }

  #readPiece(path: string, from: number, bytes: number): Promise<Uint8Array> {
    const lost = this.#lost.get(0);
    if (lost !== undefined) return Promise.reject(fromFault(lost));
    this.#readId += 1;
    const id = this.#readId;
    this.#say(0, { kind: 'read', id, path, from, bytes });
    return new Promise((resolve, reject) => this.#reads.set(id, { resolve, reject }));
  }

  #say(to: number, header: LinkMessage, payload: Uint8Array = new Uint8Array(0)): void {
    this.#network.send(to, { header, payload });
  }

  async #answer(from: number, { id, path, ...piece }: ReadMessage): Promise<void> {
    try {
      const bytes = await this.#serve(path, piece.from, piece.bytes);
      if (!this.#lost.has(from)) this.#say(from, { kind: 'bytes', id }, bytes);
    } catch (thrown) {
      if (!this.#lost.has(from)) this.#say(from, { kind: 'bytes', id, fault: toFault(thrown) });
    }
  }

  #answered({ id, fault }: BytesMessage, payload: Uint8Array): void {
    const settle = this.#reads.get(id);
    this.#reads.delete(id);
    if (fault !== undefined) settle?.reject(fromFault(fault));
    else settle?.resolve(payload.slice());
  }

  packet(from: number, packet: Packet): void {
    const header = packet.header as LinkMessage;
    if (header.kind === 'read') void this.#answer(from, header);
    else if (header.kind === 'bytes') this.#answered(header, packet.payload);
    else if (header.kind === 'gather') {
      const gathering = this.#gathering(header.name);
      gathering.pieces[from]?.push(packet.payload.slice());
      if (header.last) gathering.whole[from] = true;
      this.#settle(header.name, gathering);
    } else if (this.#listener !== undefined && header.run === this.#run) {
      this.#listener.packet(from, packet);
    } else if (header.run > this.#run || this.#listener === undefined) {
      this.#keep(from, packet);
    }
    // What is left is of a run that has ended here: its sender does not know it yet.
  }

  room(to: number): void {
    this.#listener?.room(to);
  }

  lost(rank: number, fault: Fault): void {
    this.#lost.set(rank, fault);
    this.#listener?.lost(rank, fault);
    for (const [name, { settle }] of this.#gatherings) {
      settle?.reject(fromFault({ ...fault, message: `${fault.message}, while gathering ${name}` }));
    }
    this.#gatherings.clear();
    if (rank !== 0) return;
    for (const { reject } of this.#reads.values()) reject(fromFault(fault));
    this.#reads.clear();
  }

  #keep(from: number, packet: Packet): void {
    if ((packet.header as PeerMessage).run < this.#run) return;
    if (this.#early.length >= earlyPacketsMax) {
      const rule = `at most ${earlyPacketsMax} packets wait for a run that has not begun here`;
      throw new SystemError('ERR_LIMIT', `${rule}: rank ${from} is too far ahead`);
    }
    this.#early.push({ from, packet: { header: packet.header, payload: packet.payload.slice() } });
  }

  #gathering(name: string): Gathering {
    const { size } = this.#network;
    const known = this.#gatherings.get(name);
    if (known !== undefined) return known;
    const fresh: Gathering = {
      pieces: Array.from({ length: size }, () => []),
      whole: new Array<boolean>(size).fill(false),
    };
    this.#gatherings.set(name, fresh);
    return fresh;
  }

  #sendPieces(to: number, name: string, bytes: Uint8Array): void {
    for (let from = 0; ; from += limits.wireBytes) {
      const last = from + limits.wireBytes >= bytes.length;
      this.#say(to, { kind: 'gather', name, last }, bytes.slice(from, from + limits.wireBytes));
      if (last) return;
    }
  }

  #settle(name: string, { pieces, whole, settle }: Gathering): void {
    if (settle === undefined || !whole.every(Boolean)) return;
    this.#gatherings.delete(name);
    settle.resolve(pieces.map((parts) => Buffer.concat(parts)));
  }
}
