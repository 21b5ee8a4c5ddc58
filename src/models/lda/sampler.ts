// The two samplers of a token's topic, and what each keeps in scratch. Both draw from the same
// posterior; parts, blocks, rows and totals are the same for both.
//
//   exact   assembly/lda/sample.ts      a draw from the conditional: costs the document's topics
//   mh      assembly/lda/proposals.ts   proposals, accepted or not: costs the same for any document
import { assert } from '../../base/assert.ts';
import type { Kernels } from '../../memory/signatures.ts';
import type { Context } from '../../program/program.ts';
import type { LdaOptions, LdaShape, SamplerName } from './layout.ts';

/** Bytes from the plan's beginning to what it points to. */
const planBytes = 128;
/** Of mh: tokens of a visit of a word (VISIT), and proposals of each kind a token. */
const visitTokens = 16_384;
const mhSteps = 2;

type Place = Context<LdaOptions>;
/** A plan in a thread's scratch, and what makes room there, zeroed. */
type Scratch = {
  readonly shape: LdaShape;
  readonly at: number;
  readonly room: (bytes: number) => number;
};

export type Sampler = {
  readonly documentBytes: Kernels['lda_document_bytes'];
  readonly place: Kernels['lda_place'];
  readonly begin: Kernels['lda_begin'];
  readonly sample: Kernels['lda_sample'];
  /** Bytes of a part's `topics`, by token. */
  readonly topicBytes: number;
  /** Writes the words of the plan that are the sampler's own. */
  readonly plan: (ctx: Place, to: Scratch) => void;
};

/** What a sampler keeps by topic, `found` for so many of a word: assembly/lda/sample.ts. */
function planSums({ arena }: Place, { shape, at, room }: Scratch, found = shape.topics) {
  const { topics, padded } = shape;
  const [q, counts, marks, list] = [padded * 4, topics * 4, topics, found * 4].map(room);
  const [sums, tops] = [(padded / 32) * 8, Math.ceil(padded / 1024) * 8].map(room);
  const running = room(Math.min(topics, shape.tokensMax) * 4);
  arena.i32.set([q, counts, marks, list, sums, tops, running] as number[], at / 4 + 10);
}

/** The same, for the first pass, and what assembly/lda/proposals.ts draws from. */
function planMh(ctx: Place, to: Scratch): void {
  const { room, at } = to;
  const { topics } = to.shape;
  planSums(ctx, to, Math.max(topics, visitTokens));
  const [own, ends, kinds, guide] = [visitTokens, topics, topics, 2 * topics + 2].map((count) =>
    room(count * 4),
  );
  const alpha = [topics * 8, topics * 4].map(room);
  ctx.arena.i32.set([mhSteps, own, ends, kinds, guide, ...alpha] as number[], at / 4 + 25);
}

const samplers: Readonly<Record<SamplerName, (kernels: Kernels) => Sampler>> = {
  exact: (kernels) => ({
    documentBytes: kernels.lda_document_bytes,
    place: kernels.lda_place,
    begin: kernels.lda_begin,
    sample: kernels.lda_sample,
    topicBytes: 4,
    plan: (ctx, to) => planSums(ctx, to),
  }),
  mh: (kernels) => ({
    documentBytes: kernels.lda_mh_bytes,
    place: kernels.lda_mh_place,
    begin: kernels.lda_mh_begin,
    sample: kernels.lda_mh_sample,
    ...{ topicBytes: 0, plan: planMh },
  }),
};

export const samplerOf = ({ kernels, options }: Pick<Place, 'kernels' | 'options'>): Sampler =>
  samplers[options.sampler](kernels);

/** The sampler's plan, in this thread's scratch. What the kernel finds zeroed it leaves so. */
export function openPlan(ctx: Place, shape: LdaShape): number {
  const { arena, scratch, buffer } = { ...ctx, buffer: ctx.buffer.bind(ctx) };
  let top = scratch.at + planBytes;
  const room = (bytes: number) => {
    const at = top;
    top += (bytes + 79) & ~15;
    assert(top - scratch.at <= scratch.bytes, 'what a sampler keeps by topic fits scratch');
    arena.u8.fill(0, at, top);
    return at;
  };
  arena.u8.fill(0, scratch.at, top);
  const tables = ['rows', 'lengths', 'entries', 'alpha32'].map((name) => buffer(name));
  arena.i32.set([shape.topics, shape.bits, 0, 0, 0, ...tables], scratch.at / 4);
  samplerOf(ctx).plan(ctx, { shape, at: scratch.at, room });
  return scratch.at;
}
