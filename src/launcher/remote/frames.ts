// Messages over the standard streams of ssh: u32 length, little-endian, then JSON. Both sides may
// run other versions of Node, so nothing here depends on the engine.
//
// JSON has neither bytes nor all numbers: { "$bytes": base64 } and { "$number": "NaN" } stand for
// them. No message has keys that begin with $.
import { SystemError } from '../../base/errors.ts';

/** Predictions travel in pieces of 64 KiB; nothing that we send is near this. */
const frameBytesMax = 16 * 1024 * 1024;
const prefixBytes = 4;

function toJson(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  // As it was: a Buffer's own toJSON came before us.
  const bytes = this[key];
  if (bytes instanceof Uint8Array) return { $bytes: Buffer.from(bytes).toString('base64') };
  if (typeof value === 'number' && !Number.isFinite(value)) return { $number: String(value) };
  return value;
}

function fromJson(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('$bytes' in value) return new Uint8Array(Buffer.from(String(value.$bytes), 'base64'));
  return '$number' in value ? Number(value.$number) : value;
}

export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message, toJson));
  const frame = Buffer.allocUnsafe(prefixBytes + body.length);
  frame.writeUInt32LE(body.length);
  body.copy(frame, prefixBytes);
  return frame;
}

/** Takes bytes as they come, gives whole messages. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** @throws ERR_INTERNAL for bytes that are no frames. */
  push(piece: Buffer): unknown[] {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    const messages: unknown[] = [];
    for (;;) {
      const body = this.#take();
      if (body === undefined) return messages;
      messages.push(parse(body));
    }
  }

  #take(): Buffer | undefined {
    if (this.#bytes < prefixBytes) return undefined;
    const [first] = this.#pieces;
    const head = first && first.length >= prefixBytes ? first : this.#join();
    const end = prefixBytes + head.readUInt32LE();
    if (end > frameBytesMax) throw broken(`a frame of ${end} bytes`);
    if (this.#bytes < end) return undefined;
    const all = this.#join();
    this.#pieces = all.length > end ? [all.subarray(end)] : [];
    this.#bytes = all.length - end;
    return all.subarray(prefixBytes, end);
  }

  #join(): Buffer {
    const [first] = this.#pieces;
    const all = first && this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [all];
    return all;
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString(), fromJson);
  } catch {
    throw broken(`"${body.subarray(0, 40).toString()}"`);
  }
}

function broken(found: string): SystemError {
  const rule = 'the connection to a host must carry frames of perpetuum';
  return new SystemError('ERR_INTERNAL', `${rule}, got ${found}`);
}
