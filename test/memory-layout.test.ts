import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../src/base/limits.ts';
import {
  actorsMax,
  controlIndex,
  controlLine,
  planLayout,
  ringAt,
  scratchAt,
} from '../src/memory/layout.ts';

for (const threads of [1, 2, 17, actorsMax]) {
  test(`layout: regions follow each other and do not overlap (${threads} threads)`, () => {
    const layout = planLayout(threads);
    const regions: [number, number, string][] = [[0, 64 * 1024, 'constants']];
    const lastLine = controlLine.state + actorsMax;
    regions.push([controlIndex(0) * 4, controlIndex(lastLine) * 4, 'control']);
    for (let thread = 0; thread < threads; thread++) {
      for (const ring of ['inbox', 'reports', 'events'] as const) {
        const at = ringAt(layout, thread, ring);
        regions.push([at, at + limits.ringBytes, `${ring} ${thread}`]);
      }
    }
    for (let thread = 0; thread < threads; thread++) {
      const at = scratchAt(layout, thread);
      regions.push([at, at + limits.scratchBytes, `scratch ${thread}`]);
    }
    regions.push([layout.arenaAt, layout.bytes, 'arena']);
    regions.reduce((before, now) => {
      assert.ok(before[1] <= now[0], `${now[2]} at ${now[0]} inside ${before[2]}`);
      assert.is(now[0] % 64, 0, `${now[2]} begins on a cache line`);
      assert.ok(now[0] < now[1], `${now[2]} has room`);
      return now;
    });
    assert.is(layout.bytes, limits.memoryBytes);
  });
}

test('layout: every actor has control words of its own, one cache line each', () => {
  const { clocks, pushed, state, ...single } = controlLine;
  const lines: number[] = Object.values(single);
  for (let actor = 0; actor < actorsMax; actor++) {
    lines.push(clocks + actor, pushed + actor, state + actor);
  }
  assert.is(new Set(lines).size, lines.length);
  assert.is((controlIndex(1) - controlIndex(0)) * 4, 64);
});

test('layout: what is not on the map is refused', () => {
  const layout = planLayout(2);
  assert.throws(() => ringAt(layout, 2, 'inbox'), /on the map/);
  assert.throws(() => scratchAt(layout, 2), /on the map/);
  assert.throws(() => planLayout(0), /has threads/);
  assert.throws(() => planLayout(2, 2 ** 20), /arena has room/);
  assert.throws(() => planLayout(2, 2 ** 33), /4 GiB/);
});

test.run();
