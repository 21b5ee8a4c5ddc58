// Records that both ends of a ring can make: number, size and every byte follow from the seed.
import { createPrng } from '../../src/base/prng.ts';
import { limits } from '../../src/base/limits.ts';

export function* ringRecords(seed: number, records: number): Generator<Uint8Array> {
  const prng = createPrng(seed);
  for (let number = 0; number < records; number++) {
    // Mostly small, often the largest, sometimes empty: each way of meeting the end of the ring.
    const sizes = [prng.below(200), prng.below(limits.messageBytesMax + 1)];
    const edges = [0, 1, 4, limits.messageBytesMax];
    const kind = prng.below(4);
    const size = kind === 3 ? edges[prng.below(4)]! : sizes[kind === 0 ? 1 : 0]!;
    const record = new Uint8Array(size).fill(number & 255);
    if (size >= 4) new DataView(record.buffer).setUint32(0, number);
    yield record;
  }
}
