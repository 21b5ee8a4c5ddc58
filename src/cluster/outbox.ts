// What a host has to send, link by link, within a budget of bytes per second: packets of a link
// wait in order until the budget allows them. Without a budget they go at once.
import type { Network, Packet } from '../mailbox/network.ts';
import { Budget } from '../ps/budget.ts';

export type OutboxOptions = {
  /** For each link; undefined: no limit. */
  readonly bytesPerSecond: number | undefined;
  /** So much may go at once after a pause. Default: a tenth of a second's worth, and a packet. */
  readonly burstBytes?: number | undefined;
  readonly nowMs: () => number;
};

const burstShare = 0.1;
const burstBytesMin = 64 * 1024;
/** A header with its frame, about. */
const headerBytes = 96;

type Link = {
  readonly budget: Budget | undefined;
  readonly waiting: Packet[];
  /** Packets had to wait, and nobody was told yet that there is room again. */
  full: boolean;
};

export class Outbox {
  readonly #network: Network;
  readonly #options: OutboxOptions;
  readonly #links: readonly Link[];

  constructor(network: Network, options: OutboxOptions) {
    this.#network = network;
    this.#options = options;
    const { bytesPerSecond: rate } = options;
    const burst = options.burstBytes ?? Math.max(burstBytesMin, (rate ?? 0) * burstShare);
    this.#links = Array.from({ length: network.size }, () => ({
      budget: rate === undefined ? undefined : new Budget(rate, burst, options.nowMs()),
      waiting: [],
      full: false,
    }));
  }

  send(to: number, packet: Packet): void {
    const link = this.#links[to];
    link?.waiting.push(packet);
    this.#flush(to);
  }

  /** Nothing waits here: what was sent is with the network. */
  get isEmpty(): boolean {
    return this.#links.every(({ waiting }) => waiting.length === 0);
  }

  /** False while packets wait, for the budget or for the network: hold bulk back. */
  hasRoom(to: number): boolean {
    return this.#links[to]?.waiting.length === 0 && this.#network.hasRoom(to);
  }

  /** Sends what the budget allows by now; the links that have room again. */
  tick(): readonly number[] {
    return this.#links.flatMap((link, to) => {
      if (!link.full) return [];
      this.#flush(to);
      link.full = !this.hasRoom(to);
      return link.full ? [] : [to];
    });
  }

  /** Milliseconds until `tick` can send something; undefined when nothing waits. */
  get waitMs(): number | undefined {
    const nowMs = this.#options.nowMs();
    const waits = this.#links.flatMap(({ waiting, budget }) => {
      const next = waiting[0];
      if (next === undefined || budget === undefined) return [];
      return [budget.waitMs(next.payload.length + headerBytes, nowMs)];
    });
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  #flush(to: number): void {
    const link = this.#links[to];
    if (link === undefined) return;
    const { budget, waiting } = link;
    for (let packet = waiting[0]; packet !== undefined; packet = waiting[0]) {
      const bytes = packet.payload.length + headerBytes;
      if (budget !== undefined && !budget.spend(bytes, this.#options.nowMs())) {
        link.full = true;
        return;
      }
      waiting.shift();
      this.#network.send(to, packet);
    }
  }
}
