// A host of a recorded run, again: the real tables, workers and member of a host, on one thread,
// each doing its next thing when its record says that it did.
//
//   tickets     who had the table lock, in order: a worker's next step ends in one section
//   inputs      what reached the member, in order; its sections have tickets, too, so before one
//               the workers do what they did before it
//   packets     come out of the other replayed hosts, and are waited for
import { assert } from '../base/assert.ts';
import { openMemberOver } from '../cluster/open-member.ts';
import type { Want } from '../cluster/member.ts';
import type { Arena } from '../memory/arena.ts';
import type { Event } from '../mailbox/messages.ts';
import type { Packet } from '../mailbox/network.ts';
import type { Stage } from '../program/context.ts';
import { dataParallelWorker, type WorkerSummary } from '../program/data-parallel.ts';
import { planRun } from '../program/plan.ts';
import type { ClusterPlace, ClusterPlan, RunPlan, RunRequest } from '../program/plan.ts';
import type { AnyProgram } from '../program/program.ts';
import { diverged } from '../record/bytes.ts';
import { playMailbox, type MailboxPlayer } from '../record/mailbox-tape.ts';
import type { RunRecord } from '../record/run-record.ts';
import { playWorker } from '../record/worker-tape.ts';
import { openControl } from '../store/control.ts';
import type { TableLock } from '../store/lock.ts';
import { openStage, resetRings } from './simulated-host.ts';

export type ReplayedHostOptions = {
  readonly program: AnyProgram;
  readonly request: RunRequest;
  readonly module: WebAssembly.Module;
  readonly userModule?: WebAssembly.Module;
  readonly arena: Arena;
  readonly rank: number;
  readonly threads: number;
  /** Undefined for a run of one host alone. */
  readonly place: ClusterPlace | undefined;
  readonly record: Extract<RunRecord, { kind: 'timed' }>;
  send(to: number, packet: Packet): void;
  onEvent?(event: Event, thread: number): void;
};

type Worker = ReturnType<typeof dataParallelWorker> & { done: boolean };
type Member = ReturnType<typeof openMemberOver>;

/** Inputs and tickets between two looks at what else the process has to do. */
const sliceSteps = 500;

export class ReplayedHost {
  readonly plan: RunPlan;
  readonly #options: ReplayedHostOptions;
  readonly #name: string;
  readonly #workers: readonly Worker[];
  readonly #opened: Member | undefined;
  readonly #inputs: MailboxPlayer;
  readonly #packets = new Map<number, Packet[]>();
  readonly #wants: Want[][];
  #ticket = 0;

  constructor(options: ReplayedHostOptions) {
    const { arena, program, request, threads, place, rank, record } = options;
    this.#options = options;
    this.#name = `rank ${rank}`;
    this.#wants = Array.from({ length: threads }, () => []);
    const control = openControl(arena, threads);
    control.reset();
    resetRings(arena);
    this.plan = planRun(arena, program, request, threads, place);
    const host = { arena, control, nowMs: () => 0 };
    const stage = (thread: number): Stage => ({
      ...openStage(options, { ...host, plan: structuredClone(this.plan) }, thread),
      lock: this.#lock(thread),
    });
    this.#inputs = playMailbox(record.inputs ?? new Uint8Array(0), this.#name);
    const { cluster } = this.plan;
    this.#opened = cluster && this.#openMember(stage(threads + 1), cluster);
    this.#workers = Array.from({ length: threads }, (_, thread) => {
      const name = `${this.#name}, worker ${thread}`;
      const tape = playWorker(record.workers[thread] ?? new Uint8Array(0), name);
      return { ...dataParallelWorker({ ...stage(thread), tape }), done: false };
    });
    for (const worker of this.#workers) this.#toNextSection(worker);
  }

  get done(): boolean {
    const all = this.#workers.every(({ done }) => done);
    return all && this.#inputs.peek() === undefined;
  }

  get summaries(): readonly WorkerSummary[] {
    return this.#workers.map(({ summary }) => summary(false));
  }

  /** What it waits for, in words. */
  describe(): string {
    const entry = this.#inputs.peek();
    const next = entry === undefined ? 'nothing' : `${entry.kind} ${entry.operand}`;
    return `${this.#inputs.where()}, where ${next} is next`;
  }

  /** A packet of another replayed host. */
  packet(from: number, packet: Packet): void {
    const waiting = this.#packets.get(from) ?? [];
    this.#packets.set(from, waiting);
    waiting.push(packet);
  }

  /** Goes on for a while; false when it could not, for a packet that is not there yet. */
  advance(): boolean {
    for (let step = 0; step < sliceSteps; step++) {
      const moved = this.#inputs.peek() === undefined ? this.#lastTickets() : this.#nextInput();
      if (!moved) return step > 0;
    }
    return true;
  }

  /** Everything that was recorded has happened. @throws ERR_PROGRAM else. */
  end(): void {
    const { tickets } = this.#options.record;
    if (this.#ticket !== tickets.length || this.#workers.some(({ done }) => !done)) {
      const what = `it ended after ${this.#ticket} of ${tickets.length} sections of the lock`;
      throw diverged(this.#name, what);
    }
    if (this.#opened?.member.finished === false) {
      throw diverged(this.#name, `its mailbox still waits for ${this.#opened.member.waitingFor}`);
    }
  }

  #openMember(stage: Stage, cluster: ClusterPlan): Member {
    const { send } = this.#options;
    return openMemberOver(stage, cluster, {
      network: { rank: cluster.rank, size: cluster.size, send },
      outbox: {
        isEmpty: true,
        send,
        hasRoom: () => {
          const has = this.#inputs.peek()?.kind === 'yes';
          this.#inputs.take(has ? 'yes' : 'no');
          return has;
        },
      },
      hostClock: () => {
        if (this.#inputs.peek()?.kind === 'clock') return this.#inputs.take('clock').operand;
        return this.#opened?.member.clock ?? 0;
      },
      foldedClocks: () => this.#inputs.take('folded').operand,
    });
  }

  #lock(thread: number): TableLock {
    const enter = <T>(section: () => T): T => {
      const { tickets } = this.#options.record;
      const isMailbox = thread >= this.#workers.length;
      while (isMailbox && (tickets[this.#ticket] ?? thread) < this.#workers.length) {
        this.#runTicket();
      }
      const next = tickets[this.#ticket];
      if (next !== thread) {
        const what = `actor ${thread} takes the table lock, ${next ?? 'nobody'} was recorded`;
        throw diverged(`${this.#name}, section ${this.#ticket}`, what);
      }
      this.#ticket += 1;
      return section();
    };
    return { read: enter, write: enter };
  }

  /** The worker whose turn it is does its next section. False when it is no worker's. */
  #runTicket(): boolean {
    const before = this.#ticket;
    const worker = this.#workers[this.#options.record.tickets[before] ?? -1];
    if (worker === undefined) return false;
    if (!worker.done) this.#toNextSection(worker);
    if (this.#ticket === before + 1) return true;
    const what = `a worker took the table lock ${this.#ticket - before} times instead of once`;
    throw diverged(`${this.#name}, section ${before}`, what);
  }

  #toNextSection(worker: Worker): void {
    for (;;) {
      const { value, done } = worker.steps.next();
      worker.done = done === true;
      if (worker.done || value?.kind === 'ready') break;
    }
    // At once: the worker goes on before the mailbox comes to it, and uses the memory again.
    this.#opened?.takeWants((want, from) => this.#wants[from]?.push(want));
  }

  #lastTickets(): boolean {
    return this.#runTicket();
  }

  #nextInput(): boolean {
    const entry = this.#inputs.peek();
    const member = this.#opened?.member;
    assert(entry !== undefined && member !== undefined, 'there is an input to a member');
    const { kind, operand } = entry;
    const before = this.#inputs.where();
    switch (kind) {
      case 'clock':
        member.workersMoved();
        break;
      case 'packet': {
        const packet = this.#packets.get(operand)?.shift();
        if (packet === undefined) return false;
        this.#inputs.take(kind);
        member.packet(operand, packet);
        break;
      }
      case 'want':
        this.#inputs.take(kind);
        member.want(this.#nextWant(operand));
        break;
      case 'room':
        this.#inputs.take(kind);
        member.room(operand);
        break;
      case 'idle':
        this.#inputs.take(kind);
        member.idle();
        break;
      case 'yes':
      case 'no':
      case 'folded':
        break;
    }
    if (this.#inputs.where() !== before) return true;
    throw diverged(before, `${kind} was recorded, and its member takes no such thing`);
  }

  #nextWant(worker: number): Want {
    for (;;) {
      const want = this.#wants[worker]?.shift();
      if (want !== undefined) return want;
      if (this.#runTicket()) continue;
      throw diverged(`${this.#name}, worker ${worker}`, 'it does not ask for what it asked for');
    }
  }
}
