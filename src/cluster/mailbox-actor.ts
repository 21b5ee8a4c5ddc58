// The mailbox actor: owns a host's sockets, and takes part in its runs over the shared memory. What
// the supervisor calls over comlink, rarely; rows travel between memory and sockets alone.
import { open } from 'node:fs/promises';
import { assert } from '../base/assert.ts';
import { SystemError, toFault, type Fault } from '../base/errors.ts';
import type { LinkStatistics } from '../mailbox/network.ts';
import { joinMesh, type Mesh, type MeshOptions } from '../mailbox/tcp/mesh.ts';
import { createActor, type Actor, type Boot, type Outcome } from '../program/actor.ts';
import type { AnyProgram } from '../program/program.ts';
import { Link } from './link.ts';
import { runMailbox, type MailboxSummary } from './run.ts';

/** What a host knows of the others once all have joined. */
export type Joined = { readonly threads: readonly number[] };

export type JoinOptions = Omit<MeshOptions, 'onListening' | 'log'>;

/** What is told while a host joins: a proxy of functions of the supervisor's thread. */
export type JoinWatch = { listening(port: number): void; log(line: string): void };

/** Bytes of a file of this host, for one that does not have it. */
async function readFilePiece(path: string, from: number, bytes: number): Promise<Uint8Array> {
  const file = await open(path).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SystemError('ERR_DATA', `${path} cannot be read on rank 0: ${why}`, { cause });
  });
  try {
    const room = new Uint8Array(bytes);
    const { bytesRead } = await file.read(room, 0, bytes, from);
    return room.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

export type MailboxActor = Actor<MailboxSummary> & {
  /** Waits until all hosts are there. */
  join(options: JoinOptions, watch: JoinWatch): Promise<Outcome<Joined>>;
  /** See World.allGather. */
  gather(name: string, bytes: Uint8Array): Promise<Outcome<readonly Uint8Array[]>>;
  /** See World.readRemote. */
  read(path: string, from: number, bytes: number): Promise<Outcome<Uint8Array>>;
  statistics(): Promise<readonly LinkStatistics[]>;
  /** Tells the other hosts why run `run` fails here. */
  fail(fault: Fault, run: number): Promise<Outcome<undefined>>;
  /** Says goodbye: what was sent arrives first. With a fault, the others lose us for it. */
  leave(fault?: Fault): Promise<Outcome<void>>;
};

async function outcome<T>(act: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await act() };
  } catch (thrown) {
    return { ok: false, fault: toFault(thrown) };
  }
}

export function mailboxActor(boot: Boot, builtIns: ReadonlyMap<string, AnyProgram>): MailboxActor {
  let joined: { readonly mesh: Mesh; readonly link: Link } | undefined;
  const there = () => {
    assert(joined !== undefined, 'the host has joined');
    return joined;
  };
  const actor = createActor(boot, builtIns, (stage) =>
    runMailbox(stage, there().mesh, there().link),
  );
  return {
    async run(plan, userModule) {
      const done = await actor.run(plan, userModule);
      if (!done.ok || done.value.fault === undefined) return done;
      return { ok: false, fault: done.value.fault };
    },
    join: (options, watch) =>
      outcome(async () => {
        if (joined !== undefined) throw new SystemError('ERR_CONFIG', 'a host joins once');
        const mesh = await joinMesh({
          ...options,
          onListening: (port) => watch.listening(port),
          log: (line) => watch.log(line),
        });
        const link = new Link(mesh, readFilePiece);
        mesh.attach(link);
        joined = { mesh, link };
        return { threads: mesh.threads };
      }),
    gather: (name, bytes) => outcome(() => there().link.gather(name, bytes)),
    read: (path, from, bytes) => outcome(() => there().link.read(path, from, bytes)),
    statistics: () => Promise.resolve(joined?.link.statistics ?? []),
    fail: (fault, run) =>
      outcome(() => {
        joined?.link.fail(fault, run);
        return Promise.resolve(undefined);
      }),
    leave: (fault) =>
      outcome(async () => {
        await joined?.mesh.close(fault);
        joined = undefined;
      }),
  };
}
