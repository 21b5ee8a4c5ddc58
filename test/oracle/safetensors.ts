// The safetensors format as its documentation has it, read without any of src: 8 bytes of length,
// little-endian, then a JSON header, then the values.

export type Read = ReadonlyMap<string, { readonly shape: number[]; readonly values: number[] }>;

/** All F32 and I32 tensors of a file. @throws when the file breaks a rule of the format. */
export function readSafetensors(file: Buffer): Read {
  const length = file.readUInt32LE(0) + 2 ** 32 * file.readUInt32LE(4);
  const begin = 8 + length;
  if (begin > file.length) throw new Error('the header does not fit');
  const text = file.toString('utf8', 8, begin);
  if (!text.startsWith('{')) throw new Error('the header begins with {');
  type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] };
  const header = JSON.parse(text) as Record<string, Entry>;
  let covered = 0;
  const tensors = new Map<string, { shape: number[]; values: number[] }>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    const [from, to] = data_offsets;
    if (dtype !== 'F32' && dtype !== 'I32') throw new Error(`dtype ${dtype}`);
    if (from !== covered) throw new Error(`"${name}" leaves a hole`);
    if (to - from !== 4 * shape.reduce((a, b) => a * b, 1)) throw new Error(`"${name}": shape`);
    const values: number[] = [];
    for (let at = begin + from; at < begin + to; at += 4) {
      values.push(dtype === 'F32' ? file.readFloatLE(at) : file.readInt32LE(at));
    }
    tensors.set(name, { shape, values });
    covered = to;
  }
  if (begin + covered !== file.length) throw new Error('bytes after the last tensor');
  return tensors;
}
