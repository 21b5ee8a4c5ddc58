// What a schedule remembers of pairs: bounded, exact, and asked for once.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createCorrelations } from '../src/scheduler/correlations.ts';
import { groupedCorrelations } from './helpers/correlations.ts';

test('correlations: slots are bounded, and the ones unused for longest are forgotten', () => {
  const correlations = createCorrelations({ threshold: 0.5, slots: 4 });
  const note = (...list: number[]) => {
    const gram = list.flatMap((j) => list.map((k) => (j === k ? 1 : 0.6)));
    correlations.note(Int32Array.from(list), gram);
  };
  note(1, 2, 3, 4);
  assert.is(correlations.strong, 6);
  assert.equal([...correlations.unknown([1, 2], 2)], []);
  note(2, 5);
  assert.is(correlations.between(1, 2), 0.6);
  assert.is(correlations.between(2, 5), 0.6);
  assert.is(correlations.between(1, 5), undefined, 'they were never seen together');
  assert.is(correlations.between(1, 3), undefined, '3 gave its slot up');
  assert.is(correlations.between(1, 4), 0.6);
  assert.is(correlations.strong, 4);
  assert.throws(() => note(1, 2, 3, 4, 5), /at most 4 variables at a time/);
  correlations.clear();
  assert.is(correlations.between(1, 2), undefined);
  // A column of zeros has no correlation; weak ones are known, and 0.
  correlations.note(Int32Array.of(7, 8, 9), [0, 0, 0, 0, 1, 0.2, 0, 0.2, 1]);
  assert.equal([correlations.between(7, 8), correlations.between(9, 8)], [0, 0]);
  assert.is(correlations.strong, 0);
});

test('correlations: moments of what is new are enough, and are asked for once', () => {
  const group = Array.from({ length: 50 }, (_, j) => j % 7);
  fc.assert(
    fc.property(fc.array(fc.nat(49), { minLength: 1 }), fc.nat(1000), (draws, seed) => {
      const correlation = groupedCorrelations(group, seed);
      const correlations = createCorrelations({ threshold: 0.3, slots: 24 });
      const lists = draws.map((from, i) =>
        Array.from({ length: 1 + ((from + i) % 9) }, (_, k) => (from + k * (1 + (i % 3))) % 50),
      );
      for (const drawn of lists) {
        const list = correlations.unknown(drawn, drawn.length);
        const fresh = correlations.newOf(list);
        const rows = Array.from(list.subarray(0, fresh));
        // What is not new has been noted before: every pair without a new one is known.
        [...list.subarray(fresh)].forEach((j, i) => {
          for (const k of list.subarray(fresh + i + 1))
            assert.ok(correlations.between(j, k) !== undefined);
        });
        correlations.note(
          list,
          rows.flatMap((j) => Array.from(list, (k) => 9 * correlation(j, k))),
        );
        drawn.forEach((j, i) => {
          for (const k of drawn.slice(0, i)) {
            const own = correlation(j, k);
            const found = correlations.between(j, k);
            assert.ok(found !== undefined, `${j} and ${k} are known`);
            assert.ok(Math.abs(found - (Math.abs(own) < 0.3 ? 0 : own)) < 1e-12, `${j} ${k}`);
          }
        });
        assert.is(correlations.unknown(drawn, drawn.length).length, 0, 'once');
      }
    }),
  );
  const correlations = createCorrelations({ threshold: 0.3 });
  const lone = () => correlations.note(Int32Array.of(1, 2), [1, 0.5]);
  assert.throws(lone, /a variable without a slot has a row/);
});

test.run();
