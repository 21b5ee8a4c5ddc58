// The threads of actors. A worker's takes 30 ms to come up, so the host process starts one while it
// loads its own code; whoever spawns a worker first gets it.
import { Worker as Thread } from 'node:worker_threads';

export type Role = 'worker' | 'scheduler' | 'mailbox';

let ahead: Thread | undefined;

function start(role: Role): Thread {
  const entry = new URL(`./${role}-actor.cjs`, import.meta.url);
  return new Thread(entry, { stdout: false, stderr: false });
}

/** Starts the thread of a worker that will be spawned later. It keeps no process alive. */
export function startAhead(): void {
  const thread = start('worker');
  ahead = thread;
  const lost = () => {
    if (ahead === thread) ahead = undefined;
  };
  // Whoever spawns a worker then starts another, and hears why it fails.
  thread.on('error', lost).on('exit', lost).unref();
}

/** A thread that runs the entry of `role` and waits for its boot. */
export function takeThread(role: Role): Thread {
  if (role !== 'worker' || ahead === undefined) return start(role);
  const thread = ahead;
  ahead = undefined;
  thread.ref();
  return thread;
}
