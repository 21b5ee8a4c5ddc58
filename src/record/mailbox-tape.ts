// What reaches a host's member, in order: the one thing its decisions depend on. Where it looks at
// the world by itself (are the workers further, is there room) the answer stands behind the input.
//
//   tape = numbers: kind + 8 · operand
import { ByteReader, ByteWriter, diverged } from './bytes.ts';

const kinds = ['clock', 'packet', 'want', 'room', 'idle', 'no', 'yes', 'folded'] as const;
export type TapeKind = (typeof kinds)[number];
/** `operand`: a clock, the rank of a peer, the number of a worker; 0 where there is none. */
export type TapeEntry = { readonly kind: TapeKind; readonly operand: number };

export type MailboxTape = {
  write(kind: TapeKind, operand: number): void;
  /** Forgets what `act` wrote unless it says that it had an effect. */
  attempt(act: () => boolean): void;
  bytes(): Uint8Array;
};

export function recordMailbox(): MailboxTape {
  const writer = new ByteWriter();
  return {
    write: (kind, operand) => writer.write(kinds.indexOf(kind) + 8 * operand),
    attempt(act) {
      const before = writer.length;
      if (!act()) writer.cut(before);
    },
    bytes: () => writer.bytes(),
  };
}

export type MailboxPlayer = {
  /** The next entry; undefined at the end. */
  peek(): TapeEntry | undefined;
  take(kind: TapeKind): TapeEntry;
  /** In words: how far it has come. */
  where(): string;
};

export function playMailbox(bytes: Uint8Array, name: string): MailboxPlayer {
  const reader = new ByteReader(bytes);
  const entry = (value: number | undefined): TapeEntry | undefined => {
    if (value === undefined) return undefined;
    const kind = kinds[value % 8];
    return kind && { kind, operand: Math.floor(value / 8) };
  };
  const where = () => `${name}, byte ${reader.at} of its mailbox's tape`;
  return {
    where,
    peek: () => entry(reader.peek()),
    take(kind) {
      const at = where();
      const found = entry(reader.read());
      if (found?.kind === kind) return found;
      throw diverged(at, `${kind} is next, ${found?.kind ?? 'the end'} was recorded`);
    },
  };
}
