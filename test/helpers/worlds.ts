// Several hosts inside one process: each runs the same code with its own world, and what they
// gather goes from hand to hand.
import { closeSync, openSync, readSync } from 'node:fs';
import type { World } from '../../src/base/world.ts';

type Meeting = {
  readonly name: string;
  readonly bytes: Uint8Array[];
  readonly resolve: ((all: readonly Uint8Array[]) => void)[];
};

export type WorldsOptions = {
  /** Worker threads of every host; default 1 each. */
  readonly threads?: readonly number[];
  /** Where rank 0 has the file that others borrow under this path. */
  readonly remote?: (path: string) => string;
  /** Told of every read of a remote file. */
  readonly onRead?: (path: string, from: number, bytes: number) => void;
};

/** One world a host. Hosts that gather under different names have parted: that throws. */
export function fakeWorlds(size: number, options: WorldsOptions = {}): World[] {
  const threads = options.threads ?? Array.from({ length: size }, () => 1);
  let meeting: Meeting | undefined;
  return Array.from({ length: size }, (_, rank): World => {
    return {
      ...{ rank, size, threads },
      allGather(name, bytes) {
        meeting ??= { name, bytes: [], resolve: [] };
        const { bytes: all, resolve } = meeting;
        if (meeting.name !== name || all[rank] !== undefined) {
          throw new Error(`host ${rank} gathers "${name}" where others gather "${meeting.name}"`);
        }
        all[rank] = bytes.slice();
        return new Promise((done) => {
          resolve.push(done);
          if (resolve.length < size) return;
          meeting = undefined;
          for (const each of resolve) each(all.map((copy) => copy.slice()));
        });
      },
      // eslint-disable-next-line @typescript-eslint/require-await -- throws as a promise does
      async readRemote(path, from, bytes) {
        options.onRead?.(path, from, bytes);
        const file = openSync(options.remote?.(path) ?? path, 'r');
        try {
          const piece = Buffer.alloc(bytes);
          return piece.subarray(0, readSync(file, piece, 0, bytes, from));
        } finally {
          closeSync(file);
        }
      },
    };
  });
}

/** Runs `body` on every host at once and waits for all, also when some fail. */
export async function onAll<T>(
  worlds: readonly World[],
  body: (world: World) => Promise<T>,
): Promise<PromiseSettledResult<T>[]> {
  return Promise.allSettled(worlds.map(body));
}
