// Scenarios of schedules and of their auditor, readable: test/testdata/scheduler.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createPrng } from '../src/base/prng.ts';
import { createScheduleAuditor } from '../src/scheduler/auditor.ts';
import { createCorrelations, type Correlations } from '../src/scheduler/correlations.ts';
import { createSchedule, type Schedule, type ScheduleOptions } from '../src/scheduler/schedule.ts';
import { goldenFiles, runGolden } from './helpers/golden.ts';

/** `name=value` words as an object; numbers and booleans as such. */
function wordsOf(words: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    words.map((word) => {
      const [name = '', value = ''] = word.split('=');
      return [name, /^[\d.-]+$/.test(value) ? Number(value) : value === 'true' ? true : value];
    }),
  );
}

/** A schedule over correlations that the scenario names; all others are 0. */
function openSchedule() {
  let schedule: Schedule | undefined;
  let correlations: Correlations | undefined;
  let prng = createPrng(1);
  const pairs = new Map<string, number>();
  const between = (j: number, k: number) =>
    j === k ? 1 : (pairs.get(`${Math.min(j, k)} ${Math.max(j, k)}`) ?? 0);
  const there = () => {
    assert.ok(schedule !== undefined, 'a scenario begins with `schedule`');
    return schedule;
  };
  const next = (): string[] => {
    const phase = there().next(prng);
    if (phase === undefined) return ['nothing'];
    const { number, picked, priorities, rejected } = phase;
    const by = priorities.some((weight) => weight > 0) ? `, by ${priorities.join(' ')}` : '';
    return [
      `phase ${number}: ${picked.join(' ')}${by}`,
      ...rejected.map(
        ({ variable, because, correlation, where }) =>
          `  not ${variable}: ${correlation} with ${because} in ${where}`,
      ),
    ];
  };
  return (name: string, words: readonly string[]): readonly string[] => {
    switch (name) {
      case 'schedule': {
        const { threshold, costs, ...options } = wordsOf(words);
        correlations =
          threshold === undefined
            ? undefined
            : createCorrelations({ threshold: threshold as number });
        const cost = String(costs).split(',').map(Number);
        schedule = createSchedule({
          ...(options as unknown as ScheduleOptions),
          ...{ correlations, costs: costs === undefined ? undefined : (j) => cost[j] ?? 1 },
        });
        prng = createPrng(1);
        return [];
      }
      case 'priorities':
        there().setPriorities(Float64Array.from(words, Number));
        return [];
      case 'correlated':
        pairs.set(words.slice(0, 2).join(' '), Number(words[2]));
        return [];
      case 'candidates': {
        const list = [...there().candidates(prng)];
        if (correlations === undefined || list.length === 0) return ['none'];
        const count = correlations.newOf(Int32Array.from(list));
        const rows = list.slice(0, count);
        const moments = rows.flatMap((j) => list.map((k) => between(j, k)));
        correlations.note(Int32Array.from(list), moments);
        return [`moments of ${rows.join(' ')} with ${list.slice(count).join(' ') || 'each other'}`];
      }
      case 'next':
        return next();
      case 'done':
        there().done(Number(words[0]), Float64Array.from(words.slice(1), Number));
        return [];
      default:
        throw new Error(`no command ${name}`);
    }
  };
}

/** The auditor over blocks of a 4 × 4 grid. */
function openAuditor() {
  const auditor = createScheduleAuditor((a, b) => {
    if (Math.floor(a / 4) === Math.floor(b / 4)) return 'they share a row part';
    return a % 4 === b % 4 ? 'they share a column part' : undefined;
  });
  return (name: string, [phase = '', ...items]: readonly string[]): readonly string[] => {
    if (name === 'ended') auditor.ended(Number(phase));
    else {
      try {
        auditor.began(Number(phase), items.map(Number));
      } catch (error) {
        return [`${(error as { code: string }).code} ${(error as Error).message}`];
      }
    }
    return [`${auditor.pairs} pairs`];
  };
}

for (const file of goldenFiles('scheduler')) {
  test(`scheduler, golden: ${file}`, () => {
    const act = file.startsWith('auditor') ? openAuditor() : openSchedule();
    runGolden('scheduler', file, (command) => {
      const [name = '', ...words] = command.split(' ');
      return act(name, words);
    });
  });
}

test.run();
