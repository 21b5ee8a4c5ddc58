// `perpetuum train` under a launcher of another's: what torchrun, Open MPI, Slurm's srun and MPICH
// tell the processes that they start, read from a record of environment variables.
//
//   torchrun   RANK WORLD_SIZE LOCAL_WORLD_SIZE MASTER_ADDR MASTER_PORT
//   Open MPI   OMPI_COMM_WORLD_RANK _SIZE _LOCAL_SIZE; MASTER_ADDR, or all on one machine
//   Slurm      SLURM_PROCID SLURM_NTASKS, in a step; rank 0 runs on the first host of the list
//   MPICH      PMI_RANK PMI_SIZE MPI_LOCALNRANKS; MASTER_ADDR, or all on one machine
//
// A run of one process is no run on several hosts.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { expandNodes } from './node-list.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/** A place in a run, without the secret, which no environment carries. */
export type EnvironmentPlace = {
  /** Who told it. */
  readonly source: string;
  readonly rank: number;
  readonly size: number;
  readonly rankZero: { readonly host: string; readonly port: number };
  readonly runId: string;
  /** This host's name, where the environment has it. */
  readonly host?: string;
  /** Processes of the run on this machine, which share its cores. */
  readonly localSize: number;
  /** Cores that were reserved for this process. */
  readonly cores?: number;
};

/** Where no port is named: below those that systems hand out by themselves. */
const defaultPort = 29511;
const derivedPorts = { from: 15_000, count: 15_000 };
/** Steps of Slurm have small numbers; the batch script and others have these. */
const stepIdMax = 4_294_967_000;

function missing(source: string, what: string, next: string): SystemError {
  return new SystemError('ERR_CONFIG', `${source}: ${what}\n${next}`);
}

/** A reader of one launcher's variables. */
function reader(variables: Variables, source: string) {
  const text = (name: string) => variables[name]?.trim() || undefined;
  const integer = (name: string, least: number, most: number): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const number = /^\d{1,10}$/.test(value) ? Number(value) : -1;
    if (number >= least && number <= most) return number;
    const rule = `${name} must be an integer from ${least} to ${most}, got "${value}"`;
    throw missing(source, rule, 'unset it, or give --host-rank, --world-size and --master');
  };
  const need = (name: string, least: number, most: number): number => {
    const value = integer(name, least, most);
    if (value !== undefined) return value;
    const next = 'unset the others, or give --host-rank, --world-size and --master';
    throw missing(source, `${name} is missing`, next);
  };
  /** Rank and size; undefined for a run of one. */
  const place = (rankName: string, sizeName: string) => {
    const size = need(sizeName, 1, limits.hostsMax);
    const rank = need(rankName, 0, size - 1);
    return size === 1 ? undefined : { rank, size };
  };
  return { text, integer, place };
}

/** The same port for the same text: FNV-1a of its characters. */
function portOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return derivedPorts.from + (hash % derivedPorts.count);
}

function torchrun(variables: Variables): EnvironmentPlace | undefined {
  const source = 'torchrun';
  const { text, integer, place } = reader(variables, source);
  const found = place('RANK', 'WORLD_SIZE');
  if (found === undefined) return undefined;
  const host = text('MASTER_ADDR');
  const port = integer('MASTER_PORT', 1, 65535);
  if (host === undefined || port === undefined) {
    const what = `${host === undefined ? 'MASTER_ADDR' : 'MASTER_PORT'} is missing`;
    throw missing(source, what, 'set it to where rank 0 listens, the same for all ranks');
  }
  // There the port of the master is taken by torchrun's own store.
  const taken = text('TORCHELASTIC_USE_AGENT_STORE') === 'True';
  const beside = port === 65535 ? port - 1 : port + 1;
  const rankZero = { host, port: taken ? beside : port };
  const runId = `${source}-${text('TORCHELASTIC_RUN_ID') ?? `${host}:${port}`}`;
  const localSize = integer('LOCAL_WORLD_SIZE', 1, found.size) ?? 1;
  return { source, ...found, rankZero, runId, localSize };
}

/** MPI says who is who, but not where rank 0 is. */
function mpi(
  variables: Variables,
  names: { source: string; rank: string; size: string; localSize: string; job: string },
): EnvironmentPlace | undefined {
  const { source } = names;
  const { text, integer, place } = reader(variables, source);
  const found = place(names.rank, names.size);
  if (found === undefined) return undefined;
  const localSize = integer(names.localSize, 1, found.size);
  const host = text('MASTER_ADDR') ?? (localSize === found.size ? '127.0.0.1' : undefined);
  if (host === undefined) {
    const next = 'name the host of rank 0 to all: mpirun -x MASTER_ADDR=HOST … (MPICH: -genv)';
    throw missing(source, 'MASTER_ADDR is missing, and the ranks are on several machines', next);
  }
  const job = text(names.job);
  const derived = job === undefined ? defaultPort : portOf(job);
  const port = integer('MASTER_PORT', 1, 65535) ?? derived;
  const runId = `${source}-${job ?? `${host}:${port}`}`;
  const own = text('PMIX_HOSTNAME');
  return {
    ...{ source, ...found, rankZero: { host, port }, runId, localSize: localSize ?? 1 },
    ...(own !== undefined && { host: own }),
  };
}

/** Tasks on this host, of `2(x3),1`: three hosts with two, then one with one. */
function slurmLocalSize(tasks: string | undefined, node: number): number {
  const counts = (tasks ?? '').split(',').flatMap((item) => {
    const [, count = '1', times = '1'] = /^(\d{1,4})(?:\(x(\d{1,4})\))?$/.exec(item) ?? [];
    return Array.from({ length: Number(times) }, () => Number(count));
  });
  return Math.max(1, counts[node] ?? 1);
}

function slurm(variables: Variables): EnvironmentPlace | undefined {
  const source = 'Slurm';
  const { text, integer, place } = reader(variables, source);
  // The batch script itself is no task of a step, whatever else it is told.
  const step = text('SLURM_STEP_ID');
  if (step === undefined || Number(step) > stepIdMax) return undefined;
  const stepSize = text('SLURM_STEP_NUM_TASKS');
  const size = stepSize === undefined ? 'SLURM_NTASKS' : 'SLURM_STEP_NUM_TASKS';
  const found = place('SLURM_PROCID', size);
  if (found === undefined) return undefined;
  const list = text('SLURM_STEP_NODELIST') ?? text('SLURM_JOB_NODELIST') ?? text('SLURM_NODELIST');
  const job = text('SLURM_JOB_ID') ?? text('SLURM_JOBID');
  if (list === undefined || job === undefined) {
    const what = `${list === undefined ? 'SLURM_JOB_NODELIST' : 'SLURM_JOB_ID'} is missing`;
    throw missing(source, what, 'start perpetuum by srun');
  }
  const host = text('MASTER_ADDR') ?? expandNodes(list)[0] ?? '';
  const runId = `${source}-${job}.${step}`;
  const port = integer('MASTER_PORT', 1, 65535) ?? portOf(runId);
  const node = integer('SLURM_NODEID', 0, limits.hostsMax) ?? 0;
  const tasks = text('SLURM_STEP_TASKS_PER_NODE') ?? text('SLURM_TASKS_PER_NODE');
  const cores = integer('SLURM_CPUS_PER_TASK', 1, 65535);
  const own = text('SLURMD_NODENAME');
  return {
    ...{ source, ...found, rankZero: { host, port }, runId },
    localSize: slurmLocalSize(tasks, node),
    ...(own !== undefined && { host: own }),
    ...(cores !== undefined && { cores }),
  };
}

const openMpi = {
  ...{ source: 'Open MPI', rank: 'OMPI_COMM_WORLD_RANK', size: 'OMPI_COMM_WORLD_SIZE' },
  ...{ localSize: 'OMPI_COMM_WORLD_LOCAL_SIZE', job: 'PMIX_NAMESPACE' },
};
const mpich = {
  ...{ source: 'MPICH', rank: 'PMI_RANK', size: 'PMI_SIZE' },
  ...{ localSize: 'MPI_LOCALNRANKS', job: 'PMI_JOBID' },
};

/**
 * This process's place in the run of another launcher; undefined without one. The innermost wins:
 * torchrun may run under srun, and srun sets the variables of MPICH.
 * @throws ERR_CONFIG when a launcher is recognized and something that is needed is missing.
 */
export function placeFromEnvironment(variables: Variables): EnvironmentPlace | undefined {
  const has = (name: string) => (variables[name] ?? '').trim() !== '';
  if (has('RANK') && has('WORLD_SIZE')) return torchrun(variables);
  if (has(openMpi.rank) || has(openMpi.size)) return mpi(variables, openMpi);
  if (has('SLURM_PROCID')) return slurm(variables);
  if (has(mpich.rank) || has(mpich.size)) return mpi(variables, mpich);
  return undefined;
}
