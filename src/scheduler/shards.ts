// Several schedulers for very wide models: the variables are cut into ranges, and who picks among
// those of a range is a shard, beside the worker that has it, on any thread or host. What costs
// with the number of variables, priorities and draws, is there; the coordinator, in the program's
// scheduler, has only what was proposed and what is in flight.
//
//   coordinator ── order {in flight, ended, left} ──▶ shard s      as part of a work
//               ◀── proposal {candidates, priorities} ──           as part of its partial
//               filter against all flights of all shards ──▶ phase
//
// A proposal is made while earlier phases are being updated, so it costs no time of its own. Shards
// are as many as the program says, not as workers, and draw from the seed that an order brings: so
// what is picked does not depend on who does it.
import { SystemError } from '../base/errors.ts';
import { createPrng, type Prng } from '../base/prng.ts';
import { rangeOf, type Range } from '../base/ranges.ts';
import { createDispatcher, type Source } from './dispatch.ts';
import {
  checkOptions,
  createPicker,
  dispatchOptions,
  type Schedule,
  type ScheduleOptions,
} from './schedule.ts';

/** Plain data: it travels in a work. */
export type PlanOrder = {
  readonly shard: number;
  readonly count: number;
  readonly seed: number;
  /** Variables of its range in flight. */
  readonly inFlight: readonly number[];
  /** What has ended since its last order: its variables, and their |Δ|. */
  readonly ended: readonly number[];
  readonly changes: readonly number[];
  /** Proposed and not picked. */
  readonly left: readonly number[];
};

/** Plain data: it travels in a partial. */
export type Proposal = {
  readonly shard: number;
  readonly candidates: readonly number[];
  readonly priorities: readonly number[];
};

export type Shard = {
  readonly range: Range;
  plan(order: PlanOrder): Proposal;
  /** Of the variables of the range, from a program that knows better. */
  setPriorities(values: Float64Array): void;
};

export function createShard(options: ScheduleOptions, shard: number): Shard {
  const { variables, schedulers = 1 } = options;
  const range = rangeOf(variables, schedulers, shard);
  const picker = createPicker(options, range);
  return {
    range,
    plan({ count, seed, inFlight, ended, changes, left }) {
      picker.learn(Int32Array.from(ended), Float64Array.from(changes));
      picker.back(left);
      const candidates = picker.take(createPrng(seed), count, new Set(inFlight));
      const priorities = Array.from(candidates, (variable) => picker.priority(variable));
      return { shard, candidates: Array.from(candidates), priorities };
    },
    setPriorities: (values) => picker.setPriorities(values),
  };
}

export type Coordinator = Omit<Schedule, 'setPriorities'> & {
  /** What shards are to do now: those of which no proposal is left and none is under way. */
  orders(prng: Prng): readonly PlanOrder[];
  propose(proposals: Iterable<Proposal>): void;
};

type Post = {
  readonly range: Range;
  /** An order is under way. */
  asked: boolean;
  proposal: Proposal | undefined;
  ended: number[];
  changes: number[];
  left: number[];
};

export function createCoordinator(options: ScheduleOptions): Coordinator {
  checkOptions(options);
  const { variables, schedulers = 1 } = options;
  const posts = Array.from({ length: schedulers }, (_, s): Post => {
    const range = rangeOf(variables, schedulers, s);
    return { range, asked: false, proposal: undefined, ended: [], changes: [], left: [] };
  });
  let turn = 0;
  let drawn = new Map<number, number>();
  const source: Source = {
    draw() {
      for (let tried = 0; tried < schedulers; tried++) {
        const picker = turn;
        turn = (turn + 1) % schedulers;
        const post = posts[picker]!;
        const { candidates = [], priorities = [] } = post.proposal ?? {};
        post.proposal = undefined;
        if (candidates.length === 0) continue;
        drawn = new Map(candidates.map((variable, i) => [variable, priorities[i] ?? 0]));
        return { picker, candidates: Int32Array.from(candidates) };
      }
      return undefined;
    },
    back: (picker, left) => void posts[picker]!.left.push(...left),
    learn(picker, picked, changes) {
      posts[picker]!.ended.push(...picked);
      posts[picker]!.changes.push(...changes);
    },
    priority: (_, variable) => drawn.get(variable) ?? 0,
  };
  const dispatcher = createDispatcher(source, dispatchOptions(options));
  return {
    candidates: dispatcher.candidates,
    next: dispatcher.next,
    done: dispatcher.done,
    orders(prng) {
      const orders: PlanOrder[] = [];
      const count = dispatcher.poolSize;
      posts.forEach((post, shard) => {
        if (post.asked || post.proposal !== undefined) return;
        const { range, ended, changes, left } = post;
        const own = (variable: number) => range.first <= variable && variable < range.last;
        const inFlight = [...dispatcher.inFlight, ...dispatcher.pending].filter(own);
        const seed = prng.uint32();
        orders.push({ shard, count, seed, inFlight, ended, changes, left });
        Object.assign(post, { asked: true, ended: [], changes: [], left: [] });
      });
      return orders;
    },
    propose(proposals) {
      for (const proposal of proposals) {
        const post = posts[proposal.shard];
        if (post?.asked !== true) {
          const what = `schedule: shard ${proposal.shard} proposes without an order`;
          throw new SystemError('ERR_PROGRAM', `${what}: give each order to one shard once`);
        }
        post.asked = false;
        post.proposal = proposal;
      }
    },
  };
}
