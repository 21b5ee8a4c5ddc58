// The command line over the fake models and the fake host: what cli-process.test.ts spawns.
import { runCommandLine } from '../../src/cli/command-line.ts';
import { endProcess, quietStreams } from '../../src/cli/streams.ts';
import { forkHost } from '../../src/launcher/fork-host.ts';
import type { ModelInfo } from '../../src/cli/arguments/parse.ts';
import { fakeModels } from '../helpers/fake-models.ts';

/** With the options that the demo sets. */
const lda: ModelInfo = {
  ...{ name: 'lda', summary: 'topics of documents', defaultPasses: 100 },
  options: [
    { name: 'topics', type: 'integer', default: 100, minimum: 2, help: 'topics' },
    { name: 'optimize-interval', type: 'integer', default: 0, minimum: 0, help: 'passes' },
    ...(['page', 'title'] as const).map((name) => ({
      ...({ name, type: 'text', placeholder: 'TEXT' } as const),
      ...{ default: undefined, help: 'of the page' },
    })),
  ],
};

const hostEntry = new URL('./fake-host.js', import.meta.url);
const streams = quietStreams();
const code = await runCommandLine(process.argv.slice(2), {
  models: [lda, ...fakeModels],
  hostEntry,
  startHost: () => forkHost(hostEntry),
  streams,
  variables: process.env,
});
endProcess(code, streams);
