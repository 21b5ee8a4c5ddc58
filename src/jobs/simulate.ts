// The simulate job: one train job under several policies, each on the same simulated hosts. All the
// job's code runs for real; what is virtual is the time that pushes and the network take.
import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { SystemError } from '../base/errors.ts';
import { createMemory } from '../memory/arena.ts';
import { limits } from '../base/limits.ts';
import { compileKernels } from '../memory/kernels.ts';
import type { Policy } from '../ps/freshness.ts';
import { allDone, openHosts, sumLags } from '../rehearsal/hosts.ts';
import { simulateRun, type Cluster, type VirtualRun } from '../rehearsal/simulated-runs.ts';
import { networkFaults, pushMsOf, transientOf } from '../sim/options.ts';
import { plainSending } from './cluster.ts';
import type { JobHooks, SimulatedPolicy, SimulateDone, SimulateJob, TrainDone } from './job.ts';
import { trainJob } from './train.ts';

/** The objective is reached when a pass's mean loss is at most so many times bsp's last one. */
const targetShare = 1.001;

/** What was reported of one pass: by all partitions, when it is over. */
type Pass = { seconds: number; loss: number; rows: number };

type Simulated = {
  readonly done: TrainDone;
  readonly run: VirtualRun;
  readonly passes: Pass[];
  /** Programs with a schedule: they are the same under every policy. */
  readonly scheduled: boolean;
};

type Simulation = {
  readonly job: SimulateJob;
  readonly hooks: JobHooks;
  readonly cluster: Cluster;
  readonly module: WebAssembly.Module;
  readonly memories: readonly WebAssembly.Memory[];
};

/** A policy as the command line writes it: `essp:4`. */
function policyText({ consistency, staleness }: Policy): string {
  return consistency === 'bsp' || consistency === 'async'
    ? consistency
    : `${consistency}:${staleness}`;
}

function clusterOf({ hosts, threads, network, push, seed, train }: SimulateJob): Cluster {
  return {
    threads: Array.from({ length: hosts }, () => threads),
    faults: networkFaults(network, hosts),
    transient: transientOf(network.straggler),
    pushMs: pushMsOf(push),
    seed,
    sending: train.sending ?? plainSending,
  };
}

/** Takes in a report of a partition. */
function addReport(passes: Pass[], values: Readonly<Record<string, number>>, nowMs: number): void {
  const { pass, loss, rows } = values;
  if (pass === undefined || loss === undefined || rows === undefined) return;
  const sum = (passes[pass - 1] ??= { seconds: 0, loss: 0, rows: 0 });
  sum.seconds = Math.max(sum.seconds, nowMs / 1000);
  sum.loss += loss;
  sum.rows += rows;
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

function hashOf(traceHashes: readonly string[]): string {
  const hash = createHash('sha256');
  for (const traceHash of traceHashes) hash.update(traceHash);
  return hash.digest('hex').slice(0, 16);
}

/** One run after the other, as one. */
function joinRuns(runs: readonly VirtualRun[]): VirtualRun {
  const [first] = runs;
  if (first !== undefined && runs.length === 1) return first;
  const seconds = sumOf(runs.map((run) => run.seconds));
  const waited = sumOf(runs.map((run) => run.waited * run.seconds));
  return {
    ...{ seconds, waited: seconds > 0 ? waited / seconds : 0 },
    clocks: sumOf(runs.map(({ clocks }) => clocks)),
    lags: sumLags(runs.map(({ lags }) => lags)),
    bytesSent: sumOf(runs.map(({ bytesSent }) => bytesSent)),
    traceHash: hashOf(runs.map(({ traceHash }) => traceHash)),
    pushesMs: runs.flatMap(({ pushesMs }) => pushesMs),
  };
}

/** Trains under one policy. `speaks`: the hosts say what they read. */
async function simulatePolicy(
  { job, hooks, cluster, module, memories }: Simulation,
  policy: Policy,
  speaks: boolean,
): Promise<Simulated> {
  const passes: Pass[] = [];
  const runs: VirtualRun[] = [];
  let scheduled = true;
  const { signal } = hooks;
  const onEvent = (clock: number, nowMs: number) =>
    hooks.onEvent({
      ...{ kind: 'progress', clock },
      values: { staleness: policy.staleness, virtualSeconds: Math.round(nowMs / 100) / 10 },
    });
  const hosts = openHosts({
    ...{ threads: cluster.threads, module, memories },
    async runAll(asked) {
      const earlierMs = runs.reduce((sum, { seconds }) => sum + 1000 * seconds, 0);
      const options = { ...cluster, module, run: runs.length + 1, signal };
      const { results, virtual } = await simulateRun(
        {
          ...options,
          onEvent(event, nowMs) {
            if (event.kind !== 'progress') return;
            addReport(passes, event.values, earlierMs + nowMs);
            onEvent(event.clock, earlierMs + nowMs);
          },
        },
        asked,
      );
      runs.push(virtual);
      scheduled &&= asked.every(({ program }) => program.schedule !== undefined);
      return results;
    },
  });
  const train = { ...job.train, ...policy, threads: job.threads, out: undefined };
  const told = (rank: number): JobHooks => ({
    signal,
    onEvent(event) {
      const said = event.kind === 'load' || event.kind === 'facts' || event.kind === 'warning';
      if (rank === 0 && speaks && said) hooks.onEvent(event);
    },
  });
  const jobs = hosts.map((host, rank) => trainJob(train, told(rank), undefined, () => host));
  const [done] = await allDone(jobs);
  if (done === undefined || runs.length === 0) {
    const rule = `a simulation is of programs that run over all hosts, and ${train.model} does not`;
    throw new SystemError('ERR_CONFIG', `${rule}\ntrain mlr or mf`);
  }
  return { done, run: joinRuns(runs), passes, scheduled };
}

const meanOf = (histogram: readonly number[]) => {
  const count = sumOf(histogram);
  const sum = histogram.reduce((total, n, lag) => total + n * lag, 0);
  return count === 0 ? 0 : sum / count;
};

function rowOf(policy: Policy, { done, run, passes }: Simulated): SimulatedPolicy {
  return {
    ...policy,
    secondsToObjective: null,
    seconds: run.seconds,
    ...{ objective: done.objective, clocks: run.clocks, meanStaleness: meanOf(run.lags) },
    ...{ waited: run.waited, bytesSentPerHost: run.bytesSent },
    passes: passes.map(({ seconds, loss, rows }) => ({ seconds, loss: loss / rows })),
    ...{ modelHash: done.modelHash, traceHash: run.traceHash },
  };
}

/**
 * When the objective was reached: at the end of the first pass whose mean loss is at or below it,
 * or at the end of all, where the parameters are better than they were on average in the last pass.
 */
function reached(row: SimulatedPolicy, target: number | null): SimulatedPolicy {
  if (target === null) return row;
  const pass = row.passes.find(({ loss }) => loss <= target);
  const end = row.objective <= target ? row.seconds : null;
  return { ...row, secondsToObjective: pass?.seconds ?? end };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** bsp first: the others are measured by what it reaches. */
function policiesOf({ policies, objective }: SimulateJob): readonly Policy[] {
  const bsp: Policy = { consistency: 'bsp', staleness: 0 };
  const others = policies.filter(({ consistency }) => consistency !== 'bsp');
  const asked = others.length < policies.length || objective === undefined;
  return asked ? [bsp, ...others] : others;
}

/**
 * Trains on simulated hosts under one policy after the other: the same data in the same partitions
 * and order, the same stragglers at the same virtual times.
 * @throws ERR_CONFIG for a model whose program does not run over all hosts; what the job throws.
 */
export async function simulateJob(job: SimulateJob, hooks: JobHooks): Promise<SimulateDone> {
  const cluster = clusterOf(job);
  setMaxListeners(0, hooks.signal); // each host listens
  // Fused multiply-add differs between machines: its traces could not be compared.
  const module = compileKernels('release');
  const memories = cluster.threads.map(() => createMemory(limits.memoryBytes));
  const simulation = { job, hooks, cluster, module, memories };
  const rows: SimulatedPolicy[] = [];
  const pushesMs: number[] = [];
  for (const policy of policiesOf(job)) {
    const fromMs = performance.now();
    const simulated = await simulatePolicy(simulation, policy, rows.length === 0);
    const row = rowOf(policy, simulated);
    rows.push(row);
    pushesMs.push(...simulated.run.pushesMs);
    const [virtual, real] = [row.seconds, (performance.now() - fromMs) / 1000];
    const text = `${virtual.toFixed(2)} virtual seconds (${real.toFixed(1)} real)`;
    hooks.onEvent({ kind: 'facts', text: `${policyText(policy)}: ${text}` });
    if (!simulated.scheduled) continue;
    const why = 'its program has a schedule, which no policy changes: it is simulated once';
    hooks.onEvent({ kind: 'facts', text: `${job.train.model}: ${why}` });
    break;
  }
  const bspLast = rows.find(({ consistency }) => consistency === 'bsp')?.passes.at(-1)?.loss;
  const target = job.objective ?? (bspLast === undefined ? null : targetShare * bspLast);
  return {
    ...{ model: job.train.model, hosts: job.hosts, threads: job.threads, seed: job.seed, target },
    ...{ pushMs: cluster.pushMs, measuredPushMs: median(pushesMs) },
    policies: rows.map((row) => reached(row, target)),
    traceHash: hashOf(rows.map(({ traceHash }) => traceHash)),
  };
}
