// Thread entry of the mailbox actor: its side of the control port. The loop is in src/cluster.
import { parentPort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { assert } from '../src/base/assert.ts';
import { mailboxActor } from '../src/cluster/mailbox-actor.ts';
import { builtInPrograms } from '../src/models/programs.ts';
import type { Boot } from '../src/program/actor.ts';

assert(parentPort !== null, 'a mailbox actor is a thread');
expose(mailboxActor(workerData as Boot, builtInPrograms), nodeEndpoint(parentPort));
