// A TCP proxy that holds every chunk back for a while: delay and jitter where the kernel offers no
// way to shape a link. Bytes stay in order, as TCP keeps them.
import { connect, createServer, type Socket } from 'node:net';
import type { Prng } from '../../src/base/prng.ts';

export type SlowProxy = { readonly port: number; chunks(): number; close(): void };

export type SlowLink = { readonly delayMs: number; readonly jitterMs: number; readonly prng: Prng };

/** Each direction waits `delayMs` and anything up to `jitterMs` more. */
export function openSlowProxy(targetPort: number, link: SlowLink): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  let chunks = 0;
  const forward = (from: Socket, to: Socket) => {
    sockets.add(from);
    let readyMs = 0;
    const later = (act: () => void) => {
      const wish = performance.now() + link.delayMs + link.prng.uniform() * link.jitterMs;
      // A timer of the same length is never overtaken, one that is shorter might.
      readyMs = Math.max(readyMs + 1, wish);
      setTimeout(act, readyMs - performance.now());
    };
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      chunks += 1;
      later(() => !to.destroyed && to.write(chunk));
    });
    from.on('error', () => to.destroy());
    from.on('end', () => later(() => to.end()));
    from.on('close', () => sockets.delete(from));
  };
  const server = createServer((client) => {
    const target = connect({ host: '127.0.0.1', port: targetPort });
    forward(client, target);
    forward(target, client);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const close = () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      };
      resolve({ port, chunks: () => chunks, close });
    });
  });
}
