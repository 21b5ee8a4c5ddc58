#!/usr/bin/env node
// Entry of the command `perpetuum`. A job's host process starts first of all; the rest of the
// command line is loaded, and read, while that process starts.
import { forkAhead, forkHost } from '../launcher/fork-host.ts';

/** Commands whose work a host process does. A wrong guess costs a process that is ended unused. */
const hosted = ['train', 'predict', 'evaluate', 'topics', 'simulate', 'replay', 'demo'];

const argv = process.argv.slice(2);
const hostEntry = new URL('./host-actor.cjs', import.meta.url);
const startHost = () => forkHost(hostEntry);
const asksOnly = argv.some((argument) => ['--help', '-h', '--version'].includes(argument));
const ahead = hosted.includes(argv[0] ?? '') && !asksOnly ? forkAhead(startHost) : undefined;
const { runProcess } = await import('./run-process.ts');
await runProcess({ argv, hostEntry, startHost, ahead, variables: process.env });
