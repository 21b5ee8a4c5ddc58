// Ratings from files: triples `user item rating`, or a Matrix Market coordinate matrix. On several
// hosts each parses a share of the chunks; what a host needs of the others' depends on the model.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { RatingBlock, Ratings } from './dataset.ts';
import { noWording, parseFiles, probeFiles, requireFormat, requireRows } from './load/files.ts';
import type { FilePlan, PlacedPiece } from './load/files.ts';
import { withSession, type Host, type Session, type Watch } from './load/session.ts';
import { blocksSink } from './load/text-samples.ts';
import type { Format, MtxShape, Probe, Step } from './tasks.ts';

/** What a test set takes over from the training set. */
export type RatingsFacts = Pick<Ratings, 'users' | 'items' | 'userBase' | 'itemBase'>;

export type RatingsOptions = Watch & {
  /** 'ratings' or 'mtx'; detected from the content when absent. */
  readonly format?: Format;
  /** The training set: its users and items; ids that it does not have get index −1. */
  readonly like?: RatingsFacts;
};

export type LoadedRatings = Ratings & {
  readonly format: Format;
  readonly warnings: readonly string[];
};

function planOf(probe: Probe): FilePlan {
  const anyId = 2 ** 31 - 2;
  const rules = {
    ...{ kind: 'triples' as const, strict: false, fields: 3 as const, labels: false },
    ...{ least: 0, userMax: anyId, itemMax: anyId, promised: Infinity },
  };
  if (probe.format !== 'mtx') {
    return { probe, rules, sink: blocksSink, wording: { ...noWording, format: 'ratings' } };
  }
  return mtxTriples(probe);
}

/** The plan of a coordinate file whose entries become triples, its values counts or any numbers. */
export function mtxTriples(probe: Probe, counts = false): FilePlan {
  const { layout, pattern, rows, columns, entries } = probe.shape as MtxShape;
  const format = probe.format === 'bow' ? 'bow' : 'mtx';
  if (layout !== 'coordinate') {
    const what = counts ? 'a corpus is' : 'ratings are';
    const rule = `${what} a Matrix Market file in coordinate layout`;
    throw new SystemError('ERR_DATA', `${probe.path}:1:1: ${rule}; found "array"`);
  }
  return {
    probe,
    sink: blocksSink,
    wording: { ...noWording, format, rows, columns, entries },
    rules: {
      ...{ kind: 'triples', strict: true, fields: pattern ? 2 : 3, labels: false },
      ...{ least: 1, userMax: rows, itemMax: columns, promised: entries, counts },
    },
  };
}

function least(pieces: readonly PlacedPiece[], of: (piece: PlacedPiece) => number): number {
  return pieces.reduce((low, piece) => Math.min(low, of(piece)), Infinity);
}

function most(pieces: readonly PlacedPiece[], of: (piece: PlacedPiece) => number): number {
  return pieces.reduce((high, piece) => Math.max(high, of(piece)), -Infinity);
}

/** Number of users and items and the ids of the first ones. */
function extentOf(probes: readonly Probe[], pieces: readonly PlacedPiece[], like?: RatingsFacts) {
  if (like !== undefined) return like;
  const shapes = probes.flatMap(({ shape }) => (shape?.kind === 'mtx' ? [shape] : []));
  if (shapes.length > 0) {
    const users = Math.max(...shapes.map(({ rows }) => rows));
    return {
      users,
      items: Math.max(...shapes.map(({ columns }) => columns)),
      userBase: 1,
      itemBase: 1,
    };
  }
  const userBase = least(pieces, ({ lowest }) => lowest);
  const itemBase = least(pieces, ({ lowestItem }) => lowestItem);
  const users = most(pieces, ({ highest }) => highest) - userBase + 1;
  const items = most(pieces, ({ highestItem }) => highestItem) - itemBase + 1;
  return { users, items, userBase, itemBase };
}

function rebase(pieces: readonly PlacedPiece[], extent: RatingsFacts): Step[] {
  const { users, items, userBase, itemBase } = extent;
  return pieces
    .filter(({ here }) => here)
    .flatMap(({ rows: n, target, index }) => [
      { op: 'rebase', n, base: userBase, count: users, at: target },
      { op: 'rebase', n, base: itemBase, count: items, at: index },
    ]);
}

/** Room for a block of another host: its pages are touched when it is filled. */
function reserve({ arena }: Session, count: number): RatingBlock {
  const user = arena.allocate(count * 4);
  const item = arena.allocate(count * 4);
  return { count, user, item, value: arena.allocate(count * 4) };
}

function blocksOf(session: Session, pieces: readonly PlacedPiece[]): RatingBlock[] {
  const alone = session.world.size === 1;
  return pieces.map(({ rows: count, target: user, index: item, value, holder, here }) => {
    if (alone) return { count, user, item, value };
    if (here) return { count, user, item, value, holder };
    return { ...reserve(session, count), holder, away: true };
  });
}

function unknownIds(
  pieces: readonly PlacedPiece[],
  { users, items, userBase, itemBase }: RatingsFacts,
) {
  const outside = (low: number, high: number, base: number, count: number) =>
    low < base || high >= base + count;
  const known = pieces.every(
    (piece) =>
      !outside(piece.lowest, piece.highest, userBase, users) &&
      !outside(piece.lowestItem, piece.highestItem, itemBase, items),
  );
  return known
    ? []
    : ['ratings of users or items that the training data does not have are kept as unknown'];
}

async function load(session: Session, probes: readonly Probe[], options: RatingsOptions) {
  const parsed = await parseFiles(session, probes.map(planOf), 'shared');
  const { pieces, rows: count } = parsed;
  const path = probes[0]?.path ?? '';
  requireRows(count, path);
  const extent = extentOf(probes, pieces, options.like);
  if (Math.max(extent.users, extent.items) > limits.columnsMax) {
    const found = `ids that span ${extent.users} users and ${extent.items} items`;
    const rule = `at most ${limits.columnsMax} users and items; renumber the ids from 0`;
    throw new SystemError('ERR_LIMIT', `${path}: ${rule}; found ${found}`);
  }
  await session.steps(rebase(pieces, extent));
  const { users, items, userBase, itemBase } = extent;
  const format = probes[0]?.format ?? 'ratings';
  return {
    ...{ kind: 'ratings' as const, format, count, users, items, userBase, itemBase },
    mean: pieces.reduce((sum, piece) => sum + piece.sum, 0) / count,
    minimum: least(pieces, ({ minimum }) => minimum),
    maximum: most(pieces, ({ maximum }) => maximum),
    blocks: blocksOf(session, pieces),
    warnings: unknownIds(pieces, extent),
  };
}

/**
 * Loads ratings into the arena.
 *
 *     const train = await loadRatings(['ratings.csv'], {}, { arena, pool });
 *     const test = await loadRatings(['test.csv'], { like: train }, { arena, pool });
 *
 * Lines are `user item rating`, separated by blanks, a comma or `::`; what follows is skipped. Ids
 * are non-negative integers; the smallest one is index 0. Files follow one another. With
 * `host.world` all its hosts call this at once and each parses its share of the blocks.
 * @throws ERR_DATA `file:line:column: rule; found "text"` for the first violation in file order,
 *   ERR_CONFIG for a format that has no ratings, ERR_LIMIT when the memory is full, ERR_ABORTED.
 */
export async function loadRatings(
  paths: readonly string[],
  options: RatingsOptions,
  host: Host,
): Promise<LoadedRatings> {
  const { format } = options;
  if (format !== undefined) requireFormat(format, ['ratings', 'mtx'], 'ratings');
  const ask = { purpose: 'ratings' as const, ...(format !== undefined && { format }) };
  return withSession(host, options, async (session) => {
    const probes = await probeFiles(session, paths, ask);
    requireFormat(probes[0].format, ['ratings', 'mtx'], 'ratings');
    session.expect(probes.reduce((sum, probe) => sum + probe.bytes, 0));
    return load(session, probes, options);
  });
}
