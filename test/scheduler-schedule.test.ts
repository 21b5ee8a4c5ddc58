// Schedules: who is picked how often, what is kept apart, and what is in flight. Counted from what
// the machines give out, against correlations that the test knows.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import { createCorrelations } from '../src/scheduler/correlations.ts';
import { balancedBounds } from '../src/scheduler/picker.ts';
import {
  createSchedule,
  type Phase,
  type Schedule,
  type ScheduleKind,
} from '../src/scheduler/schedule.ts';
import { createWeightTree } from '../src/scheduler/weight-tree.ts';
import { groupedCorrelations } from './helpers/correlations.ts';

const kinds: readonly ScheduleKind[] = ['dynamic', 'static', 'random', 'cyclic'];

test('weight tree: like a plain array, for any changes', () => {
  const change = fc.tuple(fc.nat(999), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.array(change), (count, changes) => {
      const sums = createWeightTree(count, 'sum');
      const maxima = createWeightTree(count, 'max');
      const plain = new Array<number>(count).fill(0);
      for (const [at, weight] of changes) {
        plain[at % count] = weight;
        for (const tree of [sums, maxima]) tree.set(at % count, weight);
      }
      const total = plain.reduce((a, b) => a + b, 0);
      assert.is(sums.top, total);
      assert.is(maxima.top, Math.max(...plain));
      if (maxima.top > 0) assert.is(maxima.find(0), plain.indexOf(maxima.top));
      for (let point = 0; point < total; point++) {
        let rest = point;
        const expected = plain.findIndex((weight) => (rest -= weight) < 0);
        assert.is(sums.find(point), expected, `point ${point}`);
      }
      const filled = createWeightTree(count, 'sum');
      filled.fill((i) => plain[i]!);
      assert.is(filled.top, total);
    }),
  );
});

/** A schedule without a filter, whose sweep is over. */
function sampled(weights: readonly number[], options: object): Schedule {
  const variables = weights.length;
  const schedule = createSchedule({ kind: 'dynamic', variables, want: 1, ...options });
  schedule.setPriorities(Float64Array.from(weights));
  return schedule;
}

/** How often each variable is the first of a phase, in `draws` phases that change nothing. */
function frequencies(weights: readonly number[], options: object, draws: number): number[] {
  const prng = createPrng(7);
  const counts = weights.map(() => 0);
  const schedule = sampled(weights, options);
  for (let i = 0; i < draws; i++) {
    const phase = schedule.next(prng)!;
    counts[phase.picked[0]!]! += 1;
    schedule.done(phase.number, Float64Array.of(weights[phase.picked[0]!]!));
  }
  return counts;
}

function chiSquared(counts: readonly number[], chances: readonly number[]): number {
  const draws = counts.reduce((a, b) => a + b, 0);
  return counts.reduce(
    (sum, n, i) => sum + (n - draws * chances[i]!) ** 2 / (draws * chances[i]!),
    0,
  );
}

for (const [what, squared, floor] of [
  ['|Δ| + η', false, 0.01],
  ['|Δ| + η, a large η', false, 1],
  ['Δ² + η', true, 0.05],
] as const) {
  test(`dynamic: variables are drawn in proportion to ${what}`, () => {
    const changes = [0, 0, 1, 2, 3, 0, 4, 0.5, 0, 1, 1, 1, 0, 0, 0, 0, 0, 6, 2, 0];
    const weights = changes.map((change) => (squared ? change * change : change));
    const total = weights.reduce((a, b) => a + b, 0);
    const eta = (floor * total) / weights.filter((weight) => weight > 0).length;
    const chances = weights.map((weight) => (weight + eta) / (total + eta * weights.length));
    const counts = frequencies(changes, { squared, floor }, 40_000);
    // 19 degrees of freedom: 43.8 is passed once in a thousand seeds, and the seed is fixed.
    const found = chiSquared(counts, chances);
    assert.ok(found < 43.8, `χ² ${found}: ${counts.join(' ')}`);
  });
}

test('random: every variable has the same chance, whatever changed', () => {
  const counts = frequencies([5, 0, 0, 1, 0, 9, 0, 0], { kind: 'random' }, 8000);
  assert.ok(
    chiSquared(
      counts,
      counts.map(() => 1 / 8),
    ) < 24.3,
    counts.join(' '),
  );
});

test('dynamic: the largest come first with top, ties by their number, none without a priority', () => {
  const schedule = sampled([1, 5, 0, 5, 3, 0, 2], { select: 'top', want: 4 });
  const prng = createPrng(1);
  const first = schedule.next(prng)!;
  assert.equal([...first.picked], [1, 3, 4, 6]);
  assert.equal([...first.priorities], [5, 5, 3, 2]);
  schedule.done(first.number, Float64Array.of(0, 0, 0, 0));
  assert.equal([...schedule.next(prng)!.picked], [0]);
  schedule.done(1, Float64Array.of(0));
  assert.is(schedule.next(prng), undefined, 'nothing is in flight, and nothing has a priority');
});

test('dynamic: without priorities every variable is visited once, then the ones that changed', () => {
  const schedule = createSchedule({ kind: 'dynamic', variables: 20, want: 3, floor: 0 });
  const prng = createPrng(1);
  const seen = new Set<number>();
  for (let i = 0; i < 7; i++) {
    const phase = schedule.next(prng)!;
    for (const j of phase.picked) seen.add(j);
    schedule.done(
      phase.number,
      Float64Array.from(phase.picked, (j) => (j % 5 === 0 ? 1 : 0)),
    );
  }
  assert.is(seen.size, 20);
  for (let i = 0; i < 20; i++) {
    const phase = schedule.next(prng)!;
    assert.ok(
      phase.picked.every((j) => j % 5 === 0),
      String(phase.picked),
    );
    schedule.done(phase.number, new Float64Array(phase.picked.length).fill(1));
  }
});

type Run = {
  readonly kind: ScheduleKind;
  readonly variables: number;
  readonly want: number;
  readonly depth: number;
  readonly schedulers: number;
  readonly groups: number;
  readonly seed: number;
  readonly phases: number;
};

/** Runs a schedule whose phases end in any order; `check` sees each, and all in flight then. */
function drive(run: Run, check: (phase: Phase, inFlight: ReadonlyMap<number, Phase>) => void) {
  const { kind, variables, want, depth, schedulers, groups, seed, phases } = run;
  const prng = createPrng(seed);
  const correlation = groupedCorrelations(
    Array.from({ length: variables }, () => prng.below(groups)),
    seed,
  );
  const correlations = createCorrelations({ threshold: 0.3, slots: 64 });
  const schedule = createSchedule({
    ...{ kind, variables, want, depth, schedulers, correlations },
  });
  const inFlight = new Map<number, Phase>();
  const visited = new Set<number>();
  for (let i = 0; i < phases; i++) {
    const list = schedule.candidates(prng);
    // Of what is new alone.
    const rows = list.subarray(0, correlations.newOf(list));
    const gram = Array.from(rows, (j) => Array.from(list, (k) => 4 * correlation(j, k)));
    correlations.note(list, gram.flat());
    const phase = schedule.next(prng);
    if (phase !== undefined) {
      check(phase, inFlight);
      inFlight.set(phase.number, phase);
      for (const variable of phase.picked) visited.add(variable);
    }
    const numbers = [...inFlight.keys()];
    const waits = phase === undefined && schedule.candidates(prng).length > 0;
    assert.ok(numbers.length <= depth + 1 && (waits || numbers.length > 0));
    if (waits) continue;
    if (phase === undefined || prng.uniform() < 0.5) {
      const number = numbers[prng.below(numbers.length)]!;
      const { picked } = inFlight.get(number)!;
      schedule.done(
        number,
        Float64Array.from(picked, () => prng.uniform()),
      );
      inFlight.delete(number);
    }
  }
  return { visited, correlation };
}

const runs = fc.record({
  kind: fc.constantFrom(...kinds),
  variables: fc.integer({ min: 1, max: 60 }),
  want: fc.integer({ min: 1, max: 8 }),
  depth: fc.integer({ min: 0, max: 3 }),
  groups: fc.integer({ min: 1, max: 12 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

test('T11: no two variables in flight have |corr| ≥ ρ, for any kind, depth and schedulers', () => {
  fc.assert(
    fc.property(runs, fc.integer({ min: 1, max: 4 }), (run, most) => {
      const schedulers = Math.min(most, run.variables);
      const phases: { phase: Phase; others: Phase[] }[] = [];
      const { correlation } = drive({ ...run, schedulers, phases: 40 }, (phase, inFlight) => {
        phases.push({ phase, others: [...inFlight.values()] });
      });
      for (const { phase, others } of phases) {
        assert.ok(phase.picked.length > 0);
        if (run.kind !== 'static') assert.ok(phase.picked.length <= run.want);
        phase.picked.forEach((j, i) => {
          const rest = [...phase.picked.subarray(0, i), ...others.flatMap((o) => [...o.picked])];
          for (const k of rest) {
            assert.is.not(j, k, 'a variable is in flight once');
            assert.ok(Math.abs(correlation(j, k)) < 0.3, `${j} and ${k}`);
          }
        });
        for (const { variable, because, correlation: said, where } of phase.rejected) {
          assert.ok(Math.abs(said - correlation(variable, because)) < 1e-12);
          const set = where === 'phase' ? [phase] : others;
          assert.ok(
            set.some(({ picked }) => picked.includes(because)),
            'the reason is there',
          );
        }
      }
    }),
    { numRuns: 300 },
  );
});

for (const kind of kinds) {
  for (const schedulers of [1, 3]) {
    test(`${kind}: every variable has its turn (${schedulers} schedulers)`, () => {
      const run = { kind, variables: 31, want: 4, depth: 1, schedulers, groups: 4 };
      const { visited } = drive({ ...run, seed: 3, phases: 600 }, () => undefined);
      assert.is(visited.size, 31);
    });
  }
}

test('schedulers: phases come from the ranges in turns', () => {
  const schedule = createSchedule({ kind: 'cyclic', variables: 10, want: 2, schedulers: 3 });
  const picked = Array.from({ length: 6 }, () => {
    const phase = schedule.next(createPrng(1))!;
    schedule.done(phase.number, new Float64Array(phase.picked.length));
    return [...phase.picked];
  });
  assert.equal(picked, [
    [0, 1],
    [3, 4],
    [6, 7],
    [2, 0],
    [5, 3],
    [8, 9],
  ]);
});

test('static: blocks cost about the same, and come round', () => {
  const costs = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(costs, fc.integer({ min: 1, max: 20 }), (cost, want) => {
      const bounds = balancedBounds({ first: 0, last: cost.length }, want, (j) => cost[j]!);
      assert.is(bounds[0], 0);
      assert.is(bounds.at(-1), cost.length);
      const total = cost.reduce((a, b) => a + b, 0);
      const share = total / Math.ceil(cost.length / want);
      for (let b = 0; b + 1 < bounds.length; b++) {
        const block = cost.slice(bounds[b], bounds[b + 1]);
        assert.ok(block.length > 0 && block.length <= 2 * want, `${block.length} variables`);
        const withoutLast = block.slice(0, -1).reduce((a, c) => a + c, 0);
        assert.ok(withoutLast < share || total === 0, `${withoutLast} of ${share}`);
      }
    }),
  );
});

test('schedule: a program that does wrong is told what', () => {
  const prng = createPrng(1);
  const correlations = createCorrelations({ threshold: 0.1 });
  const schedule = createSchedule({ kind: 'cyclic', variables: 9, want: 2, correlations });
  assert.throws(() => schedule.next(prng), /correlation of variables 0 and 1 is not known/);
  assert.throws(() => schedule.done(5, new Float64Array(1)), /phase 5 is not in flight/);
  const plain = createSchedule({ kind: 'dynamic', variables: 9, want: 2 });
  const phase = plain.next(prng)!;
  assert.is(plain.next(prng), undefined, 'depth 0: one at a time');
  assert.throws(() => plain.done(phase.number, new Float64Array(3)), /has 2 variables, got 3/);
  const diverged = sampled([1, 1], {});
  const { number } = diverged.next(prng)!;
  assert.throws(() => diverged.done(number, Float64Array.of(NaN)), /training diverged/);
  const small = createCorrelations({ threshold: 0.1, slots: 8 });
  const wide = { kind: 'random', variables: 99, want: 4, correlations: small } as const;
  assert.throws(() => createSchedule(wide), /a slot for each candidate/);
  assert.throws(() => createSchedule({ ...wide, want: 0 }), /at least 1 variable, got 0/);
});

test('candidates: as many as the filter has made necessary', () => {
  const sizes = (between: number) => {
    const correlations = createCorrelations({ threshold: 0.3 });
    const schedule = createSchedule({ kind: 'random', variables: 4000, want: 20, correlations });
    const prng = createPrng(1);
    return Array.from({ length: 40 }, () => {
      const list = schedule.candidates(prng);
      const gram = Array.from(list, (j) => Array.from(list, (k) => (j === k ? 1 : between)));
      correlations.note(list, gram.flat());
      const { number, picked } = schedule.next(prng)!;
      schedule.done(number, new Float64Array(picked.length));
      return list.length;
    });
  };
  const [free, tight] = [sizes(0), sizes(0.9)];
  assert.is(free[0], 40, 'at first: twice as many as are wanted');
  assert.is(free.at(-1), 22);
  assert.is(tight.at(-1), 40);
});

test('ten million variables: a draw and an update look at few of them', () => {
  const variables = 1e7;
  const schedule = createSchedule({ kind: 'dynamic', variables, want: 64, schedulers: 4 });
  const priorities = new Float64Array(variables);
  for (let j = 0; j < variables; j += 1000) priorities[j] = 1;
  schedule.setPriorities(priorities);
  const prng = createPrng(1);
  let hits = 0;
  for (let i = 0; i < 2000; i++) {
    const phase = schedule.next(prng)!;
    for (const j of phase.picked) hits += j % 1000 === 0 ? 1 : 0;
    schedule.done(phase.number, new Float64Array(64).fill(1));
  }
  // η is 1 % of the mean priority for 1000 × as many: 10 of 11 draws go to them at first.
  assert.ok(hits > 0.05 * 64 * 2000, String(hits));
});

test.run();
