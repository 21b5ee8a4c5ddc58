// Bytes of a record, written one after the other and read back in the same order: small numbers, a
// byte each where they are below 128.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';

/** The error of a record that has no more room. */
export function recordFull(what: string): SystemError {
  const rule = `a record has room for ${limits.recordBytes} ${what} of a host`;
  return new SystemError('ERR_LIMIT', `${rule}: record fewer --passes, or a larger --batch-size`);
}

/** The error of a replay that does not follow its record. */
export function diverged(where: string, what: string): SystemError {
  const next = 'the data, the program or the record are not what they were when it was recorded';
  return new SystemError('ERR_PROGRAM', `the replay diverged at ${where}: ${what}\n${next}`);
}

export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written after the first `length` bytes. */
  cut(length: number): void {
    this.#length = length;
  }

  /** @throws ERR_LIMIT when the record is full. */
  write(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 128);
    this.#byte(rest);
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #byte(value: number): void {
    if (this.#length >= limits.recordBytes) throw recordFull('bytes of decisions');
    if (this.#length === this.#bytes.length) {
      const longer = new Uint8Array(2 * this.#length);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    this.#bytes[this.#length++] = value;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Where the next number stands. */
  get at(): number {
    return this.#at;
  }

  /** The next number; undefined at the end. */
  read(): number | undefined {
    let value = 0;
    let unit = 1;
    for (let at = this.#at; at < this.#bytes.length; at++) {
      const byte = this.#bytes[at] ?? 0;
      value += (byte & 127) * unit;
      unit *= 128;
      if (byte >= 128) continue;
      this.#at = at + 1;
      return value;
    }
    return undefined;
  }

  /** The next number, which stays the next. */
  peek(): number | undefined {
    const at = this.#at;
    const value = this.read();
    this.#at = at;
    return value;
  }
}
