// The supervisor's hold on one actor: its thread, its control port, and how it may end. Whatever
// happens to the thread, a call that was made to it settles: with its answer, or with a fault.
import type { Worker as Thread } from 'node:worker_threads';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { toFault, type Fault } from '../base/errors.ts';
import type { Actor, Boot, Outcome } from '../program/actor.ts';
import type { RunPlan } from '../program/plan.ts';
import { takeThread, type Role } from './thread.ts';

/** A method of an actor, as the other end of the control port has it. */
type Remote<A> = { readonly [K in keyof A]: A[K] };

export class ActorHandle<Summary, A extends Actor<Summary> = Actor<Summary>> {
  readonly name: string;
  readonly index: number;
  readonly #thread: Thread;
  readonly #remote: Remote<A>;
  /** Ended for good, with this reason. */
  #ended: Fault | undefined;
  /** Calls that have not been answered. */
  readonly #pending = new Set<(fault: Fault) => void>();

  /** `clock` tells at which clock the actor is, for the message when it ends. */
  constructor(role: Role, boot: Boot, clock: () => number) {
    this.name = boot.name;
    this.index = boot.thread;
    this.#thread = takeThread(role);
    this.#thread.postMessage(boot);
    this.#remote = wrap<A>(nodeEndpoint(this.#thread)) as unknown as Remote<A>;
    this.#thread.on('error', (error: unknown) => {
      // Whatever a program throws outside its functions: not always an Error.
      const { message } = toFault(error);
      const memory = (error as { code?: string } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
      const remedy = memory ? ': use fewer threads or less data in JavaScript objects' : '';
      const where = `${this.name} failed at clock ${clock()}`;
      this.#end({ code: 'ERR_PROGRAM', message: `${where}: ${message}${remedy}` });
    });
    this.#thread.on('exit', (code) => {
      const end = `ended itself with exit code ${code} at clock ${clock()}`;
      const message = `${this.name} ${end}; a program must return`;
      this.#end({ code: 'ERR_PROGRAM', message });
    });
  }

  #end(fault: Fault): void {
    this.#ended ??= fault;
    for (const fail of this.#pending) fail(this.#ended);
    this.#pending.clear();
  }

  /** Runs `plan` on the actor. Never rejects. One run at a time. */
  run(plan: RunPlan, userModule: WebAssembly.Module | undefined): Promise<Outcome<Summary>> {
    return this.call((actor) => actor.run(plan, userModule));
  }

  /** Calls a method of the actor. Never rejects: the end of the thread is a fault, too. */
  call<T>(method: (actor: Remote<A>) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    return new Promise((resolve) => {
      const fail = (fault: Fault) => resolve({ ok: false, fault });
      if (this.#ended) return fail(this.#ended);
      this.#pending.add(fail);
      method(this.#remote).then(
        (outcome) => {
          this.#pending.delete(fail);
          resolve(outcome);
        },
        (error: Error) => fail({ code: 'ERR_INTERNAL', message: `${this.name}: ${error.message}` }),
      );
    });
  }

  /** Ends the thread, wherever it is. */
  async terminate(): Promise<void> {
    this.#end({ code: 'ERR_ABORTED', message: `${this.name} was terminated` });
    await this.#thread.terminate();
  }
}
