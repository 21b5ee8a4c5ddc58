// What the papers claim of scheduled coordinate descent, checked on designs whose correlations are
// known. Names and statements: T8, T9, T11 and T12 of Xing et al. 2015, Lee et al. 2014 and Bradley
// et al. 2011. Counts, never times; drawn by seeds.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { correlationsOf, optimum, spectralRadius } from './oracle/coordinate.ts';
import {
  autoregressive,
  blocks,
  designOf,
  textLike,
  type Ask,
  type Solved,
} from './helpers/designs.ts';
import { drive, driving } from './helpers/driven.ts';

/** How far above the optimum a run was after `updates` updates. */
function above({ trace }: Solved, updates: number, least: number): number {
  const row = trace.find((own) => own.updates >= updates) ?? trace.at(-1)!;
  return row.objective - least;
}

/** Updates and phases until the objective was within `share` of the way from start to optimum. */
function reached({ trace, start }: Solved, least: number, share: number) {
  const row = trace.find(({ objective }) => objective - least <= share * (start - least));
  return row ?? { updates: Infinity, phases: Infinity, objective: NaN, gap: NaN };
}

const fine = { certifyEvery: 0.1, tolerance: 1e-9 } as const;

test('T8: priorities |δβ| + η and (δβ)² get further than uniform with as many updates', async () => {
  await driving((host) => {
    for (const seed of [1, 2, 3]) {
      const J = 300;
      const rows = autoregressive({ rows: 200, columns: J, seed }, 0.8);
      const design = designOf(rows, seed, { truth: 8 });
      const { value } = optimum(design, 1e-8);
      const ask: Ask = { ...fine, phaseSize: 1, threshold: 1, passes: 2, seed };
      const far = (own: Ask) => above(drive(host, design, { ...ask, ...own }), 2 * J, value);
      const uniform = far({ kind: 'random' });
      const linear = far({ kind: 'dynamic' });
      const squared = far({ kind: 'dynamic', squared: true });
      const says = `seed ${seed}: uniform ${uniform}, |δβ| ${linear}, (δβ)² ${squared}`;
      assert.ok(linear < uniform / 2 && squared < uniform / 2, says);
    }
  });
});

test('T9: U at once take 1/U of the phases while correlation is small, or filtered', async () => {
  await driving((host) => {
    const size = { rows: 400, columns: 128, seed: 4 };
    const loose = designOf(autoregressive(size, 0.2), 4, { truth: 12 });
    const tight = designOf(blocks(size, 16, 0.9), 4, { truth: 12 });
    for (const [design, threshold, least] of [
      [loose, 1, 0.7],
      [loose, 0.5, 0.7],
      // Eight blocks: at most eight at once.
      [tight, 0.5, 0.7],
    ] as const) {
      const { value } = optimum(design, 1e-9);
      // Added up over seeds: a single run ends when chance finds the last variable.
      const phases = (phaseSize: number) => {
        const ask: Ask = { kind: 'random', passes: 50, ...fine, threshold, phaseSize };
        const seeds = [1, 2, 3, 4, 5, 6];
        return seeds.reduce((sum, seed) => {
          return sum + reached(drive(host, design, { ...ask, seed }), value, 1e-3).phases;
        }, 0);
      };
      const alone = phases(1);
      for (const U of [2, 4, 8]) {
        const gain = alone / phases(U);
        assert.ok(gain >= least * U, `U = ${U}, threshold ${threshold}: ${gain}-fold`);
      }
      const most = alone / phases(64);
      const isTight = design === tight;
      const says = `U = 64, threshold ${threshold}: ${most}-fold`;
      assert.ok(isTight ? most > 5 && most < 12 : most > 20, says);
    }
    const ask: Ask = { kind: 'random', passes: 200, ...fine, threshold: 1, phaseSize: 64 };
    const { diverged } = drive(host, tight, ask);
    assert.is(diverged, 1, 'U = 64 without the filter, correlated');
  });
});

test('T11: every pair of a dispatched set, and of the sets in flight, has |corr| < ρ', async () => {
  await driving((host) => {
    for (const kind of ['dynamic', 'static', 'random', 'cyclic'] as const) {
      for (const pipeline of [0, 2]) {
        const intercept = kind !== 'random';
        // Sparse: products by the rows of rare columns, by columns of the others.
        const storage = pipeline === 0 ? 'f32' : 'csr';
        const rows =
          storage === 'csr'
            ? textLike({ rows: 90, columns: 60, seed: 6 })
            : blocks({ rows: 50, columns: 60, seed: 6 }, 6, 0.6);
        const design = designOf(rows, 6, { intercept });
        const correlations = correlationsOf(design);
        const threshold = storage === 'csr' ? 0.15 : 0.3;
        const plan = { phaseSize: 6, passes: 10, tolerance: 0 };
        const ask: Ask = { kind, pipeline, threshold, storage, ...plan };
        const { dispatched, turnedDown, updates } = drive(host, design, ask);
        let pairs = 0;
        for (const { picked, flying } of dispatched) {
          picked.forEach((j, i) => {
            for (const k of [...flying, ...picked.slice(0, i)]) {
              pairs += 1;
              const own = Math.abs(correlations[j]![k]!);
              assert.ok(own < threshold + 1e-12, `${kind}: ${j} and ${k} by ${own}`);
            }
          });
        }
        assert.ok(
          pairs > updates && turnedDown > 0,
          `${kind}: ${pairs} pairs, ${turnedDown} turned down`,
        );
      }
    }
  });
});

test('T12: unscheduled, more than J/ρ(XᵀX) + 1 at once diverges; scheduled it converges', async () => {
  await driving((host) => {
    const J = 120;
    const design = designOf(blocks({ rows: 300, columns: J, seed: 8 }, 24, 0.9), 8, { truth: 10 });
    const { value } = optimum(design, 1e-10);
    const limit = J / spectralRadius(correlationsOf(design)) + 1;
    const ask: Ask = { kind: 'random', passes: 300, tolerance: 1e-6 };
    const run = (own: Ask) => drive(host, design, { ...ask, ...own });
    const above = (solved: Solved) => (solved.objective - value) / solved.start;
    const below = run({ threshold: 1, phaseSize: Math.floor(limit) });
    const beyond = run({ threshold: 1, phaseSize: 48 });
    const scheduled = run({ threshold: 0.5, phaseSize: 48 });
    assert.is(below.diverged, 0, `U = ${Math.floor(limit)}`);
    assert.ok(above(below) < 1e-3, `U = ${Math.floor(limit)}: ${above(below)} above`);
    assert.is(beyond.diverged, 1, 'U = 48, unscheduled');
    assert.is(scheduled.diverged, 0, 'U = 48, scheduled');
    assert.ok(scheduled.gap <= 1e-6 * scheduled.start, `U = 48, scheduled: gap ${scheduled.gap}`);
  });
});

test('dynamic needs at most a third of the updates of random, to the same gap', async () => {
  await driving((host) => {
    // Random sees its end as soon as it comes.
    const often = { certifyEvery: 0.1 } as const;
    for (const seed of [1, 2, 3]) {
      const rows = autoregressive({ rows: 200, columns: 400, seed }, 0.9);
      const design = designOf(rows, seed, { truth: 8, share: 0.05 });
      const ask: Ask = { phaseSize: 8, threshold: 0.3, tolerance: 1e-4, passes: 200, seed };
      const { updates: random } = drive(host, design, { ...ask, kind: 'random', ...often });
      const own = { certifyEvery: 0.5, refresh: true } as const;
      const { updates, certificates } = drive(host, design, { ...ask, kind: 'dynamic', ...own });
      const says = `seed ${seed}: random ${random}, dynamic ${updates}`;
      assert.ok(random >= 3 * updates, says);
      // A certificate's gradient takes no more than an update of each variable.
      assert.ok(
        random >= 2 * (updates + 400 * certificates),
        `${says}, certificates ${certificates}`,
      );
    }
  });
});

test('late reports: who does what when changes no bit', async () => {
  await driving((host) => {
    for (const loss of ['square', 'logistic'] as const) {
      const rows = autoregressive({ rows: 40, columns: 30, seed: 2 }, 0.6);
      const design = designOf(rows, 2, { loss, intercept: true });
      for (const pipeline of [0, 1, 3]) {
        const ask: Ask = { pipeline, phaseSize: 3, passes: 8, tolerance: 0, partitions: 4 };
        const ends = [undefined, 1, 2, 3].map((late) => {
          const workers = late === undefined ? 1 : late + 1;
          const { v, b, trace, latest } = drive(host, design, { ...ask, late, workers });
          if (late !== undefined) assert.is(latest, pipeline + 1, 'reports were late');
          return JSON.stringify([[...v], b, trace]);
        });
        assert.is(new Set(ends).size, 1, `${loss}, pipeline ${pipeline}`);
      }
    }
  });
});

test.run();
