// Thread entry of a scheduler actor: its side of the control port. The loop is in src/program.
import { parentPort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { assert } from '../src/base/assert.ts';
import { builtInPrograms } from '../src/models/programs.ts';
import { schedulerActor, type Boot } from '../src/program/actor.ts';

assert(parentPort !== null, 'a scheduler actor is a thread');
expose(schedulerActor(workerData as Boot, builtInPrograms), nodeEndpoint(parentPort));
