import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadUserKernels } from '../src/supervisor/user-kernels.ts';

const folder = mkdtempSync(join(tmpdir(), 'perpetuum-kernels-'));
test.after(() => rmSync(folder, { recursive: true }));

function urlOf(name: string, bytes: readonly number[]): string {
  const path = join(folder, name);
  writeFileSync(path, Uint8Array.from(bytes));
  return pathToFileURL(path).href;
}

async function refusal(url: string): Promise<string> {
  try {
    await loadUserKernels(url);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code} ${message}`;
  }
  return assert.unreachable('it should be refused') as never;
}

const header = [0, 97, 115, 109, 1, 0, 0, 0];
const text = (word: string) => [word.length, ...Buffer.from(word)];
// (import "env" "abort" (func)), after the type section (func)
const imports = [...header, 1, 4, 1, 0x60, 0, 0];
const body = [1, ...text('env'), ...text('abort'), 0, 0];
const foreign = [...imports, 2, body.length, ...body];

test('user kernels: none is none, an empty module is fine', async () => {
  assert.is(await loadUserKernels(undefined), undefined);
  const module = await loadUserKernels(urlOf('empty.wasm', header));
  assert.instance(module, WebAssembly.Module);
});

test('user kernels: a missing file, other bytes and foreign imports are refused by name', async () => {
  const missing = pathToFileURL(join(folder, 'no.wasm')).href;
  assert.match(await refusal(missing), /^ERR_CONFIG kernel module .*no\.wasm: cannot be read/);
  assert.match(await refusal(urlOf('bad.wasm', [1, 2, 3])), /bad\.wasm: is no WebAssembly module/);
  const found = await refusal(urlOf('foreign.wasm', foreign));
  assert.match(found, /may import env\.memory alone, imports env\.abort/);
});

test.run();
