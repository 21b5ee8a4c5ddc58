// Where a host stands among the hosts of a run: all that it has to be told to find the others.

export type ClusterPlace = {
  readonly rank: number;
  readonly size: number;
  /** This host's name, for messages. */
  readonly host: string;
  /**
   * Where rank 0 listens. To rank 0 itself, port 0 means any free one: it says which by a
   * `listening` event, and only then are the others told their places.
   */
  readonly rankZero: { readonly host: string; readonly port: number };
  /** The address that this host's own listener binds. */
  readonly bind: string;
  /** Known to the hosts of this run alone, 32 bytes. Undefined: on loopback, or with `insecure`. */
  readonly secret: Uint8Array | undefined;
  /** Plain TCP is allowed off loopback. */
  readonly insecure: boolean;
  /** The same for all hosts of a run; another run's hosts are told apart by it. */
  readonly runId: string;
  /** From the start of its job, a host waits so long for all others to have joined. */
  readonly joinTimeoutMs: number;
};

/** Is this a name of the machine that uses it, reached by no other? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** What a host of a run binds, when rank 0 is known to all as `rankZeroHost`. */
export function bindAddress(rankZeroHost: string): string {
  if (rankZeroHost.includes(':')) return isLoopback(rankZeroHost) ? '::1' : '::';
  return isLoopback(rankZeroHost) ? '127.0.0.1' : '0.0.0.0';
}
