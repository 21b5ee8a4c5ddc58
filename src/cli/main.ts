#!/usr/bin/env node
// Entry of the command `perpetuum`: the real models, the real host, and the process's exit.
import { models } from '../models/registry.ts';
import { runCommandLine } from './command-line.ts';
import { endProcess, quietStreams } from './streams.ts';

const streams = quietStreams();
const code = await runCommandLine(process.argv.slice(2), {
  models,
  hostEntry: new URL('./host-actor.js', import.meta.url),
  streams,
  variables: process.env,
});
endProcess(code, streams);
