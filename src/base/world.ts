// The hosts that take part in a job, as one of them sees it. All run the same job; what they have
// to agree on they gather from each other.
export type World = {
  readonly rank: number;
  readonly size: number;
  /** Worker threads of every host, by rank. */
  readonly threads: readonly number[];
  /**
   * Every host calls it with the same name and its own bytes; all get everyone's, by rank.
   * @throws ERR_PEER_LOST when a host is gone.
   */
  allGather(name: string, bytes: Uint8Array): Promise<readonly Uint8Array[]>;
};

/** The world of a host that is alone. */
export function soloWorld(threads: number): World {
  const allGather: World['allGather'] = (_, bytes) => Promise.resolve([bytes]);
  return { rank: 0, size: 1, threads: [threads], allGather };
}
