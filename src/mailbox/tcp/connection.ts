// A connection: frames over one socket, for as long as it lasts.
//
// Frames written in one turn of the event loop leave together. Small ones are copied into one
// buffer; a long payload is handed to the socket as it is, never copied and never changed. When the
// socket is full, frames wait here until it drains.
import type { Socket } from 'node:net';
import { crc32 } from 'node:zlib';
import { limits } from '../../base/limits.ts';
import { FrameParser, frameBytes, headBytes, tailBytes, writeFrame, writeHead } from '../frame.ts';
import type { Frame } from '../frame.ts';
import { textOf } from './security.ts';

export type ConnectionHandlers = {
  /** Its header and payload are valid during the call only. */
  readonly frame: (frame: Frame) => void;
  /** Bytes came in. */
  readonly heard?: () => void;
  /** Once: the connection is over, by whichever end. */
  readonly ended: (why: string) => void;
};

/** From here on a payload is not worth copying. */
const LONG_BYTES = 16 * 1024;
/** Small frames are gathered up to about here. */
const BATCH_BYTES = 64 * 1024;

/** A payload's checksum is worked out over so many bytes at once. */
const PIECE_BYTES = 128 * 1024;

const none = new Uint8Array(0);

const isLong = (frame: Frame) => frame.payload.length >= LONG_BYTES;

export class Connection {
  readonly #socket: Socket;
  readonly #checksums: boolean;
  readonly #parser: FrameParser;
  #handlers: ConnectionHandlers;
  #pending: Frame[] = [];
  #scheduled = false;
  #blocked = false;
  #over = false;
  #ending = false;
  /** What the last long payload still needs behind it. */
  #owedTail: Uint8Array = none;
  bytesSent = 0;
  bytesReceived = 0;

  /** `checksums`: payloads have one on this link. */
  constructor(socket: Socket, checksums: boolean, handlers: ConnectionHandlers) {
    this.#socket = socket;
    this.#checksums = checksums;
    this.#handlers = handlers;
    const onFrame = (frame: Frame) => {
      if (!this.#over) this.#handlers.frame(frame);
    };
    this.#parser = new FrameParser({ checksum: checksums, onFrame });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('drain', () => {
      this.#blocked = false;
      this.#flush();
    });
    socket.on('error', (error) => this.#finish(textOf(error)));
    socket.on('end', () => this.#finish('the other end closed it'));
    socket.on('close', () => this.#finish('it was closed'));
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Where the other end is. */
  get remoteHost(): string {
    return this.#socket.remoteAddress ?? '';
  }

  /** The other end has proved who it is: others listen to it now, and payloads may come. */
  promote(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#parser.allow(limits.framePayloadBytesMax);
  }

  /** Bytes that came, from a socket that does not emit them. */
  take(chunk: Uint8Array): void {
    if (this.#over) return;
    this.bytesReceived += chunk.length;
    this.#handlers.heard?.();
    const problem = this.#parser.feed(chunk);
    if (problem !== undefined) this.#finish(`what came is refused: ${problem}`);
  }

  write(frame: Frame): void {
    if (this.#over || this.#ending) return;
    this.#pending.push(frame);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  /** Ends it at once; `ended` is not called. */
  destroy(): void {
    this.#over = true;
    this.#pending = [];
    this.#socket.destroy();
  }

  /**
   * Sends what was written, then ends; resolves when the other end has ended too, or after
   * `graceMs`. Destroying a socket at once could take back what the other end has not read yet.
   */
  end(graceMs: number): Promise<void> {
    if (this.#socket.destroyed) return Promise.resolve();
    this.#flush();
    this.#ending = true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), graceMs);
      this.#socket.on('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end();
    });
  }

  #finish(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#pending = [];
    if (!this.#ending) this.#socket.destroy();
    this.#handlers.ended(why);
  }

  #flush(): void {
    const frames = this.#pending;
    let next = 0;
    while (next < frames.length && !this.#blocked && !this.#over) next = this.#batch(frames, next);
    this.#pending = next === frames.length ? [] : frames.slice(next);
    if (this.#owedTail.length > 0 && !this.#blocked && !this.#over) this.#put(this.#room(0));
  }

  /** Writes frames from `next` on: small ones up to a long one, with that; returns the next. */
  #batch(frames: readonly Frame[], next: number): number {
    let bytes = 0;
    let end = next;
    let long: Frame | undefined;
    for (; end < frames.length && bytes < BATCH_BYTES && long === undefined; end++) {
      const frame = frames[end]!;
      if (isLong(frame)) long = frame;
      bytes += long ? headBytes(long) : frameBytes(frame.header.length, frame.payload.length);
    }
    let at = this.#owedTail.length;
    const buffer = this.#room(bytes);
    for (const frame of frames.slice(next, long ? end - 1 : end))
      at = writeFrame(buffer, at, frame, this.#checksums);
    if (long === undefined) {
      this.#put(buffer);
      return end;
    }
    writeHead(buffer, at, long, this.#checksums);
    this.#owedTail = tailBytes(long, this.#putWith(buffer, long.payload));
    return end;
  }

  /** Room for so many bytes, behind the tail that is owed. */
  #room(bytes: number): Buffer {
    const buffer = Buffer.allocUnsafe(this.#owedTail.length + bytes);
    buffer.set(this.#owedTail, 0);
    this.#owedTail = none;
    return buffer;
  }

  #put(bytes: Uint8Array): void {
    this.bytesSent += bytes.length;
    if (!this.#socket.write(bytes)) this.#blocked = true;
  }

  /**
   * Writes a head and a long payload, and returns the payload's checksum (0 without). Piece by
   * piece: each is in the cache when the kernel copies it, and travels while the next is summed up.
   */
  #putWith(head: Buffer, payload: Uint8Array): number {
    this.#put(head);
    if (!this.#checksums) {
      this.#put(payload);
      return 0;
    }
    let crc = 0;
    for (let at = 0; at < payload.length; at += PIECE_BYTES) {
      const piece = payload.subarray(at, at + PIECE_BYTES);
      crc = crc32(piece, crc);
      this.#put(piece);
    }
    return crc;
  }
}
