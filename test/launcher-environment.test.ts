// `perpetuum train` under other launchers: their variables as a table, and what joins a run.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { placeFromEnvironment } from '../src/launcher/environment.ts';
import { joinRun, type JoinOptions } from '../src/launcher/join.ts';
import { withFolder } from './helpers/command.ts';

function variables(text: string): Record<string, string> {
  const pairs = text.split(' ').filter((pair) => pair !== '');
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
}

// Ports that are derived are FNV-1a of the job's name, computed elsewhere.
const torch = 'RANK=1 WORLD_SIZE=4 MASTER_ADDR=10.0.0.1 MASTER_PORT=4711';
const ompi = 'OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2';
const step =
  'SLURM_PROCID=2 SLURM_NTASKS=4 SLURM_STEP_ID=0 SLURM_JOB_ID=77 SLURM_JOB_NODELIST=n[1-3,7]';
const pmi = 'PMI_RANK=0 PMI_SIZE=2';

/** rank/size@host:port source localSize cores host, or - for none, or the error's first line. */
function told(text: string): string {
  try {
    const place = placeFromEnvironment(variables(text));
    if (place === undefined) return '-';
    const { rank, size, rankZero, source, localSize, cores, host } = place;
    const where = `${rank}/${size}@${rankZero.host}:${rankZero.port}`;
    return `${where} ${source} ${localSize} ${cores ?? ''} ${host ?? ''}`.trim();
  } catch (thrown) {
    assert.ok(thrown instanceof SystemError && thrown.code === 'ERR_CONFIG', String(thrown));
    const [first = '', next = ''] = thrown.message.split('\n');
    assert.ok(next !== '', 'it says what to do');
    return first;
  }
}

const table: readonly (readonly [string, string])[] = [
  ['', '-'],
  ['RANK=3', '-'],
  [torch, '1/4@10.0.0.1:4711 torchrun 1'],
  [`${torch} LOCAL_WORLD_SIZE=2`, '1/4@10.0.0.1:4711 torchrun 2'],
  // Its own store has that port.
  [`${torch} TORCHELASTIC_USE_AGENT_STORE=True`, '1/4@10.0.0.1:4712 torchrun 1'],
  ['RANK=0 WORLD_SIZE=1', '-'],
  ['RANK=0 WORLD_SIZE=2 MASTER_PORT=1', 'torchrun: MASTER_ADDR is missing'],
  ['RANK=0 WORLD_SIZE=2 MASTER_ADDR=a', 'torchrun: MASTER_PORT is missing'],
  ['RANK=2 WORLD_SIZE=2', 'torchrun: RANK must be an integer from 0 to 1, got "2"'],
  ['RANK=x WORLD_SIZE=2', 'torchrun: RANK must be an integer from 0 to 1, got "x"'],
  ['RANK=0 WORLD_SIZE=-1', 'torchrun: WORLD_SIZE must be an integer from 1 to 256, got "-1"'],
  [
    'RANK=0 WORLD_SIZE=2 MASTER_ADDR=a MASTER_PORT=70000',
    'torchrun: MASTER_PORT must be an integer from 1 to 65535, got "70000"',
  ],
  [`${ompi} OMPI_COMM_WORLD_LOCAL_SIZE=2`, '1/2@127.0.0.1:29511 Open MPI 2'],
  [`${ompi} OMPI_COMM_WORLD_LOCAL_SIZE=2 PMIX_NAMESPACE=j1`, '1/2@127.0.0.1:25060 Open MPI 2'],
  [`${ompi} OMPI_COMM_WORLD_LOCAL_SIZE=2 PMIX_NAMESPACE=j2`, '1/2@127.0.0.1:17917 Open MPI 2'],
  [`${ompi} MASTER_ADDR=a PMIX_HOSTNAME=b`, '1/2@a:29511 Open MPI 1  b'],
  [`${ompi} MASTER_ADDR=a MASTER_PORT=9`, '1/2@a:9 Open MPI 1'],
  [
    `${ompi} OMPI_COMM_WORLD_LOCAL_SIZE=1`,
    'Open MPI: MASTER_ADDR is missing, and the ranks are on several machines',
  ],
  ['OMPI_COMM_WORLD_RANK=1', 'Open MPI: OMPI_COMM_WORLD_SIZE is missing'],
  ['OMPI_COMM_WORLD_SIZE=2', 'Open MPI: OMPI_COMM_WORLD_RANK is missing'],
  ['OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=1', '-'],
  [step, '2/4@n1:21099 Slurm 1'],
  [`${step} SLURM_STEP_NODELIST=n[2-3]`, '2/4@n2:21099 Slurm 1'],
  [`${step} SLURM_STEP_NUM_TASKS=3`, '2/3@n1:21099 Slurm 1'],
  [`${step} SLURM_NODEID=1 SLURM_STEP_TASKS_PER_NODE=1,2(x2)`, '2/4@n1:21099 Slurm 2'],
  [`${step} SLURM_CPUS_PER_TASK=6 SLURMD_NODENAME=n3`, '2/4@n1:21099 Slurm 1 6 n3'],
  [`${step} MASTER_ADDR=a MASTER_PORT=9`, '2/4@a:9 Slurm 1'],
  // The batch script and an interactive shell are no tasks.
  ['SLURM_PROCID=0 SLURM_NTASKS=4 SLURM_JOB_ID=77 SLURM_JOB_NODELIST=n1', '-'],
  [step.replace('STEP_ID=0', 'STEP_ID=4294967290'), '-'],
  ['SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_STEP_ID=0', 'Slurm: SLURM_JOB_NODELIST is missing'],
  [step.replace('n[1-3,7]', 'n[1-'), 'node list "n[1-": a bracket is not closed'],
  [`${pmi} MPI_LOCALNRANKS=2`, '0/2@127.0.0.1:29511 MPICH 2'],
  [pmi, 'MPICH: MASTER_ADDR is missing, and the ranks are on several machines'],
  ['PMI_RANK=1', 'MPICH: PMI_SIZE is missing'],
  // The innermost launcher wins.
  [`${torch} ${step}`, '1/4@10.0.0.1:4711 torchrun 1'],
  [`${step} ${pmi}`, '2/4@n1:21099 Slurm 1'],
];
for (const [text, expected] of table) {
  test(`environment: ${text || 'nothing'}`, () => assert.is(told(text), expected));
}

test('environment: derived ports are the same for all ranks and others for other jobs', () => {
  const portOf = (text: string) => placeFromEnvironment(variables(text))?.rankZero.port ?? 0;
  assert.is(portOf(step), portOf(step.replace('PROCID=2', 'PROCID=3')));
  assert.is.not(portOf(step), portOf(step.replace('JOB_ID=77', 'JOB_ID=78')));
  assert.is.not(portOf(step), portOf(step.replace('STEP_ID=0', 'STEP_ID=1')));
  for (let job = 1; job < 500; job++) {
    const port = portOf(step.replace('77', String(job)));
    // Systems hand out what lies above by themselves.
    assert.ok(port >= 15_000 && port < 30_000, String(port));
  }
});

const none: JoinOptions = {
  ...{ rank: undefined, size: undefined, master: undefined, secret: undefined, insecure: false },
};
const local = { ...none, rank: 1, size: 2, master: '127.0.0.1:4711' };
const far = { ...none, rank: 0, size: 2, master: '10.0.0.1:4711' };

function why(options: JoinOptions, text = ''): string {
  try {
    joinRun(options, variables(text), 'me');
    return 'accepted';
  } catch (thrown) {
    assert.ok(thrown instanceof SystemError && thrown.code === 'ERR_CONFIG', String(thrown));
    return thrown.message.split('\n')[0] ?? '';
  }
}

test('join: alone without options and variables, and in a run of one', () => {
  assert.is(joinRun(none, {}, 'me'), undefined);
  assert.is(joinRun({ ...local, rank: 0, size: 1 }, {}, 'me'), undefined);
});

test('join: on loopback without a secret', () => {
  const place = joinRun(local, {}, 'me')?.place;
  assert.equal(place, {
    ...{ rank: 1, size: 2, host: 'me', rankZero: { host: '127.0.0.1', port: 4711 } },
    ...{ bind: '127.0.0.1', secret: undefined, insecure: false },
    ...{ runId: 'options-127.0.0.1:4711', joinTimeoutMs: 60_000 },
  });
});

test('join: options before the environment', () => {
  assert.is(joinRun(local, variables(`${torch} LOCAL_WORLD_SIZE=4`), 'me')?.place.size, 2);
});

test('join: off loopback with a secret, or openly', () => {
  const words = 'a run of 2 hosts (options) needs --secret FILE, the same on all of them';
  assert.is(why(far), words);
  const place = joinRun({ ...far, insecure: true }, {}, 'me')?.place;
  assert.equal([place?.insecure, place?.secret, place?.bind], [true, undefined, '0.0.0.0']);
  assert.ok(why(none, torch).startsWith('a run of 4 hosts (torchrun) needs --secret FILE'));
});

test('join: the secret is the same for the same file, and 32 bytes', () =>
  withFolder((folder) => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    writeFileSync(one, 'sixteen bytes ok', { mode: 0o600 });
    writeFileSync(two, 'sixteen bytes oh', { mode: 0o600 });
    const secretOf = (secret: string) => joinRun({ ...far, secret }, {}, 'me')?.place.secret;
    assert.is(secretOf(one)?.length, 32);
    assert.equal(secretOf(one), secretOf(one));
    assert.not.equal(secretOf(one), secretOf(two));
  }));

test('join: a secret that others may read is used with a warning', () =>
  withFolder((folder) => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'sixteen bytes ok', { mode: 0o600 });
    assert.is(joinRun({ ...far, secret }, {}, 'me')?.warning, undefined);
    chmodSync(secret, 0o640);
    const warning = joinRun({ ...far, secret }, {}, 'me')?.warning;
    assert.is(warning, `--secret ${secret} can be read by others: chmod 600 ${secret}`);
  }));

test('join: what is no secret', () =>
  withFolder((folder) => {
    const secret = join(folder, 'secret');
    assert.match(why({ ...far, secret }), /cannot be read: ENOENT/);
    writeFileSync(secret, 'fifteen bytes..');
    const words = `--secret must be a file of at least 16 bytes, ${secret} has 15`;
    assert.is(why({ ...far, secret }), words);
  }));

const wrong: readonly (readonly [Partial<JoinOptions>, string])[] = [
  [{ rank: 0 }, '--host-rank, --world-size and --master must be given together'],
  [{ rank: 0, size: 2 }, '--host-rank, --world-size and --master must be given together'],
  [{ rank: 2, size: 2, master: 'a:1' }, '--host-rank must be below --world-size 2, got 2'],
  [{ rank: 0, size: 2, master: 'a' }, '--master must be HOST:PORT of rank 0, got "a"'],
  [{ rank: 0, size: 2, master: 'a:0' }, '--master must be HOST:PORT of rank 0, got "a:0"'],
  [{ rank: 0, size: 2, master: '::1:9' }, '--master must be HOST:PORT of rank 0, got "::1:9"'],
];
for (const [options, words] of wrong) {
  test(`join: ${JSON.stringify(options)}: refused`, () =>
    assert.is(why({ ...none, ...options }), words));
}

test('join: an IPv6 address stands in brackets', () => {
  const place = joinRun({ ...local, master: '[::1]:9' }, {}, 'me')?.place;
  assert.equal(place?.rankZero, { host: '::1', port: 9 });
});

test.run();
