// Entries `document word count` that are read into a file: they come in the order of documents, so
// a block is the entries of a chunk, less those of the document that began in the chunk before, and
// with those of its own last document that follow in the chunks behind.
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { mtxTriples } from '../load-ratings.ts';
import { parseFiles } from '../load/files.ts';
import type { Session } from '../load/session.ts';
import { rowsHere } from '../load/shares.ts';
import { runStride, type SpilledDocuments, type SpilledEntries } from '../spill/tasks.ts';
import type { Probe } from '../tasks.ts';
import { nowhere, type RawBlock } from './blocks.ts';

/** Documents [first, last) of these chunks, cut where their entries lie. */
function cutDocuments(
  chunks: readonly SpilledEntries[],
  path: string,
  { first, last }: { readonly first: number; readonly last: number },
): SpilledDocuments[] {
  const blocks: SpilledDocuments[] = [];
  let from = first;
  let lent = -1; // the document of a head that an earlier block has
  for (const [i, chunk] of chunks.entries()) {
    if (chunk.last === lent) continue; // all of it is of that document
    const { head, rest, tail } = chunk;
    const runs = chunk.first === lent ? [rest] : [head, rest];
    let entries = tail;
    let behind = i + 1;
    for (; chunks[behind]?.first === chunk.last; behind++) {
      const next = chunks[behind]!;
      runs.push(next.head);
      entries += next.head.entries;
      if (next.rest.entries > 0) break;
    }
    if (entries > limits.documentEntriesMax) {
      const most = `a document that is read into a file has at most ${limits.documentEntriesMax}`;
      const rule = `${most} entries; read into memory, or cut it into parts`;
      const found = `document ${chunk.last} has ${entries}`;
      throw new SystemError('ERR_LIMIT', `${path}: ${rule}; found ${found}`);
    }
    lent = chunk.last;
    const isLast = behind >= chunks.length;
    const to = isLast ? last : chunk.last;
    blocks.push({
      ...{ kind: 'documents', first: from, last: to },
      ...{ runs: runs.filter(({ entries: n }) => n > 0) },
      ...{ at: rest.at, room: 3 * runStride(rest.entries) },
    });
    from = to;
  }
  if (from < last) blocks.push({ kind: 'documents', first: from, last, runs: [], at: 0, room: 0 });
  return blocks;
}

/** All documents of a file of entries; those of this host lie in its file. */
export async function spillTriples(
  session: Session,
  probe: Probe,
  documents: number,
): Promise<RawBlock[]> {
  session.expect(probe.bytes);
  const here = rowsHere(session, documents);
  const plan = mtxTriples(probe, true);
  // Documents of the file begin with 1.
  const sink = { kind: 'documents', first: here.first + 1, last: here.last + 1 } as const;
  const rules = { ...plan.rules, ordered: 0 };
  const { pieces } = await parseFiles(session, [{ ...plan, rules, sink: () => sink }]);
  const chunks = pieces.flatMap(({ entries }) =>
    entries !== undefined && entries.tail > 0 ? [entries] : [],
  );
  const own = cutDocuments(chunks, probe.path, here).map((spilled): RawBlock => {
    return { ...nowhere(spilled.last - spilled.first), spilled };
  });
  const before = here.first > 0 ? [nowhere(here.first)] : [];
  return [...before, ...own, ...(here.last < documents ? [nowhere(documents - here.last)] : [])];
}
