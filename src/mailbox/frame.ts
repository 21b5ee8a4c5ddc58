// Frames: what travels on a connection between two hosts. Fixed prefix, small header, raw payload.
//
//   byte 0   u32  magic, with the version of this format       24  u64  incarnation of the receiver
//        4   u8   kind                                         32  u64  sequence number
//        5   u8   flags: 1 = the payload has a checksum        40  u64  cumulative acknowledgement
//        6   u16  bytes of the header                          48  u64  credit
//        8   u32  bytes of the payload                         56  u32  0
//       12   u32  0                                           60  u32  CRC-32 of bytes 0…59, header
//       16   u64  incarnation of the sender
//       64   header (MessagePack), zeros to a multiple of 8; and if there is a payload: that, and a
//            tail: zeros, u32 CRC-32 of the payload or 0, which end at a multiple of 8
//
// Little-endian; a u64 is at most 2^53 − 1. A payload has no checksum of ours under TLS, which has
// a better one. It comes last, so that a sender can work it out piece by piece on the way into the
// socket. Whatever a parser is fed, it answers with frames or with the reason why not, and holds no
// more than one head and one payload of legal size.
import { Decoder, Encoder } from '@msgpack/msgpack';
import { crc32 } from 'node:zlib';
import { assert } from '../base/assert.ts';
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';

/** In the order of their numbers, from 1. */
const kinds = [
  // Before a session: who is there?
  ...(['challenge', 'hello', 'welcome', 'refuse'] as const),
  // In a session.
  ...(['resume', 'packet', 'ack', 'gap', 'goodbye'] as const),
] as const;

export type FrameKind = (typeof kinds)[number];

export type Frame = {
  readonly kind: FrameKind;
  /** Incarnations of sender and receiver: a later start of the same rank has a greater one. */
  readonly from: number;
  readonly to: number;
  readonly seq: number;
  readonly ack: number;
  readonly credit: number;
  /** MessagePack; see encodeHeader. */
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
};

const MAGIC = 0x31545050; // "PPT1"
const PREFIX_BYTES = 64;
const WITH_CHECKSUM = 1;
const TWO_32 = 2 ** 32;
const TAIL_BYTES_MAX = 11;
const HEAD_BYTES_MAX = PREFIX_BYTES + limits.frameHeaderBytesMax;
assert(limits.frameHeaderBytesMax < 65536, 'the length of a header fits its field');
assert(limits.frameHeaderBytesMax % 8 === 0, 'a padded header keeps the limit');

const none = new Uint8Array(0);
const encoder = new Encoder();
const decoder = new Decoder();

const padded = (bytes: number): number => (bytes + 7) & ~7;

/** What a frame takes on the wire, and of the receiver's credit. */
export function frameBytes(headerBytes: number, payloadBytes: number): number {
  return PREFIX_BYTES + padded(headerBytes) + payloadBytes + tailOf(payloadBytes);
}

const tailOf = (payloadBytes: number): number =>
  payloadBytes === 0 ? 0 : padded(payloadBytes + 4) - payloadBytes;

/** Plain data as the header of a frame. @throws ERR_LIMIT when it is too long. */
export function encodeHeader(header: unknown): Uint8Array {
  const bytes = encoder.encode(header);
  if (bytes.length <= limits.frameHeaderBytesMax) return bytes;
  const rule = `a header is at most ${limits.frameHeaderBytesMax} bytes`;
  throw new SystemError('ERR_LIMIT', `${rule}, got ${bytes.length}: put arrays into the payload`);
}

export type Decoded = { readonly value: unknown } | { readonly problem: string };

/** The data of a header. It is the caller's: byte strings in it are no views of `bytes`. */
export function decodeHeader(bytes: Uint8Array): Decoded {
  try {
    return { value: decoder.decode(new Uint8Array(bytes)) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Bytes before the payload. */
export function headBytes(frame: Frame): number {
  return PREFIX_BYTES + padded(frame.header.length);
}

/** What comes after the payload; `crc` is its checksum, or 0. */
export function tailBytes(frame: Frame, crc: number): Buffer {
  const tail = Buffer.alloc(tailOf(frame.payload.length));
  if (tail.length > 0) tail.writeUInt32LE(crc, tail.length - 4);
  return tail;
}

/** Writes prefix and header at `at`, with padding, and returns where the payload goes. */
export function writeHead(target: Buffer, at: number, frame: Frame, checksum: boolean): number {
  const { header, payload } = frame;
  const withChecksum = checksum && payload.length > 0;
  target.writeUInt32LE(MAGIC, at);
  target[at + 4] = kinds.indexOf(frame.kind) + 1;
  target[at + 5] = withChecksum ? WITH_CHECKSUM : 0;
  target.writeUInt16LE(header.length, at + 6);
  target.writeUInt32LE(payload.length, at + 8);
  target.writeUInt32LE(0, at + 12);
  writeWide(target, at + 16, frame.from);
  writeWide(target, at + 24, frame.to);
  writeWide(target, at + 32, frame.seq);
  writeWide(target, at + 40, frame.ack);
  writeWide(target, at + 48, frame.credit);
  target.writeUInt32LE(0, at + 56);
  const own = crc32(target.subarray(at, at + 60));
  target.writeUInt32LE(header.length > 0 ? crc32(header, own) : own, at + 60);
  const end = at + headBytes(frame);
  target.set(header, at + PREFIX_BYTES);
  target.fill(0, at + PREFIX_BYTES + header.length, end);
  return end;
}

/** The whole frame at `at`; returns where it ends. For small frames: the payload is copied. */
export function writeFrame(target: Buffer, at: number, frame: Frame, checksum: boolean): number {
  const payloadAt = writeHead(target, at, frame, checksum);
  target.set(frame.payload, payloadAt);
  const end = payloadAt + frame.payload.length;
  const tail = tailBytes(frame, checksum ? crc32(frame.payload) : 0);
  target.set(tail, end);
  return end + tail.length;
}

function writeWide(target: Buffer, at: number, value: number): void {
  target.writeUInt32LE(value % TWO_32, at);
  target.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}

function readWide(source: Buffer, at: number): number {
  return source.readUInt32LE(at) + source.readUInt32LE(at + 4) * TWO_32;
}

export type ParserOptions = {
  /** Refuses payloads without a checksum: the link has none of its own. */
  readonly checksum: boolean;
  /**
   * Called for each frame, from within `feed`. Header and payload are the parser's own memory and
   * valid during the call only; the payload starts at a multiple of 8.
   */
  readonly onFrame: (frame: Frame) => void;
};

type Place = 'prefix' | 'header' | 'payload' | 'tail';

/** Turns a stream of bytes, cut anywhere, into frames. One copy of each payload byte. */
export class FrameParser {
  readonly #options: ParserOptions;
  readonly #bytes = new Uint8Array(HEAD_BYTES_MAX);
  /** The same bytes, to read numbers from. */
  readonly #head = Buffer.from(this.#bytes.buffer);
  #payloadBytesMax = 0;
  readonly #tail = Buffer.alloc(TAIL_BYTES_MAX);
  #place: Place = 'prefix';
  /** Bytes of this place that are there, and that it needs. */
  #filled = 0;
  #wanted = PREFIX_BYTES;
  /** Grows to the largest payload met, and is used again for every frame. */
  #payload = none;
  #payloadBytes = 0;
  #crc = 0;
  #problem: string | undefined;

  constructor(options: ParserOptions) {
    this.#options = options;
  }

  /** From now on payloads may have so many bytes; at first, none. */
  allow(payloadBytesMax: number): void {
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** Returns why the stream is refused, for good, or undefined. */
  feed(chunk: Uint8Array): string | undefined {
    let at = 0;
    while (this.#problem === undefined) {
      const take = Math.min(chunk.length - at, this.#wanted - this.#filled);
      if (take > 0) this.#take(chunk, at, take);
      at += take;
      if (this.#filled < this.#wanted || this.#problem !== undefined) break;
      this.#problem = this.#next();
    }
    return this.#problem;
  }

  #take(chunk: Uint8Array, at: number, bytes: number): void {
    const part = chunk.subarray(at, at + bytes);
    if (this.#place === 'prefix') {
      this.#head.set(part, this.#filled);
      const enough = this.#filled + bytes >= 4; // an alert of TLS is shorter than a prefix
      if (enough && this.#head.readUInt32LE(0) !== MAGIC) this.#problem = this.#foreign();
    } else if (this.#place === 'header') this.#head.set(part, PREFIX_BYTES + this.#filled);
    else if (this.#place === 'payload') {
      this.#payload.set(part, this.#filled);
      if ((this.#head[5] ?? 0) === WITH_CHECKSUM) this.#crc = crc32(part, this.#crc);
    } else this.#tail.set(part, this.#filled);
    this.#filled += bytes;
  }

  /** A place is complete: checks it and goes on to the next. */
  #next(): string | undefined {
    switch (this.#place) {
      case 'prefix':
        return this.#checkPrefix() ?? this.#enter('header', padded(this.#head.readUInt16LE(6)));
      case 'header':
        return this.#checkHead() ?? this.#enter('payload', this.#payloadBytes);
      case 'payload':
        return this.#enter('tail', tailOf(this.#payloadBytes));
      case 'tail': {
        const problem = this.#checkTail();
        if (problem !== undefined) return problem;
        this.#enter('prefix', PREFIX_BYTES);
        this.#options.onFrame(this.#frame());
        return undefined;
      }
    }
  }

  #enter(place: Place, bytes: number): undefined {
    this.#place = place;
    this.#filled = 0;
    this.#wanted = bytes;
  }

  #foreign(): string {
    const [first = 0] = this.#head;
    if (first === 0x15 || first === 0x16) return 'the other end speaks TLS, this one does not';
    return `no frame of this version starts with ${hex(this.#head.readUInt32LE(0))}`;
  }

  #checkPrefix(): string | undefined {
    const head = this.#head;
    if (kinds[(head[4] ?? 0) - 1] === undefined) return `no frame has the kind ${head[4]}`;
    const headerBytes = head.readUInt16LE(6);
    if (headerBytes > limits.frameHeaderBytesMax)
      return `a header has at most ${limits.frameHeaderBytesMax} bytes, got ${headerBytes}`;
    return undefined;
  }

  /** Only now lengths and numbers are believed, and room is made for the payload. */
  #checkHead(): string | undefined {
    const head = this.#head;
    const headerEnd = PREFIX_BYTES + head.readUInt16LE(6);
    const own = crc32(head.subarray(0, 60));
    const sum = headerEnd > PREFIX_BYTES ? crc32(head.subarray(PREFIX_BYTES, headerEnd), own) : own;
    if (sum !== head.readUInt32LE(60)) return 'the checksum of the head does not match';
    for (let i = headerEnd; i < padded(headerEnd); i++) {
      if (head[i] !== 0) return 'the padding is not zero';
    }
    const bytes = head.readUInt32LE(8);
    const flags = head[5] ?? 0;
    const unused = head.readUInt32LE(12) | head.readUInt32LE(56);
    if (flags > WITH_CHECKSUM || unused !== 0) return 'unknown flags are set';
    if (this.#options.checksum && bytes > 0 && flags !== WITH_CHECKSUM)
      return 'the payload has no checksum';
    if (bytes > this.#payloadBytesMax)
      return `a payload has at most ${this.#payloadBytesMax} bytes here, got ${bytes}`;
    for (let at = 16; at < 56; at += 8) {
      if (head.readUInt32LE(at + 4) >= 2 ** 21) return `the number at byte ${at} is too large`;
    }
    this.#payloadBytes = bytes;
    this.#crc = 0;
    if (this.#payload.length < bytes) {
      const room = 2 ** Math.ceil(Math.log2(bytes)); // grows seldom, when frames get longer
      this.#payload = new Uint8Array(Math.min(Math.max(room, 4096), this.#payloadBytesMax));
    }
    return undefined;
  }

  #checkTail(): string | undefined {
    const zeros = this.#wanted - 4;
    if (zeros < 0) return undefined; // no payload, no tail
    for (let i = 0; i < zeros; i++) if (this.#tail[i] !== 0) return 'the padding is not zero';
    const sum = this.#tail.readUInt32LE(zeros);
    return sum === this.#crc ? undefined : 'the checksum of the payload does not match';
  }

  #frame(): Frame {
    const head = this.#head;
    return {
      kind: kinds[(head[4] ?? 1) - 1] ?? 'refuse',
      from: readWide(head, 16),
      to: readWide(head, 24),
      seq: readWide(head, 32),
      ack: readWide(head, 40),
      credit: readWide(head, 48),
      header: this.#bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + head.readUInt16LE(6)),
      payload: this.#payload.subarray(0, this.#payloadBytes),
    };
  }
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;
