// Loads a user's own kernel module: compiled off the main thread, and held to what a module must be
// that several threads instantiate over one memory.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SystemError } from '../base/errors.ts';

/**
 * @throws ERR_CONFIG when the module cannot be read or compiled, or imports more than the memory.
 */
export async function loadUserKernels(
  url: string | undefined,
): Promise<WebAssembly.Module | undefined> {
  if (url === undefined) return undefined;
  const path = fileURLToPath(url);
  const refuse = (problem: string, cause?: unknown) =>
    new SystemError('ERR_CONFIG', `kernel module ${path}: ${problem}`, { cause });
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw refuse('cannot be read; compile it with the flags in the README', cause);
  });
  const module = await WebAssembly.compile(bytes).catch((cause: unknown) => {
    throw refuse(`is no WebAssembly module: ${String(cause)}`, cause);
  });
  const foreign = WebAssembly.Module.imports(module).find(
    ({ module: from, name }) => from !== 'env' || name !== 'memory',
  );
  if (foreign === undefined) return module;
  const found = `${foreign.module}.${foreign.name}`;
  throw refuse(`may import env.memory alone, imports ${found}; compile with --use abort=`);
}
