import { Worker as Thread } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { createMemory, openArena } from '../src/memory/arena.ts';
import { planLayout } from '../src/memory/layout.ts';
import type { ArenaAllocatorData } from './programs/arena-allocator.ts';

const bytes = 64 * 2 ** 20;
const layout = planLayout(1, bytes);

function freshArena() {
  return openArena(createMemory(bytes), layout, true);
}

test('arena: places are 16-byte aligned, above the map, and do not overlap', () => {
  const arena = freshArena();
  let end = layout.arenaAt;
  for (const size of [1, 15, 16, 17, 0, 4096, 3, 100_001]) {
    const at = arena.allocate(size);
    assert.is(at % 16, 0);
    assert.ok(at >= end, `${size} bytes at ${at}, the piece before ends at ${end}`);
    end = at + size;
  }
  assert.ok(arena.mark() >= end);
});

test('arena: a full memory is ERR_LIMIT with a remedy, and the rest can still be used', () => {
  const arena = freshArena();
  const all = bytes - layout.arenaAt;
  arena.allocate(all - 64);
  for (const tooMuch of [65, bytes, 2 ** 40, Infinity, NaN]) {
    const before = arena.mark();
    assert.throws(
      () => arena.allocate(tooMuch),
      (error: unknown) => Number.isNaN(tooMuch) || (error as SystemError).code === 'ERR_LIMIT',
      `${tooMuch} bytes`,
    );
    assert.is(arena.mark(), before, 'a refused allocation takes nothing');
  }
  assert.is(arena.allocate(64), bytes - 64);
  assert.throws(() => arena.allocate(1), /memory is full.*use less data/);
});

test('arena: a negative size is a bug, not a way back', () => {
  const arena = freshArena();
  const before = arena.mark();
  assert.throws(() => arena.allocate(-16), /invariant broken/);
  assert.is(arena.mark(), before);
});

test('arena: release gives back all above the mark, and only that', () => {
  const arena = freshArena();
  const kept = arena.allocate(100);
  const mark = arena.mark();
  const first = arena.allocate(1000);
  arena.allocate(2000);
  arena.release(mark);
  assert.is(arena.allocate(1), first);
  assert.ok(first >= kept + 100);
});

test('arena: threads that allocate at the same time never get the same bytes', async () => {
  const arena = freshArena();
  const pieces = 20_000;
  const threads = [1, 2, 3].map((seed) => {
    const workerData: ArenaAllocatorData = { memory: arena.memory, layout, seed, pieces };
    const thread = new Thread(new URL('./arena-allocator.js', import.meta.url), { workerData });
    return new Promise<[number, number][]>((resolve, reject) => {
      thread.on('message', resolve).on('error', reject);
    });
  });
  const taken = (await Promise.all(threads)).flat().sort((a, b) => a[0] - b[0]);
  assert.is(taken.length, 3 * pieces);
  let end = layout.arenaAt;
  for (const [at, size] of taken) {
    assert.ok(at >= end, `the piece at ${at} begins inside one that ends at ${end}`);
    end = at + size;
  }
  assert.ok(end <= arena.mark());
});

test.run();
