// mlr by SGD whose pushes take a given time, on hosts that stall: in every other window of four
// clocks' time one host, drawn at random, does nothing. All hosts read the same wall clock.
import { createPrng } from '../../src/base/prng.ts';
import { mlrSgd, type MlrSgdOptions } from '../../src/models/mlr/sgd.ts';
import { defineProgram, type PartitionWork } from '../../src/program/program.ts';

type Options = MlrSgdOptions & {
  readonly pushMs: number;
  readonly hosts: number;
  /** 0: nobody stalls. */
  readonly stallMs: number;
};
type State = ReturnType<typeof mlrSgd.start>;

const pause = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms: number) => void (ms > 0 && Atomics.wait(pause, 0, 0, ms));

/** Milliseconds that `worker` stalls from `nowMs` on. */
function stallOf({ hosts, stallMs }: Options, worker: number, nowMs: number): number {
  if (stallMs === 0) return 0;
  const window = Math.floor(nowMs / stallMs);
  if (window % 2 === 1) return 0;
  const victim = createPrng(7, window % 2 ** 30).below(hosts);
  return victim === worker ? (window + 1) * stallMs - nowMs : 0;
}

export const program = defineProgram<Options, PartitionWork, State>({
  ...mlrSgd,
  name: 'stalling-mlr',
  push(ctx, work) {
    sleep(stallOf(ctx.options, ctx.worker, Date.now()));
    sleep(ctx.options.pushMs);
    mlrSgd.push(ctx, work);
  },
});
