// The supervisor's hold on one actor: its thread, its control port, and how it may end. Whatever
// happens to the thread, a call that was made to it settles: with its answer, or with a fault.
import { Worker as Thread } from 'node:worker_threads';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { Fault } from '../base/errors.ts';
import type { Actor, Boot, Outcome } from '../program/actor.ts';
import type { RunPlan } from '../program/plan.ts';

export type Role = 'worker' | 'scheduler';

export class ActorHandle<Summary> {
  readonly role: Role;
  readonly index: number;
  readonly #thread: Thread;
  readonly #remote: ReturnType<typeof wrap<Actor<unknown>>>;
  /** Ended for good, with this reason. */
  #ended: Fault | undefined;
  #onEnd: ((fault: Fault) => void) | undefined;

  constructor(role: Role, index: number, boot: Boot) {
    this.role = role;
    this.index = index;
    const entry = new URL(`./${role}-actor.js`, import.meta.url);
    this.#thread = new Thread(entry, { workerData: boot, stdout: false, stderr: false });
    this.#remote = wrap<Actor<unknown>>(nodeEndpoint(this.#thread));
    this.#thread.on('error', (error: Error & { code?: string }) => {
      const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      const remedy = memory ? ': use fewer threads or less data in JavaScript objects' : '';
      this.#end({ code: 'ERR_PROGRAM', message: `${this.name} failed: ${error.message}${remedy}` });
    });
    this.#thread.on('exit', (code) => {
      const message = `${this.name} ended itself with exit code ${code}; a program must return`;
      this.#end({ code: 'ERR_PROGRAM', message });
    });
  }

  get name(): string {
    return `${this.role} ${this.index}`;
  }

  #end(fault: Fault): void {
    this.#ended ??= fault;
    this.#onEnd?.(this.#ended);
  }

  /** Runs `plan` on the actor. Never rejects. One run at a time. */
  run(plan: RunPlan, userModule: WebAssembly.Module | undefined): Promise<Outcome<Summary>> {
    return new Promise((resolve) => {
      const fail = (fault: Fault) => resolve({ ok: false, fault });
      if (this.#ended) return fail(this.#ended);
      this.#onEnd = fail;
      this.#remote.run(plan, userModule).then(
        (outcome) => resolve(outcome as Outcome<Summary>),
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
