// The thread's side of control: an actor begins with its boot, and answers calls from then on.
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { assert } from '../base/assert.ts';
import type { Boot } from '../program/actor.ts';

/** Serves the calls of the supervisor. A thread may start, and load its code, before its boot. */
export function serveActor(make: (boot: Boot) => object): void {
  const port = parentPort;
  assert(port !== null, 'an actor is a thread');
  port.once('message', (boot: Boot) => expose(make(boot), nodeEndpoint(port)));
}
