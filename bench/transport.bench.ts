// The mesh between two processes against plain streams of the same bytes: goodput of packets of a
// mebibyte, and the round trip of an empty packet. The streams are `net`, and `tls` with the mesh's
// own settings; both only count what comes in.
import { fork } from 'node:child_process';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { joinMesh, type Mesh } from '../src/mailbox/tcp/mesh.ts';
import { acceptLink, keyOf, openLink } from '../src/mailbox/tcp/security.ts';
import { digits, parameter, smoke, table } from './bench.ts';

const packetBytes = 1 << 20;
const packets = parameter('packets', 4, 256);
const rounds = parameter('rounds', 1, 7);
const trips = parameter('trips', 10, 3000);
const STREAM_TRIP_BYTES = 64; // as much as an empty packet

const secret = new Uint8Array(32).fill(1);
const series = ['net', 'mesh, plain', 'tls', 'mesh, TLS'] as const;
type Series = (typeof series)[number];
const isSecure = (name: Series) => name === 'tls' || name === 'mesh, TLS';
const key = keyOf({ secret, insecure: false, runId: 'bench', addresses: [] });

const meshOptions = (name: Series) => ({
  ...{ size: 2, host: '127.0.0.1', bind: '127.0.0.1', insecure: false, threads: 1 },
  ...{ version: '1', runId: 'bench', log: (text: string) => process.stderr.write(`${text}\n`) },
  secret: isSecure(name) ? secret : undefined,
});

type Order = { readonly bytes: number } | { readonly trip: true } | { readonly end: true };

/** The other process: takes bytes in and says when all of an order is there. */
async function receive(ports: Record<Series, number>): Promise<void> {
  for (const name of ['net', 'tls'] as const) {
    const port = ports[name];
    const socket =
      name === 'tls'
        ? openLink({ host: '127.0.0.1', port, key }, () => undefined).socket
        : connect({ host: '127.0.0.1', port });
    socket.setNoDelay(true);
    let due = 0;
    socket.on('data', (chunk: Buffer) => {
      // The first bytes of an order say how many there will be; 0 is a round trip.
      if (due === 0) due = chunk.readUInt32LE(0) || chunk.length;
      due -= chunk.length;
      if (due <= 0) socket.write(Buffer.alloc(STREAM_TRIP_BYTES));
    });
  }
  for (const name of ['mesh, plain', 'mesh, TLS'] as const) {
    const mesh = await joinMesh({ ...meshOptions(name), rank: 1, port: ports[name] });
    const empty = new Uint8Array(0);
    mesh.attach({
      packet: (_, { header }) => {
        if (header === 'last') mesh.send(0, { header: null, payload: empty });
        if (header === 'end') void mesh.close();
      },
      room: () => undefined,
      lost: (_, fault) => process.stderr.write(`${fault.message}\n`),
    });
  }
}

type Link = { readonly send: (order: Order) => Promise<void> };

function streamLink(socket: Socket, payload: Buffer): Link {
  const first = (bytes: number, length: number) => {
    const buffer = Buffer.alloc(length);
    buffer.writeUInt32LE(bytes, 0);
    return buffer;
  };
  return {
    async send(order) {
      if ('end' in order) return void socket.destroy();
      const answer = new Promise((resolve) => socket.once('data', resolve));
      if ('trip' in order) socket.write(first(0, STREAM_TRIP_BYTES));
      else {
        const head = Buffer.concat([first(order.bytes, 4), payload.subarray(4)]);
        for (let at = 0; at < order.bytes; at += payload.length) {
          const more = socket.write(at === 0 ? head : payload);
          if (!more) await new Promise((resolve) => socket.once('drain', resolve));
        }
      }
      await answer;
    },
  };
}

function meshLink(mesh: Mesh, payload: Buffer): Link {
  let [answered, room] = [() => undefined as void, () => undefined as void];
  mesh.attach({
    packet: () => answered(),
    room: () => room(),
    lost: (_, fault) => process.stderr.write(`${fault.message}\n`),
  });
  return {
    async send(order) {
      const empty = new Uint8Array(0);
      if ('end' in order) {
        mesh.send(1, { header: 'end', payload: empty });
        return mesh.close();
      }
      const answer = new Promise<void>((resolve) => (answered = resolve));
      if ('trip' in order) mesh.send(1, { header: 'last', payload: empty });
      else {
        for (let left = order.bytes; left > 0; left -= payload.length) {
          const header = left > payload.length ? 'more' : 'last';
          mesh.send(1, { header, payload });
          if (!mesh.hasRoom(1)) await new Promise<void>((resolve) => (room = resolve));
        }
      }
      await answer;
    },
  };
}

const listening = (server: ReturnType<typeof createServer>): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

const accept = (raw: Socket) => (key.kind === 'tls' ? acceptLink(raw, key.psk).socket : raw);

async function openLinks(payload: Buffer): Promise<{ links: Map<Series, Link> }> {
  const ports = { net: 0, 'mesh, plain': 0, tls: 0, 'mesh, TLS': 0 };
  const waiting: Promise<readonly [Series, Link]>[] = [];
  for (const name of series) {
    const server = createServer();
    ports[name] = await listening(server);
    if (name === 'net' || name === 'tls') {
      waiting.push(
        new Promise((resolve) => {
          server.on('connection', (raw) => {
            const socket = name === 'tls' ? accept(raw) : raw;
            socket.setNoDelay(true);
            server.close();
            resolve([name, streamLink(socket, payload)]);
          });
        }),
      );
    } else {
      const options = { ...meshOptions(name), rank: 0, port: 0, listen: { server } };
      waiting.push(joinMesh(options).then((mesh) => [name, meshLink(mesh, payload)] as const));
    }
  }
  fork(fileURLToPath(import.meta.url), ['--receive', JSON.stringify(ports)]).disconnect();
  return { links: new Map(await Promise.all(waiting)) };
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;

async function measure(): Promise<void> {
  const payload = Buffer.alloc(packetBytes);
  for (let i = 0; i < packetBytes; i++) payload[i] = Math.imul(i, 2654435761) >>> 24;
  const { links } = await openLinks(payload);
  const rates = new Map<Series, number[]>();
  const times = new Map<Series, number[]>();
  for (let round = 0; round <= rounds; round++) {
    for (const [name, link] of links) {
      const start = performance.now();
      await link.send({ bytes: packets * packetBytes });
      const rate = (packets * packetBytes) / (performance.now() - start) / 1e6;
      const list: number[] = [];
      for (let i = 0; i < trips / rounds; i++) {
        const since = performance.now();
        await link.send({ trip: true });
        list.push((performance.now() - since) * 1000);
      }
      if (round === 0 && !smoke) continue; // warm up
      rates.set(name, [...(rates.get(name) ?? []), rate]);
      times.set(name, [...(times.get(name) ?? []), ...list]);
    }
  }
  const best = (name: Series) => Math.max(...(rates.get(name) ?? []));
  const rows = series.map((name) => {
    const baseline = isSecure(name) ? 'tls' : 'net';
    const middle = median(rates.get(name) ?? []);
    const ratios = [best(name) / best(baseline), middle / median(rates.get(baseline) ?? [])];
    return [
      name,
      digits(best(name)),
      digits(middle),
      ...ratios.map(digits),
      digits(median(times.get(name) ?? [])),
    ];
  });
  const header = ['1 MiB packets, two processes', 'best GB/s', 'median GB/s', 'best to stream'];
  table('Between two hosts, on loopback', [...header, 'median to stream', 'round trip, µs'], rows);
  for (const link of links.values()) await link.send({ end: true });
}

const at = process.argv.indexOf('--receive');
if (at > 0) await receive(JSON.parse(process.argv[at + 1] ?? '') as Record<Series, number>);
else await measure();
