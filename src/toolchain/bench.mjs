// npm run bench [-- --only NAME] [--smoke]: every bench/*.bench.ts, one after the other, each in a
// process of its own. Prints its tables and keeps them, with the machine's facts, in
// bench/results/; those of bench/peers in bench/results/peers/.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { root, setup } from './setup.mjs';

setup();
const { buildKernels } = await import('./kernels.mjs');
const { bundleProgram, bundleTests } = await import('./bundle.mjs');
await buildKernels();
await bundleProgram();
await bundleTests();

const onlyAt = process.argv.indexOf('--only');
const only = (onlyAt > 0 && process.argv[onlyAt + 1]) || '';
const smoke = process.argv.includes('--smoke');

function facts() {
  const compiler = spawnSync('cc', ['--version'], { encoding: 'utf8' });
  return [
    `- machine: ${cpus()[0]?.model.trim() ?? arch()}, ${cpus().length} cores, ${platform()} ${arch()}`,
    `- Node ${process.versions.node}`,
    `- C compiler: ${compiler.stdout?.split('\n')[0] || 'none'}`,
    `- date: ${new Date().toISOString().slice(0, 10)}`,
  ].join('\n');
}

/** Where the results of a benchmark are kept: in folders as the benchmarks are. */
function folderOf(name) {
  const peers = existsSync(join(root, 'bench/peers', `${name}.bench.ts`));
  return join(root, 'bench/results', peers ? 'peers' : '.');
}

const files = readdirSync(join(root, 'build/test')).filter(
  (file) => file.endsWith('.bench.js') && file.includes(only),
);
if (files.length === 0) console.error(`no benchmark's name has "${only}" in it`);
let failed = files.length === 0;
for (const file of files.sort()) {
  const name = file.replace('.bench.js', '');
  console.error(`${name} …`);
  const flags = ['--enable-source-maps', join(root, 'build/test', file)];
  const done = spawnSync(process.execPath, [...flags, ...(smoke ? ['--smoke'] : [])], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.stdout.write(done.stdout);
  if (done.status !== 0) {
    console.error(`${name}: failed, exit ${done.status ?? done.signal}`);
    failed = true;
  } else if (!smoke) {
    const results = folderOf(name);
    mkdirSync(results, { recursive: true });
    const head = `# ${name}\n\n${facts()}\n\nTimes are the least of several runs.\n\n`;
    writeFileSync(join(results, `${name}.md`), head + done.stdout.trimEnd() + '\n');
  }
}
process.exitCode = failed ? 1 : 0;
