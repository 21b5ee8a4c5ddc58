// esbuild: TypeScript to the files that run. Every entry of one bundle lies flat in one folder, so
// an actor is always `new URL('./worker-actor.js', import.meta.url)`, in the package and in tests.
//
//   build/dist   the published package: command line, library, actors; dependencies bundled in,
//                so installing it installs nothing else
//   build/test   the same sources with the tests as further entries
//
// The loader alone is CommonJS: piscina `require`s it, and ending a thread in the middle of a
// `require` of an ES module aborts the whole process (seen on Node 20.20).
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

const program = [
  ...['worker', 'scheduler', 'mailbox', 'host', 'relay'].map((role) => ({
    in: join(root, `actors/${role}.ts`),
    out: `${role}-actor`,
  })),
  { in: join(root, 'src/index.ts'), out: 'index' },
  { in: join(root, 'src/cli/main.ts'), out: 'cli' },
  // Piscina starts its threads from a file `worker.js` beside its own code.
  { in: join(root, 'node_modules/piscina/dist/worker.js'), out: 'worker' },
];

function entriesOf(folder, suffix) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(suffix))
    .map((name) => ({ in: join(root, folder, name), out: basename(name, '.ts') }));
}

async function bundle(outdir, entryPoints) {
  rmSync(outdir, { recursive: true, force: true });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const common = {
    outdir,
    bundle: true,
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    define: { PERPETUUM_VERSION: JSON.stringify(version) },
    // Optional native helper of piscina for `nice` values, which we never set: left out.
    external: ['@napi-rs/nice', 'esbuild', 'assemblyscript'],
    logLevel: 'warning',
    legalComments: 'none',
    plugins: [pageText],
  };
  const present = entryPoints.filter((entry) => existsSync(entry.in));
  await Promise.all([
    build({
      ...common,
      entryPoints: present,
      splitting: true,
      format: 'esm',
      banner: { js: banner },
    }),
    build({
      ...common,
      entryPoints: [{ in: join(root, 'actors/loader.ts'), out: 'loader-actor' }],
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      // `import.meta.url` of code that the loader never calls.
      logOverride: { 'empty-import-meta': 'silent' },
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
  await bundle(join(root, 'build/dist'), program);
  writeNotices();
}

export async function bundleTests() {
  const more = [
    ...entriesOf('test', '.test.ts'),
    ...entriesOf('test/programs', '.ts'),
    ...entriesOf('bench', '.bench.ts'),
    ...entriesOf('bench/peers', '.bench.ts'),
    ...entriesOf('bench/programs', '.ts'),
    ...entriesOf('examples', '.ts').filter(({ out }) => !out.endsWith('.kernel')),
  ];
  await bundle(join(root, 'build/test'), [...program, ...more]);
}
