// Process entry of a host: runs one job for whoever forks it: the guardian (src/cli/guardian.ts),
// the launcher (src/launcher) or, on a host that ssh reaches, its relay. A first worker comes up
// while this thread loads the rest, host-job.ts.
import { startThread } from '../src/supervisor/thread.ts';

// The terminal sends Ctrl-C to the whole process group, and a closed terminal or a service manager
// does the same. When to stop, and with which exit code, is decided by the guardian alone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

if (process.send === undefined) {
  process.stderr.write('this is a part of perpetuum: run the command perpetuum itself\n');
  process.exitCode = 2;
} else {
  const worker = startThread('worker');
  // A rejection ends the process, with its stack as last words.
  void import('./host-job.ts').then(({ serve }) => serve(worker));
}
