// The mesh over real sockets on the loopback address: the same suite over plain TCP and TLS, and
// everything that may knock at the door or break a connection.
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { createPrng } from '../src/base/prng.ts';
import { joinMesh, type MeshOptions } from '../src/mailbox/tcp/mesh.ts';
import { base, quick, startAll, startZero, until, watch, type Host } from './helpers/meshes.ts';
import { openProxy } from './helpers/proxy.ts';

const ways: readonly (readonly [string, Partial<MeshOptions>])[] = [
  ['plain TCP', { secret: undefined }],
  ['TLS', {}],
];

const closeAll = (hosts: readonly Host[]) => Promise.all(hosts.map(({ mesh }) => mesh.close()));
const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function codeOf(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

for (const [way, options] of ways) {
  test(`mesh: three ranks, each to each, sizes around every limit (${way})`, async () => {
    const hosts = await startAll(3, options);
    const sizes = [0, 1, 7, 8, 63, 64, 65, 4095, 16383, 16384, 16385, 65535, 65537, 1_000_003];
    const prng = createPrng(5);
    const payloads = sizes.map((bytes) => {
      const payload = new Uint8Array(bytes);
      for (let i = 0; i < bytes; i += 1 + (bytes >> 8)) payload[i] = prng.below(256);
      return payload;
    });
    const before = payloads.map(hash);
    for (const { mesh } of hosts) {
      for (const to of [0, 1, 2].filter((rank) => rank !== mesh.rank)) {
        payloads.forEach((payload, i) => mesh.send(to, { header: { i, to }, payload }));
      }
    }
    await until('all packets', () =>
      hosts.every((h) => h.seen.packets.length === 2 * sizes.length),
    );
    for (const { mesh, seen } of hosts) {
      assert.equal(mesh.threads, [1, 2, 3]);
      for (const from of [0, 1, 2].filter((rank) => rank !== mesh.rank)) {
        const got = seen.packets.filter((packet) => packet.from === from);
        const headers = got.map(({ header }) => header);
        assert.equal(
          headers,
          sizes.map((_, i) => ({ i, to: mesh.rank })),
        );
        assert.equal(
          got.map(({ bytes }) => hash(bytes)),
          before,
        );
      }
    }
    assert.equal(payloads.map(hash), before, 'what was sent was not written to');
    await closeAll(hosts);
    assert.ok(hosts.every(({ seen }) => seen.lost.length === 0));
  });

  test(`mesh: packets from before there was a listener come first, in order (${way})`, async () => {
    const zero = await startZero({ ...options, size: 2 });
    const one = await joinMesh({ ...base, ...options, rank: 1, size: 2, port: zero.port });
    for (let i = 0; i < 5; i++) one.send(0, { header: i, payload: new Uint8Array(i) });
    const mesh = await zero.mesh;
    const received = () => mesh.statistics()[0]?.packetsReceived;
    await until('five packets', () => received() === 5);
    const host = watch(mesh);
    one.send(0, { header: 5, payload: new Uint8Array(0) });
    await until('the sixth', () => host.seen.packets.length === 6);
    assert.equal(
      host.seen.packets.map(({ header }) => header),
      [0, 1, 2, 3, 4, 5],
    );
    await Promise.all([mesh.close(), one.close()]);
  });

  test(`mesh: a full queue says so, and when it has room again (${way})`, async () => {
    const session = { ...quick, softBytes: 1 << 20, hardBytes: 4 << 20, windowBytes: 2 << 20 };
    const [zero, one] = await startAll(2, { ...options, session });
    const payload = new Uint8Array(1 << 18);
    let sent = 0;
    for (let round = 0; round < 20; round++) {
      while (zero!.mesh.hasRoom(1)) zero!.mesh.send(1, { header: sent++, payload });
      assert.not(zero!.mesh.hasRoom(1));
      await until('room', () => zero!.mesh.hasRoom(1));
    }
    assert.is(zero!.seen.rooms.length, 20);
    await until('all', () => one!.seen.packets.length === sent);
    const flood = () => {
      for (let i = 0; i < 100; i++) zero!.mesh.send(1, { header: i, payload });
    };
    assert.throws(flood, /at most 4194304 bytes may wait for rank 1.*ask hasRoom/);
    await closeAll([zero!, one!]);
  });

  test(`mesh: connections cut at any byte, each packet once, in order (${way})`, async () => {
    const prng = createPrng(11);
    const proxies: Awaited<ReturnType<typeof openProxy>>[] = [];
    const hosts = await startAll(2, options, async (port) => {
      proxies.push(await openProxy(port));
      return proxies[0]!.port;
    });
    const [proxy] = proxies;
    // The connection that stands is cut first; those after it live for up to so many bytes.
    proxy!.cutAfter(() => 1 + prng.below(prng.below(4) === 0 ? 600 : 200_000));
    proxy!.block(true);
    proxy!.block(false);
    const packets = 3000;
    const payloadOf = (rank: number, i: number) =>
      Buffer.alloc((i * 37) % (i % 50 === 0 ? 90_000 : 700), (rank * 101 + i) & 255);
    const sent = [0, 0];
    const offer = () => {
      hosts.forEach(({ mesh }, rank) => {
        for (
          let n = prng.below(40);
          n > 0 && sent[rank]! < packets && mesh.hasRoom(1 - rank);
          n--
        ) {
          const i = sent[rank]!++;
          mesh.send(1 - rank, { header: i, payload: payloadOf(rank, i) });
        }
      });
      return hosts.every(({ seen }) => seen.packets.length >= packets || seen.lost.length > 0);
    };
    await until('all packets', offer, 60_000);
    proxy!.cutAfter(undefined);
    await closeAll(hosts);
    hosts.forEach(({ seen }, rank) => {
      assert.equal(seen.lost, []);
      assert.equal(
        seen.packets.map(({ header }) => header),
        Array.from({ length: packets }, (_, i) => i),
      );
      for (const [i, { bytes }] of seen.packets.entries())
        assert.is(Buffer.compare(bytes, payloadOf(1 - rank, i)), 0, `packet ${i}`);
    });
    assert.ok(proxy!.cuts() >= 20, `${proxy!.cuts()} cuts`);
    assert.ok(hosts[0]!.mesh.statistics()[0]!.reconnects >= 10);
    proxy!.close();
  });

  test(`mesh: a killed host is lost to the others, with a reason (${way})`, async () => {
    const zero = await startZero({ ...options, size: 3 });
    const one = joinMesh({ ...base, ...options, rank: 1, size: 3, port: zero.port });
    const argument = JSON.stringify({ rank: 2, size: 3, port: zero.port, tls: way === 'TLS' });
    const child = fork(new URL('./mesh-host.js', import.meta.url), [argument]);
    const ready = new Promise((resolve) => child.on('message', resolve));
    const hosts = [watch(await zero.mesh), watch(await one)];
    await ready;
    hosts[0]!.mesh.send(2, { header: 'x', payload: new Uint8Array(3) });
    child.kill('SIGKILL');
    await until('both see it', () => hosts.every(({ seen }) => seen.lost.length > 0));
    for (const { seen } of hosts) {
      assert.is(seen.lost.length, 1);
      assert.is(seen.lost[0]!.rank, 2);
      assert.is(seen.lost[0]!.fault.code, 'ERR_PEER_LOST');
      const { message } = seen.lost[0]!.fault;
      assert.match(message, /lost rank 2 at 127\.0\.0\.1: nothing was heard of it for 1\.\d s/);
    }
    hosts[0]!.mesh.send(1, { header: 'still here', payload: new Uint8Array(0) });
    await until('the others go on', () => hosts[1]!.seen.packets.length === 1);
    await closeAll(hosts);
  });

  test(`mesh: after close a process may end, and is not lost (${way})`, async () => {
    const zero = await startZero({ ...options, size: 2 });
    const argument = JSON.stringify({
      rank: 1,
      size: 2,
      port: zero.port,
      tls: way === 'TLS',
      leave: 5,
    });
    const child = fork(new URL('./mesh-host.js', import.meta.url), [argument]);
    const gone = new Promise((resolve) => child.on('exit', resolve));
    const host = watch(await zero.mesh);
    assert.is(await gone, 0);
    await until('what it said', () => host.seen.packets.length === 5);
    await new Promise((resolve) => setTimeout(resolve, quick.peerTimeoutMs + 200));
    assert.equal(host.seen.lost, []);
    host.mesh.send(1, { header: 'nobody', payload: new Uint8Array(0) });
    const started = performance.now();
    await host.mesh.close();
    assert.ok(performance.now() - started < 900, 'nothing is waited for');
  });
}

test('mesh: a host that closes with a fault is lost, for its reason', async () => {
  const hosts = await startAll(2);
  await hosts[1]!.mesh.close({ code: 'ERR_DATA', message: 'a.txt:3: no number' });
  await until('rank 0 knows', () => hosts[0]!.seen.lost.length === 1);
  assert.match(hosts[0]!.seen.lost[0]!.fault.message, /it gave up: a.txt:3: no number/);
  await hosts[0]!.mesh.close();
});

test('mesh: a known payload is on the wire in plain TCP, and not under TLS', async () => {
  const known = Buffer.from('the change of row 7 is 0.125, and that is nobody else’s business');
  for (const [way, options] of ways) {
    const proxies: Awaited<ReturnType<typeof openProxy>>[] = [];
    const hosts = await startAll(2, options, async (port) => {
      proxies.push(await openProxy(port));
      return proxies[0]!.port;
    });
    const payload = Buffer.concat([Buffer.alloc(100_000), known]);
    for (const { mesh } of hosts) mesh.send(1 - mesh.rank, { header: 'knownHeader', payload });
    await until('both', () => hosts.every(({ seen }) => seen.packets.length === 1));
    await closeAll(hosts);
    const { toServer, toClient } = proxies[0]!.recorded;
    for (const direction of [toServer, toClient]) {
      const wire = Buffer.concat(direction);
      assert.ok(wire.length > payload.length);
      assert.is(wire.includes(known), way === 'plain TCP', way);
      assert.is(wire.includes('knownHeader'), way === 'plain TCP', way);
    }
    proxies[0]!.close();
  }
});

test('mesh: plain TCP stays on the loopback address', async () => {
  const plain = { ...base, secret: undefined, size: 2, rank: 1, host: '10.1.2.3' };
  const found = await codeOf(joinMesh(plain));
  assert.is(found.code, 'ERR_CONFIG');
  assert.match(found.message, /loopback address only, got 10\.1\.2\.3: .*secret, or --insecure/);
  const wild = await codeOf(joinMesh({ ...base, secret: undefined, size: 2, bind: '0.0.0.0' }));
  assert.is(wild.code, 'ERR_CONFIG');
  const short = await codeOf(joinMesh({ ...base, secret: new Uint8Array(15), size: 2 }));
  assert.match(short.message, /at least 16 bytes, got 15/);
});

test('mesh: a run of one host needs nobody', async () => {
  const mesh = await joinMesh(base);
  assert.equal([mesh.size, mesh.threads, mesh.statistics()], [1, [1], []]);
  await mesh.close();
});

/** Sends bytes to a port and resolves when the other end closes. */
function knock(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(bytes));
    socket.on('data', () => undefined).on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

test('mesh: who does not belong is refused, with the reason, and nobody is disturbed', async () => {
  const zero = await startZero({ size: 3 });
  const { port, logs } = zero;
  const as = (changes: Partial<MeshOptions>) =>
    joinMesh({ ...base, size: 3, port, rank: 1, joinTimeoutMs: 300, ...changes });
  const one = as({ joinTimeoutMs: 10_000 });
  const other = new Uint8Array(32).fill(8);
  const cases: readonly (readonly [Partial<MeshOptions>, RegExp, RegExp])[] = [
    [{ secret: other }, /same secret and run/, /binder.*another secret/i],
    [{ runId: 'other' }, /same secret and run/, /another secret/],
    [{ secret: undefined }, /has it a secret, and this end none/, /another secret or run, or none/],
    [{ version: '2' }, /version 2 joins a run of version 1/, /version 2 joins/],
    [{ size: 4 }, /it counts 4 hosts, this run has 3/, /it counts 4/],
    // Rank 1 has: it was first, and each case before took longer than its way in.
    [{ rank: 1 }, /rank 1 has joined already/, /rank 1 has joined already/],
  ];
  for (const [changes, said, logged] of cases) {
    const count = logs.length;
    const found = await codeOf(as(changes));
    assert.match(found.message, said);
    await until(`a log of ${String(logged)}`, () => logs.length > count);
    assert.match(logs.slice(count).join('\n'), logged);
  }
  const prng = createPrng(3);
  for (let i = 0; i < 50; i++) {
    await knock(
      port,
      Uint8Array.from({ length: 64 + prng.below(200) }, () => prng.below(256)),
    );
  }
  const hosts = [one, as({ rank: 2, joinTimeoutMs: 10_000 })];
  const all = [watch(await zero.mesh), ...(await Promise.all(hosts)).map((mesh) => watch(mesh))];
  await knock(port, Buffer.alloc(300, 1));
  for (const { mesh } of all) {
    for (const to of [0, 1, 2]) {
      if (to !== mesh.rank) mesh.send(to, { header: 'hi', payload: new Uint8Array(9) });
    }
  }
  await until('all are connected', () => all.every(({ seen }) => seen.packets.length === 2));
  assert.ok(all.every(({ seen }) => seen.lost.length === 0));
  await closeAll(all);
});

for (const [way, options] of ways) {
  test(`mesh: recorded bytes of a host that joined let nobody in (${way})`, async () => {
    const proxies: Awaited<ReturnType<typeof openProxy>>[] = [];
    const hosts = await startAll(2, options, async (port) => {
      proxies.push(await openProxy(port));
      return proxies[0]!.port;
    });
    hosts[1]!.mesh.send(0, { header: 'once', payload: new Uint8Array(10) });
    await until('the packet', () => hosts[0]!.seen.packets.length === 1);
    const target = hosts[0]!.logs.length;
    const bytes = Buffer.concat(proxies[0]!.recorded.toServer);
    await knock(proxies[0]!.port, bytes);
    await until('a log', () => hosts[0]!.logs.length > target);
    assert.match(hosts[0]!.logs.slice(target).join('\n'), /refused a connection/);
    hosts[1]!.mesh.send(0, { header: 'twice', payload: new Uint8Array(10) });
    await until('the next packet', () => hosts[0]!.seen.packets.length === 2);
    assert.equal(
      hosts[0]!.seen.packets.map(({ header }) => header),
      ['once', 'twice'],
    );
    assert.is(hosts[0]!.mesh.statistics()[0]!.reconnects, 0);
    await closeAll(hosts);
    proxies[0]!.close();
  });
}

test('mesh: rank 0 names the ranks that did not join in time', async () => {
  const zero = await startZero({ size: 4, joinTimeoutMs: 400 });
  const one = codeOf(joinMesh({ ...base, size: 4, rank: 1, port: zero.port, joinTimeoutMs: 900 }));
  const found = await codeOf(zero.mesh);
  assert.is(found.code, 'ERR_PEER_LOST');
  assert.match(found.message, /ranks 2, 3 of 4 hosts did not join in time/);
  assert.is((await one).code, 'ERR_PEER_LOST');
});

test.run();
