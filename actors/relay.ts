// Process entry on a host that ssh reaches: what the bootstrap imports once the package is there.
import { serveRelay } from '../src/launcher/remote/relay.ts';
import type { RelayBoot } from '../src/launcher/remote/protocol.ts';

export function serve(boot: RelayBoot): void {
  const { stdin: input, stdout: output } = process;
  serveRelay({ ...boot, input, output, exit: (code) => process.exit(code) });
}
