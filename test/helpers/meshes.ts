// Meshes for tests: all ranks in this process, on the loopback address, with short timeouts.
import type { Fault } from '../../src/base/errors.ts';
import { joinMesh, type Mesh, type MeshOptions } from '../../src/mailbox/tcp/mesh.ts';

export const secret = new Uint8Array(32).fill(7);

/** Sessions that find out fast. */
export const quick = {
  ...{ heartbeatMs: 50, silenceMs: 300, peerTimeoutMs: 1500 },
  ...{ reconnectMinMs: 2, reconnectMaxMs: 50, closeMs: 1000 },
};

export type Seen = {
  readonly packets: { from: number; header: unknown; bytes: Buffer }[];
  readonly lost: { rank: number; fault: Fault }[];
  readonly rooms: number[];
};

export type Host = { readonly mesh: Mesh; readonly seen: Seen; readonly logs: string[] };

export const base: MeshOptions = {
  ...{ rank: 0, size: 1, host: '127.0.0.1', port: 0, bind: '127.0.0.1' },
  ...{ secret, insecure: false, threads: 1, version: '1', runId: 'run', log: () => undefined },
  ...{ joinTimeoutMs: 10_000, session: quick },
};

export function watch(mesh: Mesh, logs: string[] = []): Host {
  const seen: Seen = { packets: [], lost: [], rooms: [] };
  mesh.attach({
    packet: (from, { header, payload }) => {
      seen.packets.push({ from, header, bytes: Buffer.from(payload) });
    },
    room: (to) => seen.rooms.push(to),
    lost: (rank, fault) => seen.lost.push({ rank, fault }),
  });
  return { mesh, seen, logs };
}

/** Starts rank 0, and resolves with its port when it listens. */
export function startZero(options: Partial<MeshOptions>) {
  const logs: string[] = [];
  let mesh: Promise<Mesh> | undefined;
  const port = new Promise<number>((resolve, reject) => {
    const more = { log: (text: string) => logs.push(text), onListening: resolve };
    mesh = joinMesh({ ...base, ...more, ...options, rank: 0 });
    mesh.catch(reject);
  });
  return port.then((found) => ({ port: found, mesh: mesh!, logs }));
}

/** All ranks together. `through` may put something between rank 0 and the others. */
export async function startAll(
  size: number,
  options: Partial<MeshOptions> = {},
  through: (port: number) => Promise<number> = (port) => Promise.resolve(port),
): Promise<Host[]> {
  const zero = await startZero({ ...options, size });
  const port = await through(zero.port);
  const others = Array.from({ length: size - 1 }, (_, i) => {
    const logs: string[] = [];
    const rank = i + 1;
    const own = { rank, size, port, threads: rank + 1, log: (text: string) => logs.push(text) };
    return joinMesh({ ...base, ...options, ...own }).then((mesh) => watch(mesh, logs));
  });
  return [watch(await zero.mesh, zero.logs), ...(await Promise.all(others))];
}

/** Resolves when `done` says so; rejects, saying what it waited for, after `ms`. */
export function until(what: string, done: () => boolean, ms = 10_000): Promise<void> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      if (!done() && performance.now() - started < ms) return;
      clearInterval(timer);
      if (done()) resolve();
      else reject(new Error(`waited ${ms} ms for: ${what}`));
    }, 2);
  });
}
