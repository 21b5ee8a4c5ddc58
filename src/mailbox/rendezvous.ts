// The rendezvous: rank 0 learns who takes part and tells everyone where everyone is. Pure.
//
//   rank r                                rank 0
//   join: rank, size, version, run … ──▶  fits? remembered : refused, with the reason
//                                    ◀──  all there: the table of members, to everyone
//
// A link that breaks before all are there makes its rank free again; refusing one leaves others.
import type { Fault } from '../base/errors.ts';
import { limits } from '../base/limits.ts';

/** What a host says of itself, and what the others learn of it. */
export type Member = {
  readonly rank: number;
  readonly threads: number;
  readonly incarnation: number;
  /** Where it takes connections; without a host name, where its own connection came from. */
  readonly host: string;
  readonly port: number;
};

export type Join = Member & {
  readonly size: number;
  readonly version: string;
  readonly runId: string;
};

export type RendezvousConfig = {
  /** Rank 0 itself. */
  readonly self: Join;
  readonly deadlineMs: number;
};

export type RendezvousInput =
  /** `link` names the connection it came by. */
  | { readonly kind: 'join'; readonly link: number; readonly join: Join }
  | { readonly kind: 'unlinked'; readonly link: number }
  | { readonly kind: 'tick' };

export type RendezvousOutput =
  | { readonly kind: 'refuse'; readonly link: number; readonly reason: string }
  /** Once: all are there. By rank; rank 0 first, whose link is undefined. */
  | {
      readonly kind: 'complete';
      readonly members: readonly Member[];
      readonly links: readonly (number | undefined)[];
    }
  | { readonly kind: 'failed'; readonly fault: Fault };

type Place = { readonly member: Member; readonly link: number | undefined };

const isCount = (value: unknown, max: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length < 256;

/** A member from a header off the wire; the reason why it is none. */
export function parseMember(header: unknown): Member | string {
  if (typeof header !== 'object' || header === null) return 'it is not a map';
  const { rank, threads, incarnation, host, port } = header as Record<string, unknown>;
  if (!isCount(rank, limits.hostsMax - 1)) return 'the rank is no rank';
  if (!isCount(threads, limits.workersMax)) return 'the number of threads is none';
  if (!isCount(incarnation, Number.MAX_SAFE_INTEGER)) return 'the incarnation is no integer';
  if (!isText(host) || !isCount(port, 65535)) return 'the address is none';
  return { rank, threads, incarnation, host, port };
}

/** A join from a header off the wire; the reason why it is none. */
export function parseJoin(header: unknown): Join | string {
  const member = parseMember(header);
  if (typeof member === 'string') return member;
  const { size, version, runId } = header as Record<string, unknown>;
  if (!isCount(size, limits.hostsMax)) return 'the number of hosts is none';
  if (!isText(version) || !isText(runId)) return 'version or run is no text';
  return { ...member, size, version, runId };
}

/** Why `join` does not belong to the run of `self`; every host asks it of who connects. */
export function mismatch(self: Join, join: Join): string | undefined {
  const { version, runId, size } = self;
  if (join.version !== version) return `version ${join.version} joins a run of version ${version}`;
  if (join.runId !== runId) return `run ${join.runId} joins run ${runId}`;
  if (join.size !== size) return `it counts ${join.size} hosts, this run has ${size}`;
  if (join.rank >= size) return `rank ${join.rank} is out of range: this run has ${size} hosts`;
  return undefined;
}

export class Rendezvous {
  readonly #config: RendezvousConfig;
  readonly #places: (Place | undefined)[];
  #over = false;

  constructor(config: RendezvousConfig) {
    const { rank, threads, incarnation, host, port, size } = config.self;
    this.#config = config;
    this.#places = Array.from({ length: size }, () => undefined);
    this.#places[0] = { member: { rank, threads, incarnation, host, port }, link: undefined };
  }

  /** With nothing in it: has a run of one host all it needs? */
  step(input: RendezvousInput, nowMs: number): readonly RendezvousOutput[] {
    if (this.#over) return [];
    switch (input.kind) {
      case 'join':
        return this.#join(input.link, input.join);
      case 'unlinked': {
        const rank = this.#places.findIndex((place) => place?.link === input.link);
        if (rank > 0) this.#places[rank] = undefined;
        return [];
      }
      case 'tick':
        return nowMs < this.#config.deadlineMs ? this.#settle() : this.#fail();
    }
  }

  /** One line for tests and traces. */
  toString(): string {
    const marks = this.#places.map((place) => (place === undefined ? '-' : place.member.rank));
    return `${marks.join(' ')}${this.#over ? ' over' : ''}`;
  }

  #join(link: number, join: Join): readonly RendezvousOutput[] {
    const reason = mismatch(this.#config.self, join) ?? this.#taken(join);
    if (reason !== undefined) return [{ kind: 'refuse', link, reason }];
    const { rank, threads, incarnation, host, port } = join;
    this.#places[rank] = { member: { rank, threads, incarnation, host, port }, link };
    return this.#settle();
  }

  #taken({ rank, incarnation }: Join): string | undefined {
    const place = this.#places[rank];
    // The same process may knock again, when it saw its connection break before we did.
    if (place === undefined || (rank > 0 && place.member.incarnation === incarnation))
      return undefined;
    return `rank ${rank} has joined already: give each host its own rank`;
  }

  #settle(): readonly RendezvousOutput[] {
    const places = this.#places.filter((place) => place !== undefined);
    if (places.length < this.#places.length) return [];
    this.#over = true;
    const [members, links] = [places.map((p) => p.member), places.map((p) => p.link)];
    return [{ kind: 'complete', members, links }];
  }

  #fail(): readonly RendezvousOutput[] {
    this.#over = true;
    const missing = [...this.#places.keys()].filter((rank) => this.#places[rank] === undefined);
    const ranks = missing.length === 1 ? 'rank' : 'ranks';
    const who = `${ranks} ${missing.join(', ')} of ${this.#places.length} hosts did not join`;
    const next = 'see their output, and whether they reach the address of rank 0';
    return [
      { kind: 'failed', fault: { code: 'ERR_PEER_LOST', message: `${who} in time; ${next}` } },
    ];
  }
}
