// Collects what one thread of a scheduled run shares with other hosts, until its mailbox takes it:
// who is to have it, and which bytes. On one host there is nobody to share with.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Shared } from '../mailbox/messages.ts';
import { recordKind, type DeltaLog } from '../store/delta-log.ts';
import type { Arena } from '../memory/arena.ts';
import { hostsOf, type RunPlan } from './plan.ts';
import type { Sharing } from './program.ts';
import { openSpaces, type Part } from './spaces.ts';

/** Parts of one message: three numbers of 5 bytes each leave half of it free. */
const partsMax = Math.floor(limits.messageBytesMax / 32);

/** `to` of what all other hosts are to have. */
export const everyone = -1;

type PushLog = { readonly worker: number; readonly clock: number; readonly used: number };

export type OpenSharing = Sharing & {
  /** Shares the rows that a log has deltas of, for they have been folded in. */
  shareFolded(arena: Arena, log: DeltaLog): void;
  /** What was shared since the last call; `log`: and the deltas of a push. */
  take(log?: PushLog): readonly Shared[];
};

const alone: OpenSharing = {
  share: () => undefined,
  shareFolded: () => undefined,
  take: () => [],
};

/** One space after the other, without gaps or doubles between parts that touch. */
function merge(parts: Part[]): readonly Part[] {
  parts.sort((a, b) => a.space - b.space || a.from - b.from);
  const merged: Part[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (last?.space === part.space && part.from <= last.from + last.bytes) {
      const bytes = Math.max(last.bytes, part.from + part.bytes - last.from);
      merged[merged.length - 1] = { ...last, bytes };
    } else merged.push(part);
  }
  return merged;
}

/** `scheduler`: what is shared without a target is for everyone, not for the scheduler's host. */
export function openSharing(plan: RunPlan, role: 'worker' | 'scheduler' = 'worker'): OpenSharing {
  const { cluster, tables } = plan;
  if (cluster === undefined || cluster.size === 1) return alone;
  const spaces = openSpaces(plan);
  const rankOf = (worker: number) => {
    const of = hostsOf(plan).findIndex(({ first, last }) => first <= worker && worker < last);
    if (of >= 0) return of;
    const rule = `share: workers are 0 to ${cluster.workers - 1}`;
    throw new SystemError('ERR_PROGRAM', `${rule}, got ${worker}`);
  };
  const collected = new Map<number, Part[]>();
  const add = (to: number, part: Part) => {
    if (to === cluster.rank || part.bytes === 0) return;
    const parts = collected.get(to) ?? [];
    collected.set(to, parts);
    parts.push(part);
  };
  const usual = role === 'worker' ? 0 : everyone;
  return {
    share(name, from, bytes, to) {
      const part = { space: spaces.numberOf(name), from, bytes };
      spaces.at(part);
      add(to === undefined ? usual : rankOf(to), part);
    },
    shareFolded(arena, log) {
      for (const { table, kind, first, count, keys } of log.records(tables)) {
        const { rowBytes = 0, access } = tables[table] ?? {};
        if (access === 'owned' || access === 'none') continue;
        // Entries and spans are of one row, `first`.
        const run = kind === recordKind.range ? count : 1;
        const listed = kind === recordKind.rows;
        const rows = listed ? arena.i32.subarray(keys / 4, keys / 4 + count) : [first];
        for (const row of rows) {
          add(usual, { space: table, from: row * rowBytes, bytes: run * rowBytes });
        }
      }
    },
    take(log) {
      if (log) {
        const space = spaces.logOf(log.worker, log.clock);
        add(usual, { space, from: 0, bytes: log.used });
      }
      const shared: Shared[] = [];
      for (const [to, parts] of collected) {
        const merged = merge(parts);
        for (let i = 0; i < merged.length; i += partsMax) {
          const numbers = merged.slice(i, i + partsMax);
          const flat = numbers.flatMap(({ space, from, bytes }) => [space, from, bytes]);
          shared.push({ kind: 'shared', to, parts: flat });
        }
      }
      collected.clear();
      return shared;
    },
  };
}
