// A host in a process of its own: joins, says that it did, and either stays until it is killed or
// sends packets, closes and is free to end.
import { base, secret } from '../helpers/meshes.ts';
import { joinMesh } from '../../src/mailbox/tcp/mesh.ts';

type Argument = { rank: number; size: number; port: number; tls: boolean; leave?: number };

const { rank, size, port, tls, leave } = JSON.parse(process.argv[2] ?? '') as Argument;
const mesh = await joinMesh({ ...base, rank, size, port, secret: tls ? secret : undefined });
process.send?.('ready');
if (leave !== undefined) {
  process.disconnect();
  for (let i = 0; i < leave; i++) mesh.send(0, { header: i, payload: new Uint8Array(1 << 16) });
  await mesh.close();
}
