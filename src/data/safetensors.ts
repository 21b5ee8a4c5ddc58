// The safetensors format: named arrays in one file.
//
//   u64 header length │ header: JSON {name: {dtype, shape, data_offsets}} │ values, little-endian
//
// Written in the order given, keys sorted inside an entry, so equal tensors make equal bytes.
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { SystemError } from '../base/errors.ts';

/** f32 or i32 values with a shape. `values` may be a view of shared memory. */
export type NamedTensor = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
};

/** Types of values by the format's names: of 4 bytes each. */
const types = ['F32', 'I32'] as const;
export type TensorType = (typeof types)[number];
export const typeOf = ({ values }: NamedTensor): TensorType =>
  values instanceof Int32Array ? 'I32' : 'F32';

/** Bytes of one write: long enough to be fast, short enough not to hold up the event loop. */
const pieceBytes = 1 << 20;
const headerBytesMax = 100 << 20;

function headerOf(tensors: readonly NamedTensor[]): Buffer {
  let at = 0;
  const entries = tensors.map((tensor) => {
    const { name, shape, values } = tensor;
    const data_offsets = [at, at + values.byteLength];
    at += values.byteLength;
    return [name, { data_offsets, dtype: typeOf(tensor), shape }] as const;
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const padded = Buffer.alloc(Math.ceil((text.length + 8) / 8) * 8, ' ');
  padded.writeBigUInt64LE(BigInt(padded.length - 8), 0);
  text.copy(padded, 8);
  return padded;
}

function* pieces(tensors: readonly NamedTensor[]): Generator<Uint8Array> {
  yield headerOf(tensors);
  for (const { values } of tensors) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
  }
}

/**
 * Writes `tensors` to `path` (not at all when undefined); returns the SHA-256 of the file's bytes.
 */
export async function writeSafetensors(
  path: string | undefined,
  tensors: readonly NamedTensor[],
): Promise<string> {
  const hash = createHash('sha256');
  const file = path === undefined ? undefined : await open(path, 'w');
  try {
    for (const piece of pieces(tensors)) {
      hash.update(piece);
      if (file) await file.write(piece);
      else await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    await file?.close();
  }
  return hash.digest('hex');
}

type Entry = { dtype: TensorType; shape: number[]; data_offsets: [number, number] };

function broken(path: string, rule: string): SystemError {
  const remedy = 'the file is damaged or not a safetensors file: train and save the model again';
  return new SystemError('ERR_CHECKPOINT', `${path}: ${rule}; ${remedy}`);
}

async function readExactly(file: FileHandle, into: Uint8Array, from: number): Promise<boolean> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, from + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
const areCounts = (values: unknown) => Array.isArray(values) && values.every(isCount);

function checkEntry(path: string, name: string, entry: Partial<Entry> | null, bytes: number): void {
  const { dtype, shape, data_offsets } = entry ?? {};
  if (!types.some((type) => type === dtype)) {
    throw broken(path, `tensor "${name}" must be F32 or I32, found "${String(dtype)}"`);
  }
  if (!shape || !data_offsets || !areCounts(shape) || !areCounts(data_offsets)) {
    throw broken(path, `tensor "${name}" needs a shape and two data_offsets, integers >= 0`);
  }
  const count = shape.reduce((product, size) => product * size, 1);
  const [from, to] = data_offsets;
  if (!(to <= bytes) || to - from !== count * 4) {
    throw broken(path, `tensor "${name}" has offsets ${from} to ${to} for ${count} values`);
  }
}

/**
 * Reads all tensors; `allocate` says where each one's values go (a view of count values).
 * @throws ERR_CHECKPOINT for anything that is not a complete safetensors file of f32 and i32
 *   tensors.
 */
export async function readSafetensors(
  path: string,
  allocate: (count: number, type: TensorType) => Float32Array | Int32Array,
): Promise<NamedTensor[]> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new SystemError('ERR_CHECKPOINT', `${path}: cannot be opened`, { cause });
  });
  try {
    const { size } = await file.stat();
    const prefix = new Uint8Array(8);
    if (!(await readExactly(file, prefix, 0))) throw broken(path, 'shorter than its length field');
    const length = Number(Buffer.from(prefix).readBigUInt64LE(0));
    if (length > Math.min(size - 8, headerBytesMax)) throw broken(path, 'header longer than file');
    const text = new Uint8Array(length);
    await readExactly(file, text, 8);
    let header: Record<string, Entry> | null = null;
    try {
      header = JSON.parse(Buffer.from(text).toString('utf8')) as Record<string, Entry> | null;
    } catch {
      throw broken(path, 'the header is not JSON');
    }
    if (typeof header !== 'object' || header === null)
      throw broken(path, 'the header is no object');
    const tensors: NamedTensor[] = [];
    for (const [name, entry] of Object.entries(header)) {
      if (name === '__metadata__') continue;
      checkEntry(path, name, entry, size - 8 - length);
      const [from, to] = entry.data_offsets;
      const values = allocate((to - from) / 4, entry.dtype);
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      if (!(await readExactly(file, bytes, 8 + length + from))) {
        throw broken(path, `tensor "${name}" is cut off`);
      }
      tensors.push({ name, shape: entry.shape, values });
    }
    return tensors;
  } finally {
    await file.close();
  }
}
