// A scheduled run over several hosts ends on all of them when it ends on one, with the reason, and
// in words that name who, when and what was waited for.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError, type ErrorCode } from '../src/base/errors.ts';
import type { Host } from '../src/supervisor/host.ts';
import { withCluster } from './helpers/joined-hosts.ts';
import { programOf, request } from './helpers/hosts.ts';
import { openProxy } from './helpers/proxy.ts';
import type { SharingOptions } from './programs/sharing-program.ts';

/** Far above what a run needs on a busy machine, far below for ever. */
const endMsMax = 8000;

type Asked = {
  readonly way?: SharingOptions['way'];
  readonly module?: string;
  /** Called on rank 0's first progress. */
  readonly during?: (hosts: readonly Host[]) => void;
  readonly signal?: AbortSignal;
  readonly through?: (port: number) => Promise<number>;
};

/** What the run of each host fails with. */
async function failuresOf(threads: readonly number[], asked: Asked): Promise<SystemError[]> {
  const { module = 'sharing-program', way, during, signal, through } = asked;
  const program = await programOf(module);
  const options: SharingOptions = {
    clocks: 100_000,
    bulk: 1000,
    ...(way !== undefined && { way }),
  };
  const startMs = performance.now();
  let told = false;
  const failureOf = async (hosts: readonly Host[], rank: number) => {
    const hooks = {
      ...(rank === 1 && signal !== undefined && { signal }),
      onEvent: () => {
        if (rank === 0 && !told) during?.(hosts);
        told ||= rank === 0;
      },
    };
    const found = await hosts[rank]!.run(program, request(module, options), hooks).catch(
      (error: unknown) => error,
    );
    if (found instanceof SystemError) return found;
    throw new Error(`rank ${rank} did not fail`, { cause: found });
  };
  const failures = await withCluster(
    threads,
    (hosts) => Promise.all(hosts.map((_, rank) => failureOf(hosts, rank))),
    through,
  );
  assert.ok(performance.now() - startMs < endMsMax, 'ended in time');
  return failures;
}

function check(error: SystemError | undefined, code: ErrorCode, ...words: RegExp[]): void {
  assert.is(error?.code, code, error?.message);
  for (const word of words) assert.match(error?.message ?? '', word);
}

for (const [way, words] of [
  ['throw', /push went wrong/],
  ['share', /"board" has 64 bytes, got 8 from byte 60/],
  ['name', /declares no buffer "nobody"/],
  ['worker', /workers are 0 to 3, got 4/],
] as const) {
  test(`scheduled: a push that fails on rank 2 ends all (${way})`, async () => {
    const [zero, one, two] = await failuresOf([1, 1, 2], { way });
    check(two, 'ERR_PROGRAM', words, /\(worker 1 at clock 2\)$/);
    check(zero, 'ERR_PROGRAM', words, /^rank 2: /, /\(worker 1 at clock 2\)$/);
    check(one, 'ERR_PROGRAM', words, /^rank 2: /);
  });
}

test('scheduled: a schedule that fails on rank 0 ends all', async () => {
  const [zero, one] = await failuresOf([1, 1], { way: 'schedule', module: 'failing-schedule' });
  check(zero, 'ERR_PROGRAM', /^schedule went wrong \(the scheduler at clock 2\)$/);
  check(one, 'ERR_PROGRAM', /^rank 0: schedule went wrong/);
});

test('scheduled: a stop that is asked for on one host ends all', async () => {
  const controller = new AbortController();
  const during = () => controller.abort();
  const [zero, one] = await failuresOf([1, 1], { during, signal: controller.signal });
  check(one, 'ERR_ABORTED', /^the run was stopped before its end$/);
  check(zero, 'ERR_ABORTED', /^rank 1: the run was stopped before its end$/);
});

test('scheduled: a host that is closed in the middle ends all', async () => {
  const during = (hosts: readonly Host[]) => void hosts[1]?.close();
  const [zero] = await failuresOf([1, 1, 1], { during });
  check(zero, 'ERR_ABORTED', /rank 1/);
});

test('scheduled: a host that goes away without a word ends all', async () => {
  const open = { proxy: undefined as Awaited<ReturnType<typeof openProxy>> | undefined };
  const through = async (port: number) => {
    open.proxy = await openProxy(port);
    return open.proxy.port;
  };
  const during = () => open.proxy?.block(true);
  const [zero, one] = await failuresOf([1, 1], { during, through, way: 'slow' });
  open.proxy?.close();
  check(
    zero,
    'ERR_PEER_LOST',
    /rank 1/,
    /waited for (the report of worker 1 on|rank 1 to take what worker 0 shared).* at clock \d+$/,
  );
  check(one, 'ERR_PEER_LOST', /rank 0/, /waited for the schedule of clock \d+ from rank 0/);
});

test('scheduled: sparse tables are refused on several hosts', async () => {
  const [zero, one] = await failuresOf([1, 1], { module: 'sparse-schedule' });
  check(zero, 'ERR_CONFIG', /has no sparse tables on several hosts, .* has "words"/);
  check(one, 'ERR_CONFIG', /has no sparse tables on several hosts/);
});

test.run();
