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

/**
 * What the host `own` of a run binds: an address of the loopback when rank 0 is there, so that no
 * other machine can try; else all of its addresses, for it need not know the one that others use.
 */
export function bindAddress(rankZeroHost: string, own: string): string {
  if (!isLoopback(rankZeroHost)) return rankZeroHost.includes(':') ? '::' : '0.0.0.0';
  return isLoopback(own) && own !== 'localhost' ? own : '127.0.0.1';
}
