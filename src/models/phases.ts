// Phases of a scheduled program over partitions: the same work for every partition, each on a
// worker of the host that has its rows.
import type { Range } from '../base/ranges.ts';
import type { ScheduleContext } from '../program/program.ts';
import { ranges } from '../scheduler/rotation.ts';

/** A phase with the partitions [first, last) that a worker does it for. */
export type Shared<Phase> = Phase & Range;
/** Steps of a schedule that return something. */
export type Stepping<Work, Answer, T> = Generator<readonly Work[], T, readonly Answer[]>;

/** One phase over all partitions; the workers' answers. */
export function* onEveryPartition<Phase, Answer = void>(
  ctx: Pick<ScheduleContext<unknown, unknown>, 'partitions' | 'workers' | 'hosts'>,
  phase: Phase,
): Stepping<Shared<Phase>, Answer, readonly Answer[]> {
  const { partitions, workers, hosts } = ctx;
  const most = hosts.length > 1 ? workers : Math.min(workers, partitions);
  return yield ranges(partitions, most).map((own) => ({ ...phase, ...own }));
}
