// What may be updated at the same time: out of candidates, best first, each that is correlated
// neither with one already kept nor with one in flight becomes part of the next phase.
//
//   candidate k is kept  ⇔  |corr(k, j)| < ρ  for all j kept before it and all j in flight
//
// Greedy, so the best candidate is only ever turned down for one in flight.
//
// The dispatcher takes candidates from a source, wherever that has them from (schedule.ts: pickers
// beside it; shards.ts: pickers on other threads and hosts), and knows what is in flight.
import { SystemError } from '../base/errors.ts';
import type { Prng } from '../base/prng.ts';
import type { Correlations } from './correlations.ts';

export type Rejection = {
  readonly variable: number;
  /** The variable that it is correlated with, and by how much. */
  readonly because: number;
  readonly correlation: number;
  /** Where that one is: in the same phase, or in one that has not ended. */
  readonly where: 'phase' | 'flight';
};

/** Rejections that a phase tells of; their number is in `turnedDown`. */
const rejectionsMax = 64;

type Filtered = {
  readonly kept: Int32Array;
  /** Neither kept nor updated: turned down, or more than were wanted. */
  readonly left: Int32Array;
  readonly rejected: readonly Rejection[];
  readonly turnedDown: number;
};

/** How a pair is judged: its correlation where that is too strong. */
function conflict(correlations: Correlations, j: number, k: number): number | undefined {
  const correlation = correlations.between(j, k);
  if (correlation === undefined) {
    const what = `schedule: the correlation of variables ${j} and ${k} is not known`;
    const remedy = 'before next(), note() the moments of what candidates() returns';
    throw new SystemError('ERR_PROGRAM', `${what}; ${remedy}`);
  }
  return Math.abs(correlation) >= correlations.threshold ? correlation : undefined;
}

/** `correlations` undefined: no filter. */
function filterCandidates(
  candidates: Int32Array,
  want: number,
  against: {
    readonly correlations: Correlations | undefined;
    readonly inFlight: ReadonlySet<number>;
  },
): Filtered {
  const { correlations, inFlight } = against;
  const kept: number[] = [];
  const left: number[] = [];
  const rejected: Rejection[] = [];
  let turnedDown = 0;
  const judge = (variable: number): Rejection | undefined => {
    if (correlations === undefined) return undefined;
    const others = [
      ['flight', inFlight],
      ['phase', kept],
    ] as const;
    for (const [where, set] of others) {
      for (const because of set) {
        const correlation = conflict(correlations, because, variable);
        if (correlation !== undefined) return { variable, because, correlation, where };
      }
    }
    return undefined;
  };
  for (const variable of candidates) {
    const rejection = kept.length < want ? judge(variable) : undefined;
    if (rejection !== undefined) {
      turnedDown += 1;
      if (rejected.length < rejectionsMax) rejected.push(rejection);
    }
    if (rejection === undefined && kept.length < want) kept.push(variable);
    else left.push(variable);
  }
  return { kept: Int32Array.from(kept), left: Int32Array.from(left), rejected, turnedDown };
}

export type Phase = {
  readonly number: number;
  /** Variables to update at once; never empty. */
  readonly picked: Int32Array;
  /** What each was picked by; 0 where priorities do not count. */
  readonly priorities: Float64Array;
  /** The first of those that were turned down; `turnedDown` counts all. */
  readonly rejected: readonly Rejection[];
  readonly turnedDown: number;
};

type Flight = { readonly picker: number; readonly picked: Int32Array };

/** What has begun and not ended. */
function createFlights(depth: number) {
  const flights = new Map<number, Flight>();
  const inFlight = new Set<number>();
  return {
    inFlight: inFlight as ReadonlySet<number>,
    get full() {
      return flights.size > depth;
    },
    begin(number: number, flight: Flight) {
      flights.set(number, flight);
      for (const variable of flight.picked) inFlight.add(variable);
    },
    end(number: number, changes: number): Flight {
      const flight = flights.get(number);
      if (flight === undefined) {
        throw new SystemError('ERR_PROGRAM', `schedule: phase ${number} is not in flight`);
      }
      if (flight.picked.length !== changes) {
        const rule = `schedule: phase ${number} has ${flight.picked.length} variables`;
        throw new SystemError('ERR_PROGRAM', `${rule}, got ${changes} changes`);
      }
      flights.delete(number);
      for (const variable of flight.picked) inFlight.delete(variable);
      return flight;
    },
  };
}

/** Candidates of one picker, best first. */
export type Pool = { readonly picker: number; readonly candidates: Int32Array };

/** Where candidates come from, and what becomes of them goes. */
export type Source = {
  /** Up to `count` candidates of the next range that has some. */
  draw(prng: Prng, count: number, inFlight: ReadonlySet<number>): Pool | undefined;
  /** Of a pool: what was not made part of the phase. */
  back(picker: number, left: Iterable<number>): void;
  learn(picker: number, picked: Int32Array, changes: Float64Array): void;
  priority(picker: number, variable: number): number;
};

export type DispatchOptions = {
  readonly want: number;
  /** Most variables of a phase: `want`, or whole blocks. */
  readonly most: number;
  readonly depth: number;
  readonly correlations: Correlations | undefined;
  /** Candidates of a phase; undefined: as many as the filter makes necessary. */
  readonly pool: number | undefined;
  /** Ranges that the source draws from, in turns. */
  readonly ranges: number;
};

/**
 * How many candidates make a phase full, twice as many as are wanted at most: each costs its
 * correlations with all others, and most data has few pairs that are turned down.
 */
function createPoolSize({ want, correlations, pool }: DispatchOptions) {
  /** Turned down by a phase, averaged with exponentially falling weights. */
  let usual = want;
  return {
    get size() {
      if (pool !== undefined || correlations === undefined) return pool ?? want;
      return Math.min(2 * want, want + Math.ceil(1.5 * usual) + 1);
    },
    learn: (turnedDown: number) => void (usual += 0.25 * (turnedDown - usual)),
  };
}

export function createDispatcher(source: Source, options: DispatchOptions) {
  const { most, depth, correlations, ranges } = options;
  const flights = createFlights(depth);
  const poolSize = createPoolSize(options);
  let number = 0;
  let pool: Pool | undefined;
  /** Ranges in a row all of whose candidates were turned down, since a flight has ended. */
  let blocked = 0;
  const isFull = () => flights.full || blocked >= ranges;
  const draw = (prng: Prng) => source.draw(prng, poolSize.size, flights.inFlight);
  const unknown = ({ candidates }: Pool) =>
    correlations?.unknown([...flights.inFlight, ...candidates], candidates.length) ?? [];
  /** A phase of a pool; undefined when all were turned down. */
  const begin = ({ picker, candidates }: Pool): Phase | undefined => {
    const against = { correlations, inFlight: flights.inFlight };
    const { kept, left, ...turned } = filterCandidates(candidates, most, against);
    poolSize.learn(turned.turnedDown);
    const priorities = Float64Array.from(kept, (variable) => source.priority(picker, variable));
    source.back(picker, left);
    if (kept.length === 0) return undefined;
    const phase = { number, picked: kept, priorities, ...turned };
    flights.begin(number, { picker, picked: kept });
    number += 1;
    return phase;
  };
  return {
    inFlight: flights.inFlight,
    get poolSize() {
      return poolSize.size;
    },
    /** Candidates that the next phase will be made of. */
    get pending(): Iterable<number> {
      return pool?.candidates ?? [];
    },
    candidates(prng: Prng): Int32Array {
      if (correlations === undefined || isFull()) return new Int32Array(0);
      pool ??= draw(prng);
      return pool === undefined ? new Int32Array(0) : Int32Array.from(unknown(pool));
    },
    next(prng: Prng): Phase | undefined {
      while (!isFull()) {
        const own = pool ?? draw(prng);
        pool = undefined;
        if (own === undefined) return undefined;
        const phase = begin(own);
        if (phase !== undefined) return phase;
        blocked += 1;
        if (isFull()) return undefined;
        pool = draw(prng);
        if (pool === undefined || unknown(pool).length > 0) return undefined;
      }
      return undefined;
    },
    done(phase: number, changes: Float64Array): void {
      const { picker, picked } = flights.end(phase, changes.length);
      blocked = 0;
      source.learn(picker, picked, changes);
    },
    /** Gives candidates back that were drawn by priorities that do not hold any more. */
    dropPool(): void {
      if (pool !== undefined) source.back(pool.picker, pool.candidates);
      pool = undefined;
    },
  };
}
