// Sessions in words, for the golden files: a line of text is an input, and outputs become lines.
import { encodeHeader, type Frame, type FrameKind } from '../../src/mailbox/frame.ts';
import type { SessionInput, SessionOutput } from '../../src/mailbox/session-types.ts';
import { sessionDefaults } from '../../src/mailbox/session-types.ts';
import { Session } from '../../src/mailbox/session.ts';

const none = new Uint8Array(0);
const sizes = { softBytes: 400, hardBytes: 1000, windowBytes: 1000 };

type Words = Readonly<Record<string, string>>;

function wordsOf(parts: readonly string[]): Words {
  return Object.fromEntries(parts.map((part) => part.split('=') as [string, string]));
}

function frameOf(kind: string, words: Words): Frame {
  const number = (name: string, otherwise: number) => Number(words[name] ?? otherwise);
  const said = kind === 'packet' || kind === 'goodbye';
  const header = said ? encodeHeader(words['header'] ?? null) : none;
  return {
    ...{ kind: kind as FrameKind, from: number('from', 201), to: number('to', 100) },
    ...{ seq: number('seq', 0), ack: number('ack', 0), credit: number('credit', 1000) },
    ...{ header: words['raw'] === undefined ? header : Uint8Array.of(0xc1) },
    payload: new Uint8Array(number('bytes', 0)),
  };
}

function inputOf(verb: string, rest: readonly string[]): SessionInput {
  const words = wordsOf(rest);
  switch (verb) {
    case 'send': {
      const payload = new Uint8Array(Number(words['bytes'] ?? 0));
      return { kind: 'send', packet: { header: words['header'] ?? null, payload } };
    }
    case 'frame':
      return { kind: 'frame', frame: frameOf(rest[0] ?? '', wordsOf(rest.slice(1))) };
    case 'disconnected':
      return { kind: 'disconnected', why: rest.join(' ') };
    case 'consumed':
      return { kind: 'consumed', bytes: Number(rest[0]) };
    case 'close':
      if (rest.length === 0) return { kind: 'close' };
      return { kind: 'close', fault: { code: 'ERR_DATA', message: rest.join(' ') } };
    case 'connected':
    case 'heard':
    case 'tick':
      return { kind: verb };
    default:
      throw new Error(`no such command: ${verb}`);
  }
}

function lineOf(output: SessionOutput): string {
  switch (output.kind) {
    case 'write': {
      const { kind, seq, ack, credit, payload } = output.frame;
      const bytes = payload.length > 0 ? ` bytes=${payload.length}` : '';
      return `write ${kind} seq=${seq} ack=${ack} credit=${credit}${bytes}`;
    }
    case 'deliver': {
      const { header, payload } = output.packet;
      return `deliver header=${String(header)} bytes=${payload.length} (consume ${output.bytes})`;
    }
    case 'drop':
      return `drop: ${output.why}`;
    case 'lost':
      return `lost ${output.fault.code}: ${output.fault.message}`;
    case 'left':
      return `left, ${output.dropped} packets dropped`;
    case 'closed':
      return `closed, ${output.undelivered} packets undelivered`;
    case 'room':
    case 'connect':
      return output.kind;
  }
}

/** Rank 0 in incarnation 100 speaks with rank 1 in 201; `at MS COMMAND` sets the time. */
export function sessionInWords(): (command: string) => readonly string[] {
  const ends = { rank: 0, peer: 1, incarnation: 100, peerIncarnation: 201 };
  let session: Session | undefined;
  let nowMs = 0;
  return (command) => {
    let words = command.split(' ');
    if (words[0] === 'session') {
      const resendMs = words.includes('lossy') ? 200 : undefined;
      const connects = words.includes('connects');
      session = new Session({ ...sessionDefaults, ...ends, ...sizes, resendMs, connects }, 0);
      return [String(session)];
    }
    if (words[0] === 'at') {
      nowMs = Number(words[1]);
      words = words.slice(2);
    }
    if (session === undefined) throw new Error('a scenario starts with: session');
    const indented = (line: string) => `  ${line}`;
    try {
      const outputs = session.step(inputOf(words[0] ?? '', words.slice(1)), nowMs);
      return [...outputs.map(lineOf).map(indented), String(session)];
    } catch (error) {
      return [indented(`throws ${String(error)}`), String(session)];
    }
  };
}
