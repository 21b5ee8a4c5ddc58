// npm start: from a fresh clone to a trained model. Installs, builds what runs, starts the demo.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, setup } from './setup.mjs';

setup();
const { buildKernels } = await import('./kernels.mjs');
const { bundleProgram } = await import('./bundle.mjs');
await buildKernels();
await bundleProgram();
const cli = join(root, 'build/dist/cli.js');
const demo = ['demo', ...process.argv.slice(2)];
const done = spawnSync(process.execPath, [cli, ...demo], { cwd: root, stdio: 'inherit' });
process.exitCode = done.status ?? 1;
