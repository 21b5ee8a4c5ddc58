// The command line over the fake models and hosts that join for real: what launcher tests spawn.
import { runCommandLine } from '../../src/cli/command-line.ts';
import { endProcess, quietStreams } from '../../src/cli/streams.ts';
import { forkHost } from '../../src/launcher/fork-host.ts';
import { fakeModels } from '../helpers/fake-models.ts';

const hostEntry = new URL('./launch-host.js', import.meta.url);
const streams = quietStreams();
const code = await runCommandLine(process.argv.slice(2), {
  models: fakeModels,
  hostEntry,
  startHost: () => forkHost(hostEntry),
  streams,
  variables: process.env,
});
endProcess(code, streams);
