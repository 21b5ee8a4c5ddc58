// Test module whose top level never ends, in an actor's thread.
import { isMainThread } from 'node:worker_threads';

for (let n = 0; !isMainThread; n++) if (n < 0) break;

export const program = undefined;
