// Process entry of a host: runs one job for whoever forks it: the guardian (src/cli/guardian.ts),
// the launcher (src/launcher) or, on a host that ssh reaches, its relay. A first worker comes up
// while the main thread loads the rest.
import { startAhead } from '../src/supervisor/thread.ts';

// The terminal sends Ctrl-C to the whole process group, and a closed terminal or a service manager
// does the same. When to stop, and with which exit code, is decided by the guardian alone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

if (process.send === undefined) {
  process.stderr.write('this is a part of perpetuum: run the command perpetuum itself\n');
  process.exitCode = 2;
} else {
  startAhead();
  const [{ serveGuardian }, { runJob }] = await Promise.all([
    import('../src/cli/host-process.ts'),
    import('../src/jobs/run-job.ts'),
  ]);
  const [, , folder] = process.argv;
  serveGuardian({ channel: process, exit: (code) => process.exit(code), runJob, folder });
}
