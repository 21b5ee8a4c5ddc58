// A TCP proxy that records what passes and can break connections after any number of bytes.
import { connect, createServer, type Server, type Socket } from 'node:net';

export type Proxy = {
  readonly port: number;
  /** Everything that passed, by direction, up to a limit. */
  readonly recorded: { toServer: Buffer[]; toClient: Buffer[] };
  cuts(): number;
  /** Connections made from now on break after so many bytes in both directions together. */
  cutAfter(bytes: (() => number) | undefined): void;
  /** Breaks all connections, and takes none while it is so. */
  block(on: boolean): void;
  close(): void;
};

const RECORD_BYTES_MAX = 4 * 2 ** 20;

export function openProxy(targetPort: number): Promise<Proxy> {
  const recorded: Proxy['recorded'] = { toServer: [], toClient: [] };
  const sockets = new Set<Socket>();
  let [cuts, kept, blocked] = [0, 0, false];
  let budgetOf: (() => number) | undefined;
  const record = (list: Buffer[], chunk: Buffer) => {
    kept += chunk.length;
    if (kept <= RECORD_BYTES_MAX) list.push(Buffer.from(chunk));
  };
  const server: Server = createServer((client) => {
    if (blocked) return void client.destroy();
    const target = connect({ host: '127.0.0.1', port: targetPort });
    let left = budgetOf?.() ?? Infinity;
    const both = [client, target];
    const end = () => both.forEach((socket) => socket.destroy());
    const forward = (from: Socket, to: Socket, list: Buffer[]) => {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => {
        const part = chunk.subarray(0, Math.min(chunk.length, left));
        left -= chunk.length;
        record(list, part);
        const more = to.write(part);
        if (left <= 0) {
          cuts += 1;
          // The other end still gets what was before the cut.
          to.end(end);
          from.destroy();
        } else if (!more) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.on('error', end);
      from.on('end', () => to.end());
      from.on('close', () => {
        sockets.delete(from);
        to.end();
      });
    };
    forward(client, target, recorded.toServer);
    forward(target, client, recorded.toClient);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const destroyAll = () => sockets.forEach((socket) => socket.destroy());
      resolve({
        ...{ port, recorded, cuts: () => cuts },
        cutAfter: (bytes) => (budgetOf = bytes),
        block: (on) => {
          blocked = on;
          if (on) destroyAll();
        },
        close: () => {
          server.close();
          destroyAll();
        },
      });
    });
  });
}
