// Hosts for tests: small, on the release kernels, and always closed.
import type { Samples } from '../../src/data/dataset.ts';
import type { RunRequest } from '../../src/program/plan.ts';
import type { AnyProgram } from '../../src/program/program.ts';
import type { Consistency } from '../../src/ps/freshness.ts';
import { Host } from '../../src/supervisor/host.ts';

export const noData: Samples = {
  ...{ kind: 'samples', storage: 'f32', rows: 0, columns: 0, stride: 0, nonzeros: 0 },
  ...{ first: 0, scale: 1, base: 0, classes: [], columnNames: [], blocks: [] },
};

/** A host for one test; closed when `body` is done, whatever it does. */
export async function withHost<T>(
  threads: number,
  body: (host: Host) => Promise<T>,
  pushTimeoutMs = 10_000,
): Promise<T> {
  const host = new Host({ threads, loaders: 1, variant: 'release', pushTimeoutMs });
  try {
    return await body(host);
  } finally {
    await host.close();
  }
}

/** A request for a program module beside the tests. */
export function request(
  module: string,
  options: unknown,
  run: {
    consistency?: Consistency;
    staleness?: number;
    audit?: boolean;
  } & Partial<RunRequest> = {},
): RunRequest {
  const { consistency = 'bsp', staleness = 0, ...rest } = run;
  return {
    program: { url: new URL(`./${module}.js`, import.meta.url).href },
    ...{ userKernels: undefined, options, data: noData, partitions: 8, seed: 1 },
    ...{ policy: { consistency, staleness }, audit: false, canary: undefined },
    ...rest,
  };
}

/** Imports a program module beside the tests. */
export async function programOf(module: string): Promise<AnyProgram> {
  const loaded = (await import(new URL(`./${module}.js`, import.meta.url).href)) as {
    program: AnyProgram;
  };
  return loaded.program;
}
