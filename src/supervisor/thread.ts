// The threads of actors. A worker's takes 30 ms to come up, so the host process starts one while it
// loads its own code; whoever spawns a worker first gets it.
import { Worker as Thread } from 'node:worker_threads';

export type Role = 'worker' | 'scheduler' | 'mailbox';

let kept: Thread | undefined;

export function startThread(role: Role): Thread {
  const entry = new URL(`./${role}-actor.cjs`, import.meta.url);
  return new Thread(entry, { stdout: false, stderr: false });
}

/** Keeps the thread of a worker that will be spawned later. It holds no process alive. */
export function keepThread(worker: Thread): void {
  kept = worker;
  const lost = () => {
    if (kept === worker) kept = undefined;
  };
  // Whoever spawns a worker then starts another, and hears why it fails.
  worker.on('error', lost).on('exit', lost).unref();
}

/** A thread that runs the entry of `role` and waits for its boot. */
export function takeThread(role: Role): Thread {
  if (role !== 'worker' || kept === undefined) return startThread(role);
  const thread = kept;
  kept = undefined;
  thread.ref();
  return thread;
}
