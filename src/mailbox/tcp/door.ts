// The door: where a host takes connections. Whoever comes in has to say who it is in time; until
// then it gets no memory to speak of, and there are never more than a bounded number of them.
import { createServer, type Server, type Socket } from 'node:net';
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Join } from '../rendezvous.ts';
import { Connection } from './connection.ts';
import { receive, type Caller } from './handshake.ts';
import { acceptLink, textOf, type Key } from './security.ts';

/** An address to listen at (port 0: any), or a server that listens already, or its descriptor. */
export type Listen =
  | { readonly host: string; readonly port: number }
  | { readonly server: Server }
  | { readonly fd: number };

export type DoorOptions = {
  readonly listen: Listen;
  readonly key: Key;
  readonly log: (text: string) => void;
};

type Stranger = { readonly socket: Socket; readonly from: string; readonly sinceMs: number };

export class Door {
  readonly #options: DoorOptions;
  readonly #server: Server;
  readonly #strangers = new Set<Stranger>();
  #self: Join | undefined;
  #admit: ((caller: Caller) => void) | undefined;
  /** Those that may come in, but to whom nobody listens yet; one of each rank. */
  readonly #waiting = new Map<number, Caller>();
  #nowMs = 0;
  #closed = false;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#server = 'server' in options.listen ? options.listen.server : createServer();
    this.#server.on('connection', (socket: Socket) => this.#onSocket(socket));
  }

  /** Resolves with the port. @throws ERR_CONFIG when one cannot listen there. */
  open(): Promise<number> {
    const { listen } = this.#options;
    const port = (): number => {
      const address = this.#server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    };
    if (this.#server.listening) return Promise.resolve(port());
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        const rule = `rank 0 and all but the last rank listen: ${error.message}`;
        reject(new SystemError('ERR_CONFIG', `${rule}; choose another address or port`));
      };
      this.#server.once('error', fail);
      this.#server.once('listening', () => {
        this.#server.off('error', fail);
        this.#server.on('error', (error) => this.#options.log(`listening: ${error.message}`));
        resolve(port());
      });
      if ('fd' in listen) this.#server.listen({ fd: listen.fd });
      else if ('host' in listen) this.#server.listen({ host: listen.host, port: listen.port });
    });
  }

  /** What newcomers are compared to. Before it is known, the door stays shut. */
  know(self: Join): void {
    this.#self = self;
  }

  /** From now on callers that belong to the run go there; those that wait, at once. */
  admit(to: (caller: Caller) => void): void {
    this.#admit = to;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const caller of waiting) if (!caller.connection.isOver) to(caller);
  }

  /** Sends those away that have not said who they are in time. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    for (const stranger of this.#strangers) {
      if (nowMs - stranger.sinceMs < limits.handshakeMs) break;
      this.#sendAway(stranger, `it did not say who it is in ${limits.handshakeMs} ms`);
    }
  }

  /** Nobody comes in any more; connections that came in stay. */
  close(): void {
    this.#closed = true;
    for (const { socket } of this.#strangers) socket.destroy();
    for (const { connection } of this.#waiting.values()) connection.destroy();
    this.#waiting.clear();
    if (this.#server.listening) this.#server.close();
  }

  #sendAway(stranger: Stranger, why: string): void {
    if (!this.#strangers.delete(stranger)) return;
    this.#options.log(`refused a connection from ${stranger.from}: ${why}`);
    stranger.socket.destroy();
  }

  #onSocket(socket: Socket): void {
    if (this.#closed) return void socket.destroy();
    const from = `${socket.remoteAddress ?? 'somewhere'}:${socket.remotePort ?? 0}`;
    const stranger = { socket, from, sinceMs: this.#nowMs };
    this.#strangers.add(stranger);
    if (this.#strangers.size > limits.handshakesMax) {
      const [oldest] = this.#strangers;
      if (oldest) this.#sendAway(oldest, 'too many others came before it said who it is');
    }
    socket.on('close', () => this.#sendAway(stranger, 'it closed before it said who it is'));
    socket.on('error', (error) => this.#sendAway(stranger, error.message));
    const { key } = this.#options;
    if (key.kind === 'plain') return this.#ask(stranger, socket);
    const { socket: secure, ready } = acceptLink(socket, key.psk);
    secure.on('error', (error) => {
      const hint = 'it has another secret or run, or none';
      this.#sendAway(stranger, `${textOf(error)}; ${hint}`);
    });
    secure.once(ready, () => this.#ask(stranger, secure));
  }

  #ask(stranger: Stranger, socket: Socket): void {
    const self = this.#self;
    if (self === undefined) return this.#sendAway(stranger, 'this host is still starting');
    const { key } = this.#options;
    receive(
      (handlers) => new Connection(socket, key.checksums, handlers),
      self,
      (result) => {
        if (!this.#strangers.delete(stranger)) return;
        if (typeof result === 'string')
          this.#options.log(`refused a connection from ${stranger.from}: ${result}`);
        else this.#onCaller(result);
      },
    );
  }

  #onCaller(caller: Caller): void {
    if (this.#closed) return caller.connection.destroy();
    if (this.#admit !== undefined) return this.#admit(caller);
    const { rank } = caller.join;
    this.#waiting.get(rank)?.connection.destroy();
    this.#waiting.set(rank, caller);
  }
}
