// What the house style asks of the source tree, held on every run. A ratchet (a named exception)
// may shrink, never grow: a line here that is not needed any more fails too.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { exportedValues, importsOf, readRoot, readTree } from './helpers/source-tree.ts';
import type { SourceFile } from './helpers/source-tree.ts';

const tree = readTree();
const under = (...folders: string[]): readonly SourceFile[] =>
  tree.filter(({ path }) => folders.some((folder) => path.startsWith(`${folder}/`)));
const isCode = ({ path }: SourceFile) => /\.(ts|mts|mjs|js)$/.test(path);
const sources = under('src').filter(({ path }) => path.endsWith('.ts'));

function none(problems: readonly string[]): void {
  if (problems.length > 0) assert.unreachable(`\n  ${problems.join('\n  ')}`);
}

/** Problems by file, less the excepted files; an exception without a problem is one. */
function ratchet(found: ReadonlyMap<string, string>, excepted: readonly string[]): void {
  const fresh = [...found].filter(([path]) => !excepted.includes(path)).map(([, text]) => text);
  const stale = excepted.filter((path) => !found.has(path));
  none([...fresh, ...stale.map((path) => `${path}: is fine now, delete its exception`)]);
}

test('tidy: the tree is read', () => {
  assert.ok(sources.length > 50, `${sources.length} files`);
  assert.ok(sources.flatMap(importsOf).length > 200, 'imports are found');
  assert.ok(sources.flatMap(exportedValues).length > 100, 'exports are found');
});

/** Folders of src, each with what it may import: at run time, and as types only. */
type Direction = { readonly run: string; readonly types: string; readonly why: string };
const directions: Readonly<Record<string, Direction>> = {
  base: { run: '', types: '', why: 'errors, limits and randomness know nothing of the rest' },
  ps: { run: 'base', types: '', why: 'the rules of freshness are pure: a simulator runs them too' },
  scheduler: { run: 'base', types: '', why: 'the arithmetic of schedules is pure' },
  memory: { run: 'base', types: '', why: 'bytes and kernels, whoever uses them' },
  mailbox: { run: 'base', types: 'memory', why: 'a ring lies in an arena that it is given' },
  store: { run: 'base memory ps', types: '', why: 'tables are bytes under a freshness policy' },
  data: { run: 'base memory', types: '', why: 'readers fill memory and know no model' },
  cluster: {
    run: 'base memory mailbox ps store program record',
    types: '',
    why: 'a host’s part in a run joins the machines, the tables and the links',
  },
  sim: {
    run: 'base memory mailbox program record store cluster',
    types: '',
    why: 'it runs the machines on virtual time; sockets, threads and clocks are not there',
  },
  record: {
    run: 'base memory',
    types: 'program store',
    why: 'tapes are bytes that loops and members write and read back',
  },
  rehearsal: {
    run: 'base memory program record sim supervisor',
    types: 'mailbox',
    why: 'hosts without threads: jobs run on them as on real ones, and make them',
  },
  program: {
    run: 'base memory mailbox ps record scheduler store',
    types: 'data',
    why: 'the loops drive what lies below; of data they only pass on the description',
  },
  supervisor: {
    run: 'base memory mailbox store program record',
    types: 'cluster',
    why: 'it starts and watches loops, and never sees data or a model',
  },
  models: {
    run: 'base data scheduler program',
    types: 'memory mailbox ps supervisor jobs',
    why: 'a model is a program: the host, and the options of a job, are given to it',
  },
  jobs: {
    run: 'base memory data models record rehearsal sim supervisor',
    types: 'ps program mailbox',
    why: 'a job is load, train, save: it joins data, models and a host',
  },
  library: {
    run: 'base memory ps jobs models supervisor',
    types: 'data',
    why: 'the same work in the caller’s process, on arrays or by running a job',
  },
  launcher: {
    run: 'base',
    types: 'jobs cli',
    why: 'it speaks to host processes by messages only, and the command line shows what they say',
  },
  cli: {
    run: 'base memory ps sim models launcher',
    types: 'jobs',
    why: 'the guardian works in another process: it speaks to jobs by messages only',
  },
};
/** The package's face gives out what users need, from where it is. */
const faces = ['src/index.ts'];

test('tidy: folders of src import in one direction', () => {
  const problems: string[] = [];
  const needed = new Set<string>();
  for (const { from, to, typeOnly } of sources.flatMap(importsOf)) {
    if (faces.includes(from) || !to.startsWith('src/')) continue;
    const [folder = '', target = ''] = [from, to].map((path) => path.split('/')[1]);
    if (folder === target) continue;
    const rule = directions[folder];
    const atRunTime = rule?.run.split(' ').includes(target) ?? false;
    if (atRunTime && !typeOnly) needed.add(`${folder} ${target}`);
    if (atRunTime) continue;
    const asType = typeOnly && (rule?.types.split(' ').includes(target) ?? false);
    if (asType) needed.add(`${folder} ${target}`);
    else {
      const how = typeOnly ? 'types of' : 'at run time';
      const why = rule?.why ?? 'a new folder: give it a line in this table';
      problems.push(`${from} imports ${how} ${to}: ${why}`);
    }
  }
  for (const [folder, { run, types }] of Object.entries(directions)) {
    const targets = `${run} ${types}`.split(' ').filter((name) => name !== '');
    for (const target of targets) {
      if (!needed.has(`${folder} ${target}`)) {
        problems.push(`${folder} → ${target} is allowed and not used so: tighten the table`);
      }
    }
  }
  none(problems);
});

test('tidy: the directions have no cycle at run time', () => {
  const visit = (folder: string, path: readonly string[]): void => {
    assert.not(path.includes(folder), [...path, folder].join(' → '));
    const next = directions[folder]?.run.split(' ').filter((name) => name !== '') ?? [];
    for (const target of next) visit(target, [...path, folder]);
  };
  for (const folder of Object.keys(directions)) visit(folder, []);
});

test('tidy: models and jobs stay in front of the program interface', () => {
  const behind = /^src\/program\/(?!program\.ts|steps\.ts)|^src\/store\/|^src\/mailbox\/ring/;
  const all = under('src/models', 'src/jobs', 'src/library', 'src/cli', 'examples');
  // What a run is asked for is data, and part of the host's face.
  const request = 'src/program/plan.ts';
  const wrong = all
    .flatMap(importsOf)
    .filter(({ to, typeOnly }) => behind.test(to) && !(typeOnly && to === request));
  none(wrong.map(({ from, to }) => `${from} imports ${to}: use src/program/program.ts`));
});

test('tidy: nothing but tests imports tests, and examples import the library alone', () => {
  const wrong = under('src', 'actors', 'examples')
    .flatMap(importsOf)
    .filter(({ to }) => /^(test|bench|examples)\//.test(to));
  none(wrong.map(({ from, to }) => `${from} imports ${to}`));
  const behind = under('examples')
    .flatMap(importsOf)
    .filter(({ to }) => to.startsWith('src/') && to !== 'src/index.ts');
  none(behind.map(({ from, to }) => `${from} imports ${to}: import src/index.ts`));
});

/** Packages at run time: each is used by one side of the system, which could replace it. */
const packages: Readonly<Record<string, readonly string[]>> = {
  '@msgpack/msgpack': ['src/mailbox/'],
  comlink: ['src/supervisor/', 'actors/'],
  piscina: ['src/data/loader-pool.ts'],
};

test('tidy: a package is imported in its one place', () => {
  const problems: string[] = [];
  for (const { from, to } of [...sources, ...under('actors')].flatMap(importsOf)) {
    if (/^(node:|src\/|actors\/)/.test(to)) continue;
    const name = /^(@[^/]+\/)?[^/]+/.exec(to)?.[0] ?? to;
    const places = packages[name] ?? [];
    if (from.endsWith('.d.ts') || places.some((place) => from.startsWith(place))) continue;
    problems.push(`${from} imports ${to}: ${places.join(', ') || 'a new dependency'}`);
  }
  none(problems);
});

const pureFiles = [
  ...['src/ps/', 'src/scheduler/', 'src/supervisor/watchdog.ts', 'src/base/prng.ts'],
  ...['src/cli/guardian-machine.ts', 'src/cli/render.ts', 'src/launcher/launcher-machine.ts'],
  ...['src/launcher/hosts.ts', 'src/launcher/node-list.ts', 'src/launcher/environment.ts'],
  ...['src/launcher/plan.ts', 'src/launcher/last-words.ts'],
  'src/sim/',
  'src/mailbox/rendezvous.ts',
  ...['src/mailbox/session', 'src/mailbox/send-queue.ts', 'src/mailbox/receive-window.ts'],
];

test('tidy: pure files have no clock, no randomness, no waiting, no node', () => {
  const impure: readonly (readonly [RegExp, string])[] = [
    [/\bDate\b/, 'take nowMs as an argument'],
    [/\bperformance\b/, 'take nowMs as an argument'],
    [/\bMath\.random\b/, 'take a Prng as an argument'],
    [/\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/, 'return what is to happen'],
    [/\bAtomics\b/, 'take what was read as an argument'],
    [/\basync\b|\bawait\b/, 'a machine takes one input and returns its outputs'],
    [/\bprocess\b/, 'take what is needed as an argument'],
  ];
  const problems: string[] = [];
  const files = sources.filter(({ path }) => pureFiles.some((start) => path.startsWith(start)));
  assert.ok(files.length >= 7, `${files.length} pure files`);
  for (const file of files) {
    for (const [pattern, instead] of impure) {
      const found = pattern.exec(file.code)?.[0];
      if (found !== undefined) problems.push(`${file.path} uses ${found}: ${instead}`);
    }
    for (const { to } of importsOf(file)) {
      if (to.startsWith('node:')) problems.push(`${file.path} imports ${to}: pure files do not`);
    }
  }
  none(problems);
});

const banned: readonly (readonly [string, RegExp, string, readonly string[]])[] = [
  ['Math.random', /\bMath\.random\b/, 'a Prng with a seed (src/base/prng.ts)', []],
  ['Promise.race', /\bPromise\.race\b/, 'an AbortSignal, or one promise that settles once', []],
  ['enum', /\benum\s+\w/, 'a union of string literals', []],
  [
    ...(['namespace', /\bnamespace\s+\w/, 'a module'] as const),
    ['src/memory/webassembly.d.ts'], // what the engine declares so
  ],
  [
    ...(['export default', /^\s*export default\b/m, 'a named export'] as const),
    ['src/base/comlink-node.d.ts'], // comlink exports it so
  ],
  [
    ...(['any', /\bany\b/, 'unknown, or a type parameter'] as const),
    ['src/program/program.ts'], // AnyProgram: contravariant in all five
  ],
  ['inheritance', /\bclass \w+(<[^>]*>)? extends (?!Error\b)/, 'a function or a field', []],
  [
    ...(['process.env', /\bprocess\.env\b/, 'a setting that the edge parsed'] as const),
    ['src/cli/main.ts', 'src/memory/kernels.ts'], // the edge, and the choice of the build
  ],
  [
    ...(['process.exit', /\bprocess\.exit\(/, 'process.exitCode, or a fault'] as const),
    ['src/cli/streams.ts'], // after the last words are flushed
  ],
];

for (const [name, pattern, instead, excepted] of banned) {
  test(`tidy: no ${name} in src`, () => {
    const wrong = sources.filter(({ code }) => pattern.test(code));
    const words = (path: string) => `${path} uses ${name}: use ${instead}`;
    ratchet(new Map(wrong.map(({ path }) => [path, words(path)])), excepted);
  });
}

test('tidy: nothing silences the compiler, no test runs alone or not at all', () => {
  const problems: string[] = [];
  for (const { path, text, code } of [...under('src', 'actors', 'test', 'bench', 'examples')]) {
    if (/@ts-(ignore|nocheck|expect-error)/.test(text) && path !== 'test/tidy.test.ts') {
      problems.push(`${path}: silences the compiler`);
    }
    if (!path.endsWith('.test.ts')) continue;
    if (/\btest\.(only|skip)\(/.test(code)) problems.push(`${path}: test.only or test.skip`);
    if (!/^test\.run\(\);$/m.test(code)) problems.push(`${path}: does not call test.run()`);
    if (path.split('/').length !== 2) problems.push(`${path}: tests lie flat in test/`);
  }
  none(problems);
});

const sized: readonly (readonly [string, number, readonly string[]])[] = [
  ['src', 400, []],
  ['assembly', 400, []],
  ['test', 400, []],
  ['bench', 400, []],
  ['actors', 120, []],
  ['examples', 80, []],
];

for (const [folder, linesMax, excepted] of sized) {
  test(`tidy: files have at most ${linesMax} lines of at most 100 columns (${folder})`, () => {
    const long = new Map<string, string>();
    for (const { path, code } of under(folder).filter(isCode)) {
      const lines = code.trimEnd().split('\n'); // a string cannot be broken: it does not count
      if (lines.length > linesMax) long.set(path, `${path} has ${lines.length} lines: split it`);
      lines.forEach((line, i) => {
        const columns = [...line].length;
        if (columns > 100 && folder !== 'assembly')
          long.set(path, `${path}:${i + 1} has ${columns} columns`);
      });
    }
    ratchet(long, excepted);
  });
}

test('tidy: folders have at most 12 files', () => {
  const counts = new Map<string, number>();
  for (const { path } of under('src', 'actors', 'assembly', 'bench')) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const full = [...counts].filter(([, count]) => count > 12);
  none(full.map(([folder, count]) => `${folder} has ${count} files: name its parts`));
});

test('tidy: what is exported is used somewhere else', () => {
  const users = tree.filter(isCode);
  const problems: string[] = [];
  for (const file of sources.filter(({ path }) => !faces.includes(path))) {
    for (const name of exportedValues(file)) {
      const word = new RegExp(`\\b${name}\\b`);
      const used = users.some(({ path, code }) => path !== file.path && word.test(code));
      if (!used)
        problems.push(`${file.path}: nothing uses ${name}: do not export it, or delete it`);
    }
  }
  none(problems);
});

test('tidy: every file of src is imported by the program', () => {
  const entries = [...faces, 'src/cli/main.ts'];
  const program = [...sources, ...under('actors', 'examples')];
  const imported = new Set(program.flatMap(importsOf).map(({ to }) => to));
  const dead = sources.filter(
    ({ path }) => !imported.has(path) && !entries.includes(path) && !path.endsWith('.d.ts'),
  );
  none(dead.map(({ path }) => `${path}: nothing imports it`));
});

test('tidy: the library gives out at most 60 names', () => {
  const face = tree.find(({ path }) => path === 'src/index.ts');
  const names = [...(face?.code.matchAll(/\{([^}]*)\}/g) ?? [])].flatMap(([, list = '']) =>
    list.split(',').filter((name) => name.trim() !== ''),
  );
  assert.ok(names.length > 10 && names.length <= 60, `${names.length} names`);
});

test('tidy: every error code has a line in the table of the README', () => {
  const errors = tree.find(({ path }) => path === 'src/base/errors.ts')?.text ?? '';
  const union = /export type ErrorCode =([^;]*);/.exec(errors)?.[1] ?? '';
  const codes = [...union.matchAll(/'(ERR_\w+)'/g)].map(([, code = '']) => code);
  assert.ok(codes.length >= 10, `${codes.length} codes`);
  const readme = readRoot('README.md');
  if (readme === undefined) {
    process.stdout.write('SKIPPED error codes in README.md: there is no README.md yet\n');
    return;
  }
  const rows = readme.split('\n').filter((line) => line.startsWith('|'));
  const missing = codes.filter((code) => !rows.some((row) => row.includes(`\`${code}\``)));
  none(missing.map((code) => `README.md: no line of a table names \`${code}\``));
});

test('tidy: no file names a place of the machine it was written on', () => {
  const place = /(^|[^\w.])\/(?:work|tmp|home|root|Users)\/\w*/gm;
  const problems: string[] = [];
  for (const { path, text } of tree) {
    if (path === 'package-lock.json') continue;
    for (const [found] of text.matchAll(place)) problems.push(`${path} names ${found.trim()}`);
  }
  none(problems);
});

test.run();
