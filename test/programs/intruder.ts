// Somebody who has no business at a run's door: says why it was turned away.
import { connect } from 'node:net';
import { createPrng } from '../../src/base/prng.ts';
import { readSecret } from '../../src/launcher/secret.ts';
import { joinMesh, type MeshOptions } from '../../src/mailbox/tcp/mesh.ts';
import { base } from '../helpers/meshes.ts';

type Argument = Partial<Omit<MeshOptions, 'secret'>> & {
  readonly kind: 'garbage' | 'silence' | 'mesh';
  readonly host: string;
  readonly port: number;
  /** A file. */
  readonly secret: string;
};

const { kind, host, port, secret, ...more } = JSON.parse(process.argv[2] ?? '') as Argument;

/** One connection that writes `bytes`; resolves when it is over. */
const knock = (bytes: Uint8Array) =>
  new Promise<void>((resolve) => {
    const socket = connect({ host, port }, () => socket.write(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    socket.resume();
  });

if (kind === 'mesh') {
  const joining = {
    rank: 1,
    size: 2,
    host,
    port,
    bind: '0.0.0.0',
    secret: readSecret(secret).secret,
  };
  const joined = joinMesh({ ...base, ...joining, ...more, joinTimeoutMs: 2000 });
  await joined.catch((error: Error) => process.stdout.write(`${error.message}\n`));
} else {
  const prng = createPrng(9);
  // More of them than may stand at the door at a time.
  const calls = Array.from({ length: 100 }, (_, i) =>
    knock(
      Uint8Array.from({ length: kind === 'silence' ? 0 : 1 << (i % 14) }, () => prng.below(256)),
    ),
  );
  await (kind === 'silence' ? calls[0] : Promise.all(calls));
  process.stdout.write('turned away\n');
}
process.exit();
