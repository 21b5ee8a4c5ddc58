// The samplers: ours, and those peers that are named. TOMOTOPY is a folder that Debian's Python
// imports tomotopy from, MALLET_HOME a folder with bin/mallet, WARPLDA one with `warplda` and
// `format`. All get the same documents, topics, fixed priors, and threads.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { smoke } from '../../bench.ts';
import { countTokens, type Counts, type Priors, type Token } from './likelihood.ts';
import type { Said, Sampler } from './run.ts';

const cli = fileURLToPath(new URL('./cli.js', import.meta.url));
const script = fileURLToPath(
  new URL('../../bench/peers/scripts/topics_tomotopy.py', import.meta.url),
);

/** The corpus in the forms that programs read, in a folder where they may write. */
export type Place = { readonly folder: string; readonly counts: string; readonly words: string };

export type Setting = Priors & {
  readonly threads: number;
  readonly sweeps: number;
  readonly seconds: number;
  /** Whether the topics are written at the end; ours always are. */
  readonly keeps: boolean;
};

export type Program = {
  readonly name: string;
  /** With its version. */
  readonly title: string;
  /** What is printed last must be what is judged. */
  readonly ours: boolean;
  /** Which form of the corpus. */
  readonly reads: 'counts' | 'words';
  /** Of this program, at most: as many as its time is enough for. */
  readonly sweeps: (topics: number) => number;
  readonly sampler: (place: Place, setting: Setting) => Sampler;
  /** The counts that a run wrote when it ended. */
  readonly counts: (place: Place, setting: Setting) => Counts;
};

function must(command: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const options = { encoding: 'utf8' as const, env: { ...process.env, ...env } };
  const done = spawnSync(command[0]!, command.slice(1), options);
  if (done.status === 0) return done.stdout;
  throw new Error(`${command.join(' ')}: ${done.error?.message ?? done.stderr}`);
}

const textLines = (text: string) => text.trimEnd().split('\n');

/** Lines `tokens word:topic word:topic …` */
function* assigned(file: string): Generator<readonly Token[]> {
  for (const line of textLines(readFileSync(file, 'latin1'))) {
    const cells = line.trim().split(' ').slice(1);
    yield cells.map((cell) => cell.split(':').map(Number) as [number, number]);
  }
}

/** The int32 tensors of a saved model. */
function tensorsOf(folder: string): (name: string) => Int32Array {
  const bytes = readFileSync(join(folder, 'weights.safetensors'));
  const length = Number(bytes.readBigUInt64LE(0));
  type Tensor = { readonly data_offsets: [number, number] };
  const head = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, Tensor>;
  return (name) => {
    const [from, to] = head[name]!.data_offsets;
    return new Int32Array(
      Uint8Array.from(bytes.subarray(8 + length + from, 8 + length + to)).buffer,
    );
  };
}

function ourCounts(folder: string): Counts {
  const tensor = tensorsOf(folder);
  const [starts, documentTopics] = [tensor('doc_starts'), tensor('doc_counts')];
  const documents = Array.from({ length: starts.length - 1 }, (_, d) =>
    documentTopics.subarray(starts[d], starts[d + 1]).reduce((sum, n) => sum + n, 0),
  );
  const [topics, wordTopics] = [tensor('topic_totals'), tensor('word_counts')];
  return { documents, topics, documentTopics, wordTopics };
}

type Event = Record<string, unknown> & {
  readonly seconds?: { readonly load: number; readonly total: number };
};

function weSay(line: string): Said {
  const { event, pass, logLikelihood, seconds } = JSON.parse(line) as Event;
  if (event === 'done' && seconds) return { kind: 'done', since: seconds.total - seconds.load };
  if (typeof pass !== 'number' || typeof logLikelihood !== 'number') return undefined;
  return { kind: 'point', point: { sweep: pass, likelihood: logLikelihood } };
}

export function perpetuum(name: string, ...args: readonly string[]): Program {
  const out = ({ folder }: Place) => join(folder, 'model');
  return {
    ...{ name, title: name, ours: true, reads: 'counts' },
    sweeps: (topics) => (smoke ? 4 : topics < 1000 ? 120 : 200),
    sampler: (place, { topics, alpha, beta, threads, sweeps }) => ({
      command: [
        ...[process.execPath, cli, 'train', 'lda', place.counts, '--topics', String(topics)],
        ...['--alpha', String(alpha), '--beta', String(beta), '--passes', String(sweeps)],
        ...['--evaluate-interval', smoke ? '2' : '5', '--threads', String(threads), ...args],
        ...['--out', out(place), '--json', '--quiet'],
      ],
      says: weSay,
    }),
    counts: (place) => ourCounts(out(place)),
  };
}

function tomotopy(folder: string): Program {
  const python = '/usr/bin/python3';
  const out = (place: Place) => join(place.folder, 'tomotopy.topics');
  const facts = 'import tomotopy as t; print("tomotopy", t.__version__, t.isa)';
  return {
    ...{ name: 'tomotopy', title: must([python, '-c', facts], { PYTHONPATH: folder }).trim() },
    ...{ ours: false, reads: 'words' },
    sweeps: () => 1000,
    sampler: (place, { seconds, keeps, ...setting }) => {
      // It ends itself; what it prints takes time too, which is not of sampling.
      const job = { ...setting, seconds: 0.7 * seconds, every: setting.topics < 1000 ? 5 : 2 };
      return {
        command: [
          python,
          script,
          JSON.stringify({ ...job, text: place.words, out: keeps ? out(place) : '' }),
        ],
        env: { PYTHONPATH: folder },
        says(line) {
          if (!line.startsWith('{')) return undefined;
          const said = JSON.parse(line) as { loaded?: true; sweep: number; likelihood: number };
          return said.loaded ? { kind: 'loaded' } : { kind: 'point', point: said };
        },
      };
    },
    counts: (place, { topics }) => countTokens(topics, assigned(out(place))),
  };
}

/** Lines `document source position word-number word topic`, documents in order. */
function* malletState(file: string): Generator<readonly Token[]> {
  let [own, tokens]: [string | undefined, Token[]] = [undefined, []];
  for (const line of textLines(gunzipSync(readFileSync(file)).toString('latin1'))) {
    if (line.startsWith('#')) continue;
    const [document, , , word, , topic] = line.split(' ');
    if (document !== own && tokens.length > 0) {
      yield tokens;
      tokens = [];
    }
    own = document;
    tokens.push([Number(word), Number(topic)]);
  }
  yield tokens;
}

function mallet(home: string): Program {
  const binary = join(home, 'bin/mallet');
  // Without a command it says what it is, and that it needs one.
  const help = spawnSync(binary, { encoding: 'utf8' });
  const version = /Mallet ([\d.]+)/.exec(help.stdout + help.stderr)?.[1] ?? '';
  const state = (place: Place) => join(place.folder, 'mallet.state.gz');
  return {
    ...{ name: 'MALLET', title: `MALLET ${version}` },
    ...{ ours: false, reads: 'words' },
    sweeps: (topics) => (topics < 1000 ? 130 : 1000), // prints at every tenth
    sampler(place, { topics, alpha, beta, threads, sweeps, keeps }) {
      const input = `${place.words}.mallet`;
      const cut = ['--keep-sequence', '--token-regex', '\\S+', '--preserve-case'];
      if (!existsSync(input))
        must([binary, 'import-file', '--input', place.words, '--output', input, ...cut]);
      return {
        command: [
          ...[binary, 'train-topics', '--input', input, '--num-topics', String(topics)],
          ...['--alpha', String(alpha * topics), '--beta', String(beta)],
          ...['--num-threads', String(threads), '--num-iterations', String(sweeps)],
          ...['--optimize-interval', '0', '--show-topics-interval', '0', '--random-seed', '1'],
          ...(keeps ? ['--output-state', state(place)] : []),
        ],
        says(line) {
          if (line.includes('total tokens: ')) return { kind: 'loaded' };
          const found = /<(\d+)> LL\/token: (-[\d.]+)/.exec(line);
          const [, sweep, likelihood] = (found ?? []).map(Number);
          return found === null
            ? undefined
            : { kind: 'point', point: { sweep: sweep!, likelihood: likelihood! } };
        },
      };
    },
    counts: (place, { topics }) => countTokens(topics, malletState(state(place))),
  };
}

function warp(home: string): Program {
  const base = (place: Place) => `${place.words}.warplda`;
  return {
    ...{ name: 'WarpLDA', title: 'WarpLDA (has no versions)' },
    ...{ ours: false, reads: 'words' },
    sweeps: (topics) => (topics < 1000 ? 300 : 280),
    sampler(place, { topics, alpha, beta, threads, sweeps, keeps }) {
      const prefix = base(place);
      if (!existsSync(`${prefix}.bin.u.idx`))
        must([join(home, 'format'), '-input', place.words, '-prefix', prefix]);
      rmSync(`${prefix}.z.estimate`, { force: true });
      return {
        command: [
          ...['stdbuf', '-oL', join(home, 'warplda'), '-prefix', prefix, '-k', String(topics)],
          ...['-alpha', String(alpha * topics), '-beta', String(beta), '-niter', String(sweeps)],
          ...['-writeinfo=false', '-dumpmodel=false', `-dumpz=${keeps}`],
        ],
        env: { OMP_NUM_THREADS: String(threads) },
        says(line) {
          if (line.startsWith('Initialization finished')) return { kind: 'loaded' };
          const found = /^Iteration (\d+), .* \(per token\) (-[\d.]+)/.exec(line);
          const [, iteration, likelihood] = (found ?? []).map(Number);
          return found === null
            ? undefined
            : { kind: 'point', point: { sweep: iteration! + 1, likelihood: likelihood! } };
        },
      };
    },
    counts: (place, { topics }) => countTokens(topics, assigned(`${base(place)}.z.estimate`)),
  };
}

const known = { TOMOTOPY: tomotopy, MALLET_HOME: mallet, WARPLDA: warp } as const;

/** The peers that are named; says which are not. */
export function peers(): readonly Program[] {
  if (smoke) return [];
  return Object.entries(known).flatMap(([name, program]) => {
    const folder = process.env[name];
    if (folder !== undefined) return [program(folder)];
    console.log(`LEFT OUT: ${name} does not name its folder\n`);
    return [];
  });
}
