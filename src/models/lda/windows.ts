// Windows of a part's documents: what is sampled in all strata before the next is. A small corpus
// is one window, a larger one has so many that one fits a near cache, or memory.
// A window is an image, of which training changes the first half:
//
//   region   [ topics of tokens │ documents │ starts by word │ places of tokens ]
//              └──── changing ────┘          └──── stays ────┘
//
//   in memory    every window has a region for the middle two; topics lie where the documents'
//                topics are saved in the end, and places where their counts are: nobody needs them
//                any more by then, and there are as many or more
//   in a file    the windows of a part share a region: enter reads the image, leave writes what
//                changed
//
//   file `part-A`   image of window 0 │ image of window 1 │ …        beside the documents' file
import { dirname, join } from 'node:path';
import { SystemError } from '../../base/errors.ts';
import { rangeOf, type Range } from '../../base/ranges.ts';
import type { Corpus, CorpusBlock } from '../../data/dataset.ts';
import { blockAt, blockBytes, type Spill } from '../../data/spill/layout.ts';
import { withSpill, type Extent } from '../../data/spill/file.ts';
import type { Arena } from '../../memory/arena.ts';
import {
  blockStart,
  corpusOf,
  line,
  lineOf,
  tooLong,
  windowLine,
  type LdaContext,
  type LdaShape,
} from './layout.ts';
import { samplerOf } from './sampler.ts';

const spillOf = (ctx: Pick<LdaContext, 'data'>): Spill | undefined => corpusOf(ctx.data).spill;

/** Bytes of the largest block that lies in a file. */
export function stagingBytes({ spill }: Corpus): number {
  return (spill?.blocks ?? []).reduce((most, block) => Math.max(most, blockBytes(block)), 0);
}

type Source = { readonly arena: Arena; readonly data: Corpus; readonly staging: number };
type Segment = (block: CorpusBlock, first: number, last: number) => void;

/** Calls `each` with the rows [first, last) of every block that has documents of a range. */
export function segments({ arena, data, staging }: Source, range: Range, each: Segment): void {
  const { spill } = data;
  let before = data.first;
  const visit = <B extends Pick<CorpusBlock, 'documents'>>(
    block: B,
    bring: (block: B) => CorpusBlock,
  ) => {
    const first = Math.max(range.first - before, 0);
    const last = Math.min(range.last - before, block.documents);
    before += block.documents;
    if (last > first) each(bring(block), first, last);
  };
  for (const block of data.blocks) visit(block, (here) => here);
  for (const block of spill?.blocks ?? []) {
    visit(block, (there) => {
      const whole = { at: there.at, address: staging, bytes: blockBytes(there) };
      withSpill(arena, { path: spill?.path ?? '', mode: 'read' }, (file) => file.read(whole));
      return blockAt(there, staging);
    });
  }
}

export const documentsOf = (ctx: Pick<LdaContext, 'data' | 'partitions'>, part: number): Range =>
  rangeOf(corpusOf(ctx.data).documents, ctx.partitions, part);

/** Documents of window `window` of a part. */
function documentsIn(ctx: LdaContext, part: number, window: number): Range {
  const { first, last } = documentsOf(ctx, part);
  const own = rangeOf(last - first, ctx.options.windows, window);
  return { first: first + own.first, last: first + own.last };
}

const sourceOf = (ctx: LdaContext): Source => {
  return { arena: ctx.arena, data: corpusOf(ctx.data), staging: ctx.state.staging };
};

const padded = (bytes: number) => Math.ceil(bytes / 16) * 16;

/** Bytes of documents [first, last) of a block. */
function documentBytes(
  ctx: LdaContext,
  shape: LdaShape,
  ...[block, first, last]: Parameters<Segment>
) {
  const most = Math.min(shape.tokensMax, 2 ** 31 - 1);
  const { rowStart, count } = block;
  const bytes = samplerOf(ctx).documentBytes(first, last, shape.topics, most, rowStart, count);
  if (bytes < 0) throw tooLong(shape);
  return bytes;
}

function tokensOf({ kernels, arena }: LdaContext, ...[block, first, last]: Parameters<Segment>) {
  const [from = 0, to = 0] = [first, last].map((row) => arena.i32[block.rowStart / 4 + row]);
  return kernels.i32_total(to - from, block.count + from * 4);
}

/** Of a part's window: kernels count bytes of documents in an i32. */
const windowBytesMax = 2 ** 31 - 2 ** 20;

function tooLarge(bytes: number): SystemError {
  const rule = `a part's window of documents has at most ${windowBytesMax} bytes, got ${bytes}`;
  return new SystemError('ERR_LIMIT', `${rule}: use a smaller --window or more --partitions`);
}

/** Sizes of a part's windows; how often each word occurs is added to counts (V × i32). */
export function sizePart(ctx: LdaContext, part: number, counts: number): void {
  const { kernels } = ctx;
  const { shape } = ctx.state;
  const lines = windowLine(ctx, part);
  for (let window = 0; window < ctx.options.windows; window++) {
    const range = documentsIn(ctx, part, window);
    let [documents, tokens] = [0, 0];
    segments(sourceOf(ctx), range, (block, first, last) => {
      ctx.poll();
      const { rowStart, index, count } = block;
      kernels.lda_count(first, last, rowStart, index, count, counts);
      documents += documentBytes(ctx, shape, block, first, last);
      tokens += tokensOf(ctx, block, first, last);
    });
    const changing = padded(tokens * samplerOf(ctx).topicBytes) + padded(documents);
    const bytes = changing + padded((shape.words + 1) * 4) + padded(tokens * 4);
    if (bytes > windowBytesMax) throw tooLarge(bytes);
    lines(window).set([0, 0, 0, 0, range.last - range.first, tokens, changing, bytes]);
  }
}

/** Moves the image of a window, or its first bytes, between memory and the file of its part. */
function moveImage(
  ctx: LdaContext,
  { path, part, window }: { readonly path: string; readonly part: number; readonly window: number },
  [mode, bytes]: readonly ['read' | 'write', number],
): void {
  const lines = windowLine(ctx, part);
  let at = 0;
  for (let before = 0; before < window; before++) at += lines(before)[line.bytes]!;
  const image: Extent = { at, address: lines(window)[line.topics]!, bytes };
  const file = { path: join(dirname(path), `part-${part}`), mode };
  withSpill(ctx.arena, file, (open) => open[mode](image));
}

/** Bytes of a window's topics of tokens: a sampler may keep them in the documents. */
const topicsBytes = (ctx: LdaContext, own: Uint32Array) =>
  padded(own[line.tokens]! * samplerOf(ctx).topicBytes);

/** Where the parts of an image go whose first is at `region`. */
function placeImage(ctx: LdaContext, own: Uint32Array, region: number): void {
  const starts = region + own[line.changing]!;
  const documents = region + topicsBytes(ctx, own);
  const places = starts + padded((ctx.state.shape.words + 1) * 4);
  own.set([places, region, starts, documents]);
}

/** Where they go that stay in memory, `before` tokens after this host's first. */
function placeInMemory(ctx: LdaContext, own: Uint32Array, before: number): void {
  const { arena } = ctx;
  const documents = arena.allocate(own[line.changing]! - topicsBytes(ctx, own));
  const starts = arena.allocate((ctx.state.shape.words + 1) * 4);
  const [topics, places] = ['docTopics', 'docCounts'].map((name) => ctx.buffer(name) + before * 4);
  own.set([places!, topics!, starts, documents]);
}

/** Tokens of this host's documents before part `part`. */
function tokensBefore(ctx: LdaContext, part: number): number {
  const { first } = corpusOf(ctx.data);
  let tokens = 0;
  segments(sourceOf(ctx), { first, last: documentsOf(ctx, part).first }, (block, from, to) => {
    tokens += to - from === block.documents ? block.tokens : tokensOf(ctx, block, from, to);
  });
  return tokens;
}

/** Documents of a window without topics, and their tokens by word, where its line says. */
function buildWindow(ctx: LdaContext, own: Uint32Array, range: Range): void {
  const { kernels, arena } = ctx;
  const { cursors, shape } = ctx.state;
  const { words, topics } = shape;
  const [places = 0, topicsAt = 0, starts = 0, documents = 0] = own;
  arena.u8.fill(0, cursors, cursors + words * 4);
  segments(sourceOf(ctx), range, ({ rowStart, index, count }, first, last) => {
    kernels.lda_count(first, last, rowStart, index, count, cursors);
  });
  kernels.lda_starts(words, cursors, starts);
  let place = 0;
  segments(sourceOf(ctx), range, ({ rowStart, index, count }, first, last) => {
    ctx.poll();
    place = samplerOf(ctx).place(
      ...([first, last, topics, place, rowStart, index, count, cursors] as const),
      ...([documents, places, topicsAt] as const),
    );
  });
}

/** All windows of a part whose sizes are known. */
export function buildPart(ctx: LdaContext, part: number): void {
  const { arena, options } = ctx;
  const spill = spillOf(ctx);
  const lines = windowLine(ctx, part);
  const all = Array.from({ length: options.windows }, (_, window) => lines(window));
  const region = spill && arena.allocate(Math.max(...all.map((own) => own[line.bytes]!)));
  let before = region === undefined ? tokensBefore(ctx, part) : 0;
  for (const [window, own] of all.entries()) {
    if (region === undefined) placeInMemory(ctx, own, before);
    else placeImage(ctx, own, region);
    before += own[line.tokens]!;
    buildWindow(ctx, own, documentsIn(ctx, part, window));
    if (spill) moveImage(ctx, { ...spill, part, window }, ['write', own[line.bytes]!]);
  }
}

/** How many tokens of part `part` each block of the words has, in the window in turn. */
function countBlocks(ctx: LdaContext, part: number): void {
  const { arena, partitions: grid } = ctx;
  const starts = lineOf(ctx, part)[line.starts]!;
  for (let block = 0; block < grid; block++) {
    const ends = [blockStart(ctx, block), blockStart(ctx, block + 1)];
    const [from = 0, to = 0] = ends.map((word) => arena.i32[starts / 4 + word] ?? 0);
    arena.i32[ctx.buffer('blockTokens') / 4 + part * grid + block] = to - from;
  }
  ctx.share('blockTokens', part * grid * 4, grid * 4);
}

/** Window `window` of a part is in turn. */
export function enterWindow(ctx: LdaContext, part: number, window: number): void {
  const own = windowLine(ctx, part)(window);
  const spill = spillOf(ctx);
  lineOf(ctx, part).set(own);
  if (spill) moveImage(ctx, { ...spill, part, window }, ['read', own[line.bytes]!]);
  countBlocks(ctx, part);
}

/** What has changed in the window in turn goes to its file, if it has one. */
export function leaveWindow(ctx: LdaContext, part: number, window: number): void {
  const spill = spillOf(ctx);
  if (spill === undefined) return;
  moveImage(ctx, { ...spill, part, window }, ['write', lineOf(ctx, part)[line.changing]!]);
}
