// The classes' weights of medlda: a K × K system a class, summed over all documents in their order,
// and a draw. On several hosts a class goes from host to host, each adds its documents, and the
// last one draws; L classes are on each host at a time:
//
//   step 0     step 1     step 2     step 3
//   host 0: A  host 0: B  host 0: C            A, B, C: groups of L classes. The order of a sum is
//              host 1: A  host 1: B  host 1: C that of one host alone.
import { assert } from '../../base/assert.ts';
import type { Range } from '../../base/ranges.ts';
import type { ScheduleContext } from '../../program/program.ts';
import { ranges } from '../../scheduler/rotation.ts';
import { corpusOf } from '../lda/layout.ts';
import { hostOfWorker } from '../mf/hosts.ts';
import { documentsHere } from './counts.ts';
import {
  callsOf,
  lanesOf,
  rowBytesOf,
  streamOf,
  systemBytes,
  type MedldaContext,
  type MedldaOptions,
} from './layout.ts';

export type WeightsWork = {
  readonly kind: 'weights';
  readonly classes: Range;
  /** Their mean counts for what is saved. */
  readonly summed: boolean;
  /** Of the random numbers. */
  readonly round: number;
};
type Draw = Pick<WeightsWork, 'summed' | 'round'>;
type Scheduling = Pick<
  ScheduleContext<MedldaOptions, unknown>,
  'data' | 'hosts' | 'share' | 'options'
>;

/** Works of the steps, for the workers of all hosts. */
export function* weightsSteps(ctx: Scheduling, draw: Draw): Generator<readonly WeightsWork[]> {
  const { hosts } = ctx;
  const { length } = corpusOf(ctx.data).classes;
  const group = hosts.length === 1 ? length : lanesOf(ctx, length);
  const groups = Math.ceil(length / group);
  for (let step = 0; step < groups + hosts.length - 1; step++) {
    yield hosts.flatMap(({ first: worker, last }, host) => {
      const at = step - host;
      const isHere = at >= 0 && at < groups;
      const from = isHere ? at * group : 0;
      const to = isHere ? Math.min(length, from + group) : 0;
      return ranges(to - from, last - worker).map((own) => {
        const classes = { first: from + own.first, last: from + own.last };
        return { kind: 'weights', classes, ...draw } as const;
      });
    });
  }
  ctx.share('eta', 0, length * rowBytesOf(ctx.options));
}

/** Where the system of class t is; `skip`: in the buffer, for it goes from host to host. */
function systemOf(ctx: MedldaContext, t: number) {
  const { hosts, options, state } = ctx;
  if (hosts.length === 1) return { system: state.system, skip: 0 };
  const lanes = lanesOf(ctx, corpusOf(ctx.data).classes.length);
  const lineOf = (Math.floor(t / lanes) % hosts.length) * lanes + (t % lanes);
  const skip = lineOf * systemBytes(options);
  return { system: ctx.buffer('systems') + skip, skip };
}

/** Adds this host's documents to class t; the last host draws η. */
export function drawWeights(ctx: MedldaContext, t: number, { round, summed }: Draw): void {
  const { kernels, arena, state, options, hosts } = ctx;
  const { plan, work, random } = state;
  const { topics } = options;
  const host = hostOfWorker(ctx, ctx.worker);
  const { system, skip } = systemOf(ctx, t);
  const side = system + topics * topics * 8;
  for (const { first, last } of callsOf(ctx, documentsHere(ctx))) {
    kernels.medlda_system(t, first, last, plan, system, side, work);
  }
  const next = hosts[host + 1];
  if (next !== undefined) return ctx.share('systems', skip, systemBytes(options), next.first);
  assert(kernels.cholesky(topics, system) === 0, 'medlda: I + Σ z̄ z̄ᵀ c² / λ is positive');
  const prng = streamOf(ctx, round, t);
  arena.i32.set([prng.uint32(), prng.uint32()], random / 4);
  const skipped = t * topics * 8;
  const sums = summed ? ctx.buffer('etaSums') + skipped : 0;
  kernels.medlda_weights(t, plan, system, side, sums, work, random);
  ctx.share('eta', t * rowBytesOf(options), rowBytesOf(options));
  if (summed) ctx.share('etaSums', skipped, topics * 8);
}
