// esbuild: TypeScript to the files that run. Every entry of one bundle lies flat in one folder, so
// an actor is always `new URL('./worker-actor.cjs', import.meta.url)`, in the package and in tests.
//
//   build/dist   the published package: command line, library, actors; dependencies bundled in,
//                so installing it installs nothing else
//   build/test   the same sources with the tests as further entries
//
// What starts with every job shares no code with the rest: a file more costs 1 ms to find, read and
// link. Of the two processes a small first file runs, which starts what takes long (a process, a
// thread) and then imports the rest. That first file of the host, and the threads, are one CommonJS
// file each, which starts 4 ms sooner than ES modules do. (The loader must be one: piscina
// `require`s it, and ending a thread in the middle of a `require` of an ES module aborts the whole
// process, seen on Node 20.20.)
import { build } from 'esbuild';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pageText } from './page-text.mjs';
import { root } from './setup.mjs';

// The bundled CommonJS dependencies (piscina) still ask for `require` and `__dirname`.
const banner = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url); const __dirname = import.meta.dirname;',
].join('\n');

// A directive counts only where it is first.
const threadBanner =
  "'use strict'; const __url = require('node:url').pathToFileURL(__filename).href;";

const command = { in: join(root, 'src/cli/main.ts'), out: 'cli' };

/** What the first files import, by the path that they import it by. */
const later = [
  { in: join(root, 'src/cli/run-process.ts'), out: 'run-process' },
  { in: join(root, 'actors/host-job.ts'), out: 'host-job' },
];

/** Their imports of what comes later stay imports. */
const stayImports = {
  name: 'stay-imports',
  setup({ onResolve }) {
    onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      const found = later.find((entry) => entry.in === join(resolveDir, path));
      return found && { path: `./${found.out}.js`, external: true };
    });
  },
};

const actors = ['host', 'worker', 'scheduler', 'mailbox', 'loader'].map((role) => ({
  in: join(root, `actors/${role}.ts`),
  out: `${role}-actor`,
}));

const library = [
  { in: join(root, 'actors/relay.ts'), out: 'relay-actor' },
  { in: join(root, 'src/index.ts'), out: 'index' },
  // Piscina starts its threads from a file `worker.js` beside its own code.
  { in: join(root, 'node_modules/piscina/dist/worker.js'), out: 'worker' },
];

function entriesOf(folder, suffix) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(suffix))
    .map((name) => ({ in: join(root, folder, name), out: basename(name, '.ts') }));
}

async function bundle(outdir, more) {
  rmSync(outdir, { recursive: true, force: true });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const common = {
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    // Every thread parses its bundle again. Names stay, for stacks that one can read.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 200,
    // Of a package that has both, ES modules: what nobody uses of them stays out.
    mainFields: ['module', 'main'],
    define: { PERPETUUM_VERSION: JSON.stringify(version) },
    // Optional native helper of piscina for `nice` values, which we never set: left out.
    external: ['@napi-rs/nice', 'esbuild', 'assemblyscript'],
    logLevel: 'warning',
    legalComments: 'none',
    plugins: [pageText],
  };
  const modules = (entryPoints) =>
    build({ ...common, entryPoints, splitting: true, format: 'esm', banner: { js: banner } });
  await Promise.all([
    ...later.map((entry) => modules([entry])),
    modules([...library, ...more]),
    build({ ...common, entryPoints: [command], format: 'esm', plugins: [stayImports] }),
    build({
      ...common,
      entryPoints: actors,
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      define: { ...common.define, 'import.meta.url': '__url' },
      banner: { js: threadBanner },
      plugins: [stayImports],
    }),
  ]);
}

/** Licences of what is bundled into the package travel with it. */
function writeNotices() {
  const packages = ['piscina', 'comlink', '@msgpack/msgpack'];
  const text = packages.map((name) => {
    const folder = join(root, 'node_modules', name);
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const words = file ? readFileSync(join(folder, file), 'utf8') : '';
    return `${name} ${version} (${license})\n\n${words}`;
  });
  writeFileSync(join(root, 'build/dist/THIRD-PARTY.txt'), text.join('\n\n----\n\n'));
}

export async function bundleProgram() {
  await bundle(join(root, 'build/dist'), []);
  writeNotices();
}

export async function bundleTests() {
  const more = [
    ...entriesOf('test', '.test.ts'),
    ...entriesOf('test/programs', '.ts'),
    ...entriesOf('bench', '.bench.ts'),
    ...entriesOf('bench/peers', '.bench.ts'),
    ...entriesOf('bench/topics', '.bench.ts'),
    ...entriesOf('bench/programs', '.ts'),
    ...entriesOf('examples', '.ts').filter(({ out }) => !out.endsWith('.kernel')),
  ];
  await bundle(join(root, 'build/test'), more);
}
