import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { audit, describeBreach, histogramBins, lagBin } from '../src/ps/auditor.ts';
import { mayRead, type Policy } from '../src/ps/freshness.ts';

const bsp: Policy = { consistency: 'bsp', staleness: 0 };
const ssp2: Policy = { consistency: 'ssp', staleness: 2 };
const essp2: Policy = { consistency: 'essp', staleness: 2 };
const anything: Policy = { consistency: 'async', staleness: 0 };

const cases: readonly (readonly [string, Policy, readonly number[], number | undefined])[] = [
  ['bsp: everybody exactly there', bsp, [7, 7, 7], undefined],
  ['bsp: others ahead', bsp, [7, 9, 8], undefined],
  ['bsp: one clock of a writer is missing', bsp, [7, 6, 7], 1],
  ['bsp: its own last clock is missing', bsp, [6, 7, 7], 0],
  ['ssp: as far behind as the bound allows', ssp2, [7, 5, 5], undefined],
  ['ssp: one clock further behind', ssp2, [7, 5, 4], 2],
  ['ssp: the first of several is named', ssp2, [7, 3, 4], 1],
  ['essp: the same bound', essp2, [7, 4, 7], 1],
  ['async: promises nothing', anything, [7, 0, 0], undefined],
];

for (const [name, policy, ledger, writer] of cases) {
  test(`auditor: ${name}`, () => {
    const breach = audit(policy, { worker: 0, clock: 7, ledger });
    assert.is(breach?.writer, writer);
    if (breach === undefined || writer === undefined) return;
    assert.equal(
      { ...breach },
      { worker: 0, clock: 7, required: policy === bsp ? 7 : 5, writer, seen: ledger[writer] },
    );
    const words = describeBreach(breach);
    assert.match(words, 'worker 0 at clock 7');
    assert.match(words, `${ledger[writer]} clocks of worker ${writer}`);
    assert.match(words, `promises ${breach.required}`);
  });
}

test('auditor: agrees with the rule on every ledger', () => {
  const policy = fc.constantFrom(bsp, ssp2, essp2, anything);
  const ledgers = fc.array(fc.nat(12), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(policy, fc.nat(12), ledgers, (rule, clock, ledger) => {
      const breach = audit(rule, { worker: 0, clock, ledger });
      assert.is(breach === undefined, mayRead(rule, clock, Math.min(...ledger)));
    }),
  );
});

test('auditor: lags go to bins, none below the first, all later ones in the last', () => {
  assert.is(lagBin(5, 5), 0);
  assert.is(lagBin(5, 3), 2);
  assert.is(lagBin(5, 8), 0, 'others may be ahead');
  assert.is(lagBin(histogramBins - 1, 0), histogramBins - 1);
  assert.is(lagBin(histogramBins, 0), histogramBins - 1);
  assert.is(lagBin(1e6, 0), histogramBins - 1);
});

test.run();
