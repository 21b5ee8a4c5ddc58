// How the scheduler speaks to workers: of this host through their rings, of all hosts through the
// mailbox of this one. Neither direction blocks: what a full ring does not take waits here, so a
// scheduler that hands out work never keeps a worker from reporting.
import { assert } from '../../base/assert.ts';
import {
  receiver,
  sender,
  type Assignment,
  type Order,
  type Report,
  type Reported,
  type Sender,
  type Shared,
} from '../../mailbox/messages.ts';
import { openRingReader, openRingWriter } from '../../mailbox/ring.ts';
import { ringAt } from '../../memory/layout.ts';
import type { Stage } from '../context.ts';

export type Heard = Pick<Report, 'partial' | 'pushMs'>;

export type Workers = {
  /** Hands work w to worker w, when all hosts have what was shared. */
  send(works: readonly unknown[], clock: number, shared: readonly Shared[]): void;
  /** The reports of the first `count` workers, in worker order; undefined until all are there. */
  heard(count: number, clock: number): readonly Heard[] | undefined;
  end(clocks: number, shared: readonly Shared[]): void;
  /** The rings have taken all that was said. */
  isSaid(): boolean;
};

/** What a ring has not taken yet, in order. */
function backlog<M>(ring: Sender<M>) {
  const waiting: M[] = [];
  return {
    push: (message: M) => void waiting.push(message),
    get isEmpty() {
      return waiting.length === 0;
    },
    /** True when the ring has taken something. */
    flush(): boolean {
      const before = waiting.length;
      while (waiting.length > 0 && ring.offer(waiting[0]!)) waiting.shift();
      return waiting.length < before;
    },
  };
}

/** Reports by the clock that they answer: with several in flight they come in any order. */
function createReports() {
  const byClock = new Map<number, Map<number, Heard>>();
  return {
    expect: (clock: number) => void byClock.set(clock, new Map()),
    add({ worker, clock, ...heard }: Reported): void {
      const reports = byClock.get(clock);
      assert(reports !== undefined, 'a report answers a clock that was assigned');
      reports.set(worker, heard);
    },
    take(count: number, clock: number): readonly Heard[] | undefined {
      const reports = byClock.get(clock);
      if (reports?.size !== count) return undefined;
      byClock.delete(clock);
      return Array.from({ length: count }, (_, worker) => reports.get(worker)!);
    },
  };
}

export function openLocalWorkers(stage: Stage): Workers {
  const { arena, control, plan } = stage;
  const reports = createReports();
  const workers = Array.from({ length: plan.workers }, (_, worker) => {
    const at = (ring: 'inbox' | 'reports') => ringAt(arena.layout, worker, ring);
    return {
      inbox: backlog(sender<Assignment>(openRingWriter(arena, at('inbox')))),
      said: receiver<Report>(openRingReader(arena, at('reports'))),
    };
  });
  const flush = () => {
    // All of them, not only the first that takes something.
    if (workers.filter(({ inbox }) => inbox.flush()).length > 0) control.wake();
  };
  return {
    send(works, clock) {
      reports.expect(clock);
      works.forEach((work, worker) => workers[worker]?.inbox.push({ kind: 'work', clock, work }));
      flush();
    },
    heard(count, clock) {
      flush();
      workers.forEach(({ said }, worker) => {
        for (let report = said.take(); report !== undefined; report = said.take()) {
          reports.add({ worker, ...report });
        }
      });
      return reports.take(count, clock);
    },
    end() {
      for (const { inbox } of workers) inbox.push({ kind: 'end' });
      flush();
    },
    isSaid() {
      flush();
      return workers.every(({ inbox }) => inbox.isEmpty);
    },
  };
}

export function openAllWorkers(stage: Stage): Workers {
  const { arena, control, thread } = stage;
  const at = (ring: 'inbox' | 'reports') => ringAt(arena.layout, thread, ring);
  const orders = backlog(sender<Order>(openRingWriter(arena, at('reports'))));
  const said = receiver<Reported>(openRingReader(arena, at('inbox')));
  const reports = createReports();
  const flush = () => {
    if (orders.flush()) control.wake();
  };
  return {
    send(works, clock, shared) {
      reports.expect(clock);
      shared.forEach(orders.push);
      works.forEach((work, worker) => orders.push({ kind: 'work', worker, clock, work }));
      flush();
    },
    heard(count, clock) {
      flush();
      for (let report = said.take(); report !== undefined; report = said.take()) {
        reports.add(report);
      }
      return reports.take(count, clock);
    },
    end(clocks, shared) {
      shared.forEach(orders.push);
      orders.push({ kind: 'end', clocks });
      flush();
    },
    isSaid() {
      flush();
      return orders.isEmpty;
    },
  };
}
