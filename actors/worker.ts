// Thread entry of a worker actor: its side of the control port. The loop is in src/program.
import { parentPort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { assert } from '../src/base/assert.ts';
import { builtInPrograms } from '../src/models/programs.ts';
import { workerActor, type Boot } from '../src/program/actor.ts';

assert(parentPort !== null, 'a worker actor is a thread');
expose(workerActor(workerData as Boot, builtInPrograms), nodeEndpoint(parentPort));
