// The counts of a run on the parameter server as they are saved: each host has written those of its
// parts, at the places that they have among all hosts'; here the hosts tell each other.
import { rangeOf } from '../../../base/ranges.ts';
import { together } from '../../../base/together.ts';
import { partitionsOf } from '../../../base/world.ts';
import type { Corpus } from '../../../data/dataset.ts';
import type { RunResult } from '../../../supervisor/host.ts';
import type { Session } from '../../model.ts';
import { sum, sumsAt } from '../layout.ts';

/** What each host says in one round. */
const pieceBytes = 4 * 1024 * 1024;

/** An array of i32 in this host's memory: host r has the cells from ends[r − 1] up to ends[r]. */
type Shared = { readonly at: number; readonly ends: readonly number[] };

function arraysOf({ world, host }: Session, { plan }: RunResult, data: Corpus): readonly Shared[] {
  const buffer = (name: string) => plan.buffers[name] ?? 0;
  const place = { arena: host.arena, buffer };
  const lastParts = world.threads.map((_, rank) => partitionsOf(world, plan.partitions, rank).last);
  const endsOf = (count: number) =>
    lastParts.map((last) => rangeOf(count, plan.partitions, last - 1).last);
  const entryEnds = (cell: number) =>
    lastParts.map((last) => {
      let entries = 0;
      for (let part = 0; part < last; part++) {
        entries += host.arena.f64[sumsAt(place, part) / 8 + cell] ?? 0;
      }
      return entries;
    });
  /** One start more than words or documents: the end of the last. */
  const startsOf = (count: number) =>
    endsOf(count).map((end, rank, all) => (rank === all.length - 1 ? end + 1 : end));
  const [words, documents] = [entryEnds(sum.wordEntries), entryEnds(sum.documentEntries)];
  return [
    { at: buffer('wordStarts'), ends: startsOf(data.words) },
    { at: buffer('wordTopics'), ends: words },
    { at: buffer('wordCounts'), ends: words },
    { at: buffer('docStarts'), ends: startsOf(data.documents) },
    { at: buffer('docTopics'), ends: documents },
    { at: buffer('docCounts'), ends: documents },
  ];
}

/** Makes the saved counts of all hosts complete. */
export function gatherCounts(session: Session, run: RunResult, data: Corpus): Promise<void> {
  const { world, host } = session;
  const { u8 } = host.arena;
  return together(world, 'counts', async (talk) => {
    if (world.size === 1) return;
    for (const { at, ends } of arraysOf(session, run, data)) {
      const bytes = ends.map((end, rank) => (end - (ends[rank - 1] ?? 0)) * 4);
      const from = ends.map((_, rank) => at + (ends[rank - 1] ?? 0) * 4);
      for (let done = 0; done < Math.max(...bytes); done += pieceBytes) {
        const pieceOf = (rank: number) => {
          const place = (from[rank] ?? 0) + done;
          const left = Math.max(0, Math.min(pieceBytes, (bytes[rank] ?? 0) - done));
          return { place, end: place + left };
        };
        const own = pieceOf(world.rank);
        const pieces = await talk.gather(u8.slice(own.place, own.end));
        pieces.forEach((piece, rank) => {
          if (rank !== world.rank) u8.set(piece, pieceOf(rank).place);
        });
      }
    }
  });
}
