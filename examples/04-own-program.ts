// A program of one's own: a linear SVM on the parameter server, with its own kernel
// (svm.kernel.ts).
//
//   min_w λ/2 ‖w‖² + (1/n) Σ max(0, 1 − y_i w·x_i)   step 1/(λ(t + t0)), Shalev-Shwartz et al. 2007
//
// A module for the command line; prints the last clock's hinge loss, an objective of about 0.32:
//
//     perpetuum train build/test/04-own-program.js examples/data/a9a.gz --set lambda=1e-3
import { defineProgram, type PartitionWork, type Samples } from '../src/index.ts';

type Options = { readonly lambda?: number; readonly passes?: number };

/** Rows that one push visits of every block: a clock is a tenth of the data. */
const stepsPerPass = 10;

export const input = 'samples';
export const kernels = '../wasm/svm.kernel.wasm';

export const program = defineProgram<Options, PartitionWork, undefined>({
  name: 'svm',
  tables: ({ data }) => [{ name: 'w', rows: 1, columns: (data as Samples).columns }],
  clocks: ({ options }) => (options.passes ?? 4) * stepsPerPass,
  start: () => undefined,
  push(ctx, { partition, clock }) {
    const { lambda = 1e-3 } = ctx.options;
    const data = ctx.data as Samples;
    const weights = ctx.table('w');
    const delta = weights.incRange(0, 1);
    const parts = ctx.partitions * stepsPerPass;
    const part = partition * stepsPerPass + (clock % stepsPerPass);
    let rows = 0;
    let loss = 0;
    for (const block of data.blocks) {
      const first = Math.floor((block.rows * part) / parts);
      const count = Math.floor((block.rows * (part + 1)) / parts) - first;
      const { index, value } = block;
      const start = block.rowStart + 4 * first;
      const target = block.target + 4 * first;
      // g += y·x over the margin's violators
      loss += ctx.userKernels['hinge']!(count, start, index, value, target, weights.at, delta);
      rows += count;
    }
    // w ← w + η ( g / batch − λ w / partitions )
    const eta = 1 / (lambda * (clock + 1000));
    ctx.kernels.f32_scale(data.columns, eta / (rows * ctx.partitions), delta);
    ctx.kernels.f32_axpy(data.columns, (-eta * lambda) / ctx.partitions, weights.at, delta);
    if (partition === 0) ctx.report({ objective: loss / rows });
  },
});
