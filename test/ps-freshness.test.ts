import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  mayRead,
  policyAt,
  requiredClock,
  tightest,
  type Consistency,
  type Policy,
} from '../src/ps/freshness.ts';

// Reader at clock 5. Columns: policy, staleness, clocks that all must have finished.
const rules: readonly (readonly [Consistency, number, number])[] = [
  ['bsp', 0, 5],
  ['bsp', 3, 5], // bulk-synchronous is s = 0, whatever else is said
  ['ssp', 0, 5],
  ['ssp', 1, 4],
  ['ssp', 5, 0],
  ['ssp', 9, -4],
  ['essp', 0, 5],
  ['essp', 2, 3],
  ['async', 0, -Infinity],
  ['async', 7, -Infinity],
];

for (const [consistency, staleness, required] of rules) {
  test(`freshness: a reader at clock 5 needs ${required} (${consistency}, s = ${staleness})`, () => {
    const policy = { consistency, staleness };
    assert.is(requiredClock(policy, 5), required);
    for (let minClock = 0; minClock <= 12; minClock++) {
      assert.is(mayRead(policy, 5, minClock), minClock >= required, `slowest at ${minClock}`);
    }
  });
}

const consistencies = ['bsp', 'ssp', 'essp', 'async'] as const;
const policies = fc.record<Policy>({
  consistency: fc.constantFrom(...consistencies),
  staleness: fc.nat(20),
});
const clocks = fc.nat(1000);

test('freshness: nobody waits at clock 0, and a worker alone never waits', () => {
  fc.assert(
    fc.property(policies, clocks, (policy, clock) => {
      assert.ok(mayRead(policy, 0, 0));
      assert.ok(mayRead(policy, clock, clock));
    }),
  );
});

test('freshness: what may be read stays readable when the slowest advances', () => {
  fc.assert(
    fc.property(policies, clocks, clocks, fc.nat(50), (policy, clock, minClock, more) => {
      if (mayRead(policy, clock, minClock)) assert.ok(mayRead(policy, clock, minClock + more));
    }),
  );
});

test('freshness: a reader that is further on never needs less', () => {
  fc.assert(
    fc.property(policies, clocks, clocks, fc.nat(50), (policy, clock, minClock, more) => {
      if (mayRead(policy, clock + more, minClock)) assert.ok(mayRead(policy, clock, minClock));
    }),
  );
});

test('freshness: more staleness never forbids a read', () => {
  fc.assert(
    fc.property(policies, clocks, clocks, fc.nat(20), (policy, clock, minClock, more) => {
      const looser = { ...policy, staleness: policy.staleness + more };
      if (mayRead(policy, clock, minClock)) assert.ok(mayRead(looser, clock, minClock));
    }),
  );
});

test('freshness: the tightest policy allows a read exactly when every policy does', () => {
  const several = fc.array(policies, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(several, clocks, clocks, (all, clock, minClock) => {
      const everyone = all.every((policy) => mayRead(policy, clock, minClock));
      assert.is(mayRead(tightest(all), clock, minClock), everyone);
      assert.ok(all.includes(tightest(all)));
    }),
  );
});

test('freshness: at a barrier a reader needs all clocks before, with every policy', () => {
  fc.assert(
    fc.property(policies, clocks, (policy, clock) => {
      assert.is(requiredClock(policyAt(policy, true), clock), clock);
      assert.equal(policyAt(policy, false), policy);
    }),
  );
});

test.run();
