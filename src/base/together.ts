// A stretch of work that all hosts do together, in rounds: in each round everyone tells the others
// something, or that it failed. So a failure on one host is the same failure on all, and no host
// waits for one that has given up.
//
//   host 0    work ── value ──▶ │ work ── value ──▶ │ … done ──▶ │
//   host 1    work ── value ──▶ │ work ── fault ──▶ │            both throw host 1's fault
import { fromFault, toFault, type Fault } from './errors.ts';
import type { World } from './world.ts';

export type Talk = {
  /** Everyone's bytes, by rank. @throws the fault of the lowest rank that failed before it came. */
  gather(bytes: Uint8Array): Promise<readonly Uint8Array[]>;
  /** The same for plain data, as JSON. */
  exchange<T>(value: T): Promise<readonly T[]>;
};

/** First byte of what a host sends in a round. */
const marks = { value: 0, fault: 1 } as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Stretches begun so far: the same number on all hosts, for all run the same job. */
const begun = new WeakMap<World, number>();

function marked(mark: number, bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(bytes.length + 1);
  message[0] = mark;
  message.set(bytes, 1);
  return message;
}

function faultIn(messages: readonly Uint8Array[]): Fault | undefined {
  const found = messages.find(([mark]) => mark === marks.fault);
  return found && (JSON.parse(decoder.decode(found.subarray(1))) as Fault);
}

/**
 * Runs `body` on all hosts; returns when all have ended it.
 *
 *     const sums = await together(world, 'sums', (talk) => talk.exchange(mySum));
 *
 * All bodies talk equally often. @throws on every host what one of them threw, of several what
 * the one of lowest rank threw in that round; ERR_PEER_LOST when a host is gone.
 */
export async function together<T>(
  world: World,
  name: string,
  body: (talk: Talk) => Promise<T>,
): Promise<T> {
  if (world.size === 1) {
    const alone = <V>(value: V) => Promise.resolve([value]);
    return body({ gather: alone, exchange: alone });
  }
  const stretch = begun.get(world) ?? 0;
  begun.set(world, stretch + 1);
  let round = 0;
  let over = false;
  const say = async (mark: number, bytes: Uint8Array): Promise<readonly Uint8Array[]> => {
    try {
      const all = await world.allGather(`${name} ${stretch}.${round++}`, marked(mark, bytes));
      const fault = faultIn(all);
      if (fault !== undefined) throw fromFault(fault);
      return all.map((message) => message.subarray(1));
    } catch (error) {
      over = true;
      throw error;
    }
  };
  const gather = (bytes: Uint8Array) => say(marks.value, bytes);
  const exchange = async <V>(value: V) => {
    const all = await gather(encoder.encode(JSON.stringify(value)));
    return all.map((bytes) => JSON.parse(decoder.decode(bytes)) as V);
  };
  try {
    const result = await body({ gather, exchange });
    await gather(new Uint8Array(0));
    return result;
  } catch (error) {
    if (!over) await say(marks.fault, encoder.encode(JSON.stringify(toFault(error))));
    throw error;
  }
}
