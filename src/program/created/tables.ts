// Tables that a program makes while it runs. Their plans are in a directory in shared memory, which
// every thread of the host takes over into its own copy of the run's plan, workers when a clock
// begins, the mailbox at once; it tells the other hosts (src/cluster). All workers create the same
// tables in the same order, so a table has the same number everywhere.
//
//   directory   { count, 0, 0, 0 } and then, entryBytes each, { clock, workers, workers, bytes }
//               and the entry as JSON; `workers`: who has called createTable, a bit each
import { assert } from '../../base/assert.ts';
import { SystemError } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { TablePlan, TableSpec } from '../../store/table.ts';
import type { Stage } from '../context.ts';
import { planTable, type ReplicaPlan, type RunPlan } from '../plan.ts';

const entryBytes = limits.createdTableBytes;

/** A table that was created, at a clock. */
export type Created = { readonly spec: TableSpec; readonly clock: number };
type Entry = Created & { readonly table: TablePlan; readonly replica: ReplicaPlan | undefined };

const sameText = (spec: TableSpec) =>
  JSON.stringify(Object.entries(spec).sort(([a], [b]) => (a < b ? -1 : 1)));

type Place = { readonly arena: Stage['arena']; readonly plan: RunPlan };

function entryAt({ arena, plan }: Place, index: number): Entry {
  const at = plan.created + 16 + index * entryBytes;
  const bytes = arena.u8.slice(at + 16, at + 16 + (arena.i32[at / 4 + 3] ?? 0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Entry;
}

/**
 * Takes tables over into the plan of this thread that were created before `clock`; those that it
 * took over.
 */
export function adoptTables(place: Place, clock: number): readonly Created[] {
  const { arena, plan } = place;
  const count = Atomics.load(arena.i32, plan.created / 4);
  const adopted: Created[] = [];
  for (let index = plan.tables.length - plan.planned; index < count; index++) {
    const { table, replica, ...created } = entryAt(place, index);
    if (created.clock >= clock) break;
    // A thread's own copy: nobody else sees it grow.
    (plan.tables as TablePlan[]).push(table);
    if (replica) (plan.cluster?.replicas as ReplicaPlan[] | undefined)?.push(replica);
    adopted.push(created);
  }
  return adopted;
}

function misuse(name: string, found: string): SystemError {
  const rule = 'every worker calls createTable with the same table at the same clock';
  return new SystemError('ERR_PROGRAM', `table "${name}": ${rule}, ${found}`);
}

export type CreatedTables = ReturnType<typeof openCreatedTables>;

export function openCreatedTables(stage: Stage) {
  const { arena, plan, control, lock, program, thread } = stage;
  const { i32, u8 } = arena;
  const head = plan.created / 4;
  const wordsOf = (index: number) => head + 4 + (index * entryBytes) / 4;
  const count = () => Atomics.load(i32, head);
  const find = (name: string): number => {
    for (let i = 0; i < count(); i++) if (entryAt(stage, i).spec.name === name) return i;
    return -1;
  };
  const hasCalled = (index: number, worker: number) =>
    ((i32[wordsOf(index) + 1 + (worker >>> 5)] ?? 0) & (1 << (worker & 31))) !== 0;

  /** Under the lock: writes the entry down, for a clock that no worker here has left. */
  const append = (spec: TableSpec, clock: number): number => {
    const index = count();
    const known = plan.planned + index;
    if (known >= limits.tablesMax) {
      const rule = `a run has at most ${limits.tablesMax} tables`;
      throw new SystemError('ERR_LIMIT', `${rule}, "${spec.name}" is one more`);
    }
    for (let worker = 0; worker < plan.workers; worker++) {
      if (control.clock(worker) <= clock) continue;
      throw misuse(spec.name, `worker ${worker} has finished clock ${clock} without`);
    }
    const entry: Entry = { spec, clock, ...planTable(arena, spec, known, plan) };
    const json = new TextEncoder().encode(JSON.stringify(entry));
    const words = wordsOf(index);
    if (json.length > entryBytes - 16) {
      const rule = `a created table is described in ${entryBytes - 16} bytes`;
      throw new SystemError('ERR_LIMIT', `${rule}, "${spec.name}" takes ${json.length}`);
    }
    i32.set([clock, 0, 0, json.length], words);
    u8.set(json, words * 4 + 16);
    Atomics.store(i32, head, index + 1);
    control.wake();
    return index;
  };
  const checkSame = (index: number, { spec, clock }: Created) => {
    const known = entryAt(stage, index);
    if (known.clock !== clock) {
      throw misuse(spec.name, `it was created at clock ${known.clock} and again at ${clock}`);
    }
    const [text, other] = [sameText(spec), sameText(known.spec)];
    if (text !== other) throw misuse(spec.name, `got ${text} and ${other}`);
  };

  return {
    /** ctx.createTable of this worker. */
    create(spec: TableSpec, clock: number): void {
      if (program.schedule !== undefined) {
        const rule = 'createTable is for data-parallel programs';
        throw new SystemError('ERR_PROGRAM', `${rule}: declare "${spec.name}" in tables()`);
      }
      if (plan.tables.slice(0, plan.planned).some(({ name }) => name === spec.name)) {
        throw new SystemError('ERR_PROGRAM', `tables() declares "${spec.name}" already`);
      }
      lock.write(() => {
        const known = find(spec.name);
        const index = known >= 0 ? known : append(spec, clock);
        checkSame(index, { spec, clock });
        i32[wordsOf(index) + 1 + (thread >>> 5)]! |= 1 << (thread & 31);
      });
    },
    /** A table that another host says was created, the index-th of the run. */
    learn(index: number, created: Created): void {
      lock.write(() => {
        assert(index <= count(), 'tables are told in their order');
        if (index === count()) append(created.spec, created.clock);
        checkSame(index, created);
      });
    },
    /** Did this worker create what others did in its clock? @throws ERR_PROGRAM if not. */
    check(clock: number): void {
      for (let index = count() - 1; index >= 0; index--) {
        if ((i32[wordsOf(index)] ?? 0) < clock) break;
        if ((i32[wordsOf(index)] ?? 0) > clock || hasCalled(index, thread)) continue;
        const { spec } = entryAt(stage, index);
        throw misuse(spec.name, `worker ${thread} has finished clock ${clock} without`);
      }
    },
  };
}
