// npm run build: kernels, bundles and type declarations.
import { setup, runTool } from './setup.mjs';

setup();
const { buildKernels } = await import('./kernels.mjs');
const { bundleProgram } = await import('./bundle.mjs');
await buildKernels();
await bundleProgram();
process.exitCode = runTool('typescript/bin/tsc', ['-p', '.']);
