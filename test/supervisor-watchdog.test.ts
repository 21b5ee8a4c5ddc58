import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { activity, type Activity } from '../src/store/control.ts';
import { Watchdog, type Sighting } from '../src/supervisor/watchdog.ts';

const at = (now: Activity, steps = 1): Sighting => ({ now, steps });

for (const now of ['starting', 'pushing', 'folding', 'scheduling'] as const) {
  test(`watchdog: an actor that stands still is found after the limit, not before (${now})`, () => {
    const dog = new Watchdog(1000);
    assert.is(dog.step([at(now)], 5000), undefined);
    assert.is(dog.step([at(now)], 5999), undefined);
    assert.is(dog.step([at(now)], 6000), undefined);
    assert.equal(dog.step([at(now)], 6001), { thread: 0, now, forMs: 1001 });
    assert.equal(dog.step([at(now)], 9000), { thread: 0, now, forMs: 4000 });
  });
}

for (const now of ['idle', 'waitingForClocks', 'waitingForWork'] as const) {
  test(`watchdog: waiting is not standing still (${now})`, () => {
    const dog = new Watchdog(1000);
    for (let ms = 0; ms < 20_000; ms += 500) assert.is(dog.step([at(now)], ms), undefined);
    assert.is(dog.step([at('pushing')], 20_000), undefined, 'the time of waiting does not count');
  });
}

test('watchdog: a change of the count is progress, even back to the same activity', () => {
  const dog = new Watchdog(1000);
  for (let i = 0; i < 50; i++) assert.is(dog.step([at('pushing', i)], i * 900), undefined);
  assert.is(dog.step([at('pushing', 49)], 49 * 900 + 1001)?.thread, 0);
});

test('watchdog: of several, the one that stands still longest is named', () => {
  const dog = new Watchdog(100);
  dog.step([at('pushing', 1), at('pushing', 1), at('waitingForClocks')], 0);
  dog.step([at('pushing', 2), at('pushing', 1), at('waitingForClocks')], 60);
  const stuck = dog.step([at('pushing', 2), at('pushing', 1), at('waitingForClocks')], 500);
  assert.equal(stuck, { thread: 1, now: 'pushing', forMs: 500 });
});

test('watchdog: never finds an actor that moved within the limit (any history)', () => {
  const names = fc.constantFrom(...(Object.keys(activity) as Activity[]));
  const moves = fc.array(fc.tuple(names, fc.integer({ min: 1, max: 100 })), { maxLength: 60 });
  fc.assert(
    fc.property(moves, (history) => {
      const dog = new Watchdog(100);
      let nowMs = 0;
      history.forEach(([now, passedMs], steps) => {
        nowMs += passedMs;
        assert.is(dog.step([at(now, steps)], nowMs), undefined);
      });
    }),
  );
});

test.run();
