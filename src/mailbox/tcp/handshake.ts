// Who is there? What two ends say to each other before their session, on every new connection.
//
//   connector                                 acceptor
//   challenge: its nonce        ──▶  ◀──       challenge: its nonce
//   hello: join, acceptor's nonce ──────▶      does it belong to this run?
//                               ◀──────       welcome: connector's nonce, members | refuse: reason
//
// Nonces are new for every connection: a recording of another one is of no use. That somebody has
// the secret is shown by TLS before any of this.
import { randomBytes } from 'node:crypto';
import { limits } from '../../base/limits.ts';
import { decodeHeader, encodeHeader, type Frame, type FrameKind } from '../frame.ts';
import { mismatch, parseJoin, type Join, type Member } from '../rendezvous.ts';
import { parseMember } from '../rendezvous.ts';
import { Connection } from './connection.ts';
import { isDisagreement, openLink, textOf, type Target } from './security.ts';

const NONCE_BYTES = 16;
const none = new Uint8Array(0);

/** A frame outside sessions: kind and header are all it has. */
function plainFrame(kind: FrameKind, header: unknown): Frame {
  const numbers = { from: 0, to: 0, seq: 0, ack: 0, credit: 0 };
  return { kind, ...numbers, header: encodeHeader(header), payload: none };
}

/** The header of a frame as a map; anything else as an empty one. */
function mapOf(frame: Frame): Readonly<Record<string, unknown>> {
  const header = decodeHeader(frame.header);
  if ('problem' in header || typeof header.value !== 'object' || header.value === null) return {};
  return header.value as Record<string, unknown>;
}

const isNonce = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array && value.length === NONCE_BYTES;

const same = (a: unknown, b: Buffer) => isNonce(a) && b.equals(a);

/** One that said hello and belongs to the run. It waits for `welcome` or `refuse`. */
export type Caller = {
  readonly join: Join;
  readonly connection: Connection;
  readonly welcome: (members: readonly Member[]) => void;
  readonly refuse: (reason: string) => void;
};

/** Asks an accepted connection who it is. `done` is called once. */
export function receive(
  open: (handlers: ConstructorParameters<typeof Connection>[2]) => Connection,
  self: Join,
  done: (result: Caller | string) => void,
): Connection {
  const own = randomBytes(NONCE_BYTES);
  let theirs: Uint8Array | undefined;
  let over = false;
  const settle = (result: Caller | string) => {
    if (over) return;
    over = true;
    if (typeof result === 'string') refuse(result);
    done(result);
  };
  const refuse = (reason: string) => {
    connection.write(plainFrame('refuse', { reason }));
    void connection.end(limits.handshakeMs / 10);
  };
  const onHello = (frame: Frame) => {
    const said = mapOf(frame);
    const join = parseJoin(said);
    if (typeof join === 'string') return settle(`its hello is refused: ${join}`);
    const reason = mismatch(self, join);
    if (reason !== undefined) return settle(reason);
    if (theirs === undefined || !same(said['nonce'], own))
      return settle(`its hello (rank ${join.rank}) does not answer our challenge`);
    const nonce = theirs;
    const welcome = (members: readonly Member[]) =>
      connection.write(plainFrame('welcome', { nonce, rank: self.rank, members }));
    settle({ join, connection, welcome, refuse });
  };
  const connection = open({
    frame: (frame) => {
      const { nonce } = frame.kind === 'challenge' ? mapOf(frame) : {};
      if (isNonce(nonce)) theirs ??= nonce;
      else if (frame.kind === 'hello') onHello(frame);
      else settle(`a ${frame.kind} is no hello`);
    },
    ended: (why) => settle(why),
  });
  connection.write(plainFrame('challenge', { nonce: own }));
  return connection;
}

export type Called =
  | { readonly kind: 'welcome'; readonly connection: Connection; readonly members: Member[] }
  /** `final`: trying again would not help. */
  | { readonly kind: 'failed'; readonly why: string; readonly final: boolean };

export type Call = Target & {
  /** Who must answer there. */
  readonly rank: number;
  readonly self: Join;
  /** From hello to welcome: rank 0 answers when all are there. */
  readonly welcomeMs: number;
};

/**
 * Opens a connection and says hello. `done` is called once; the function returned gives up, and
 * then it is not called any more.
 */
export function call(work: Call, done: (result: Called) => void): () => void {
  const { key, self } = work;
  const own = randomBytes(NONCE_BYTES);
  const { socket, ready } = openLink(work, (bytes) => connection.take(bytes));
  let [over, greeted] = [false, false];
  const settle = (result: Called) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    if (result.kind === 'failed') connection.destroy();
    done(result);
  };
  const fail = (why: string, final = false) => settle({ kind: 'failed', why, final });
  const deadline = (what: string, ms: number) =>
    setTimeout(() => fail(`${what} in ${Math.round(ms)} ms`), ms);
  let timer = deadline('no answer', limits.handshakeMs);
  const onFrame = (frame: Frame) => {
    const said = mapOf(frame);
    const { nonce, reason, members } = said;
    if (frame.kind === 'refuse') return fail(`it refuses: ${String(reason)}`, true);
    if (frame.kind === 'challenge' && isNonce(nonce)) {
      greeted = true;
      connection.write(plainFrame('hello', { ...self, nonce }));
      clearTimeout(timer);
      timer = deadline('no welcome', work.welcomeMs);
      return;
    }
    const right = frame.kind === 'welcome' && same(nonce, own) && said['rank'] === work.rank;
    const table = (Array.isArray(members) ? members : []).map(parseMember);
    const known = table.filter((member) => typeof member !== 'string');
    if (!right || known.length !== self.size) return fail(`its ${frame.kind} is not for us`);
    settle({ kind: 'welcome', connection, members: known });
  };
  socket.on('error', (error) => {
    const hint = 'do both ends have the same secret and run?';
    if (isDisagreement(error)) fail(`${textOf(error)}; ${hint}`, true);
  });
  const ended = (why: string) => {
    const wordless = key.kind === 'plain' && !greeted && socket.bytesWritten > 0;
    fail(wordless ? `${why} before it said a word: has it a secret, and this end none?` : why);
  };
  const connection = new Connection(socket, key.checksums, { frame: onFrame, ended });
  socket.once(ready, () => connection.write(plainFrame('challenge', { nonce: own })));
  return () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    connection.destroy();
  };
}
