// The kernel modules as such: what they export and that threads can share them.
import asc from 'assemblyscript/asc';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { instantiate } from '../src/memory/kernels.ts';
import { signatures } from '../src/memory/signatures.ts';
import { checkModule } from '../src/toolchain/kernels.mjs';
import { variants } from './helpers/lab.ts';

const helper = (name: string) => `helpers/${name}`;
const fileOf = (name: string) => new URL(`../wasm/${name}`, import.meta.url);

for (const variant of variants) {
  test(`kernel module: exactly the kernels of the signature table (${variant})`, () => {
    const module = new WebAssembly.Module(readFileSync(fileOf(`kernels.${variant}.wasm`)));
    const exported = WebAssembly.Module.exports(module).map(({ name, kind }) => `${kind} ${name}`);
    const wanted = Object.keys(signatures).map((name) => `function ${name}`);
    assert.equal(
      exported.filter((name) => name.startsWith('function')).sort(),
      wanted.sort(),
      'an export without a signature has no caller, a signature without an export no code',
    );
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
    const kernels: Record<string, unknown> = { ...instantiate(module, memory) };
    for (const [name, parameters] of Object.entries(signatures)) {
      const kernel = kernels[name] as (...values: number[]) => number;
      assert.is(kernel.length, parameters.length, `${name} takes ${parameters.join(', ')}`);
    }
  });

  test(`kernel module: no start, no state, no import but the memory (${variant})`, () => {
    const text = readFileSync(fileOf(`kernels.${variant}.wat`), 'utf8');
    checkModule(text, variant);
    assert.not.match(text, /\(func \$~lib\/rt/, 'no allocator');
  });
}

test('kernel module: every kernel is called by a kernel test, or by a helper of one', () => {
  const folder = new URL('../../test/', import.meta.url);
  const names = readdirSync(folder).filter((name) => /^kernels-.*\.test\.ts$/.test(name));
  names.push('data-kernels.test.ts', ...readdirSync(new URL('helpers/', folder)).map(helper));
  const text = names.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
  // By its name, or taken out of the kernels to be called by another.
  const called = (name: string) => new RegExp(`\\b${name}\\(|kernels\\.${name}\\b`).test(text);
  const untested = Object.keys(signatures).filter((name) => !called(name));
  assert.equal(untested, [], 'no exceptions: a kernel without a test has no oracle');
});

/** The text that the kernel compiler makes of a source. */
async function compile(source: string): Promise<string> {
  const flags = ['--runtime', 'stub', '--use', 'abort=', '-O3', '--importMemory', '-t', 'out.wat'];
  let text = '';
  const { error } = await asc.main(['in.ts', ...flags], {
    readFile: (name: string) => (name === 'in.ts' ? source : null),
    writeFile: (name: string, content: string | Uint8Array) => {
      if (name === 'out.wat') text = String(content);
    },
    listFiles: () => [],
  });
  if (error) throw error;
  return text;
}

const clean = 'export function f(at: usize): f32 { return load<f32>(at); }';
const broken = [
  ['state', 'let n: i32 = 0; export function f(): i32 { return ++n; }', 'mutable global'],
  [
    'start',
    'store<i32>(8, load<i32>(16)); export function f(): i32 { return load<i32>(8); }',
    'start function',
  ],
  ['a clock', 'export function f(): f64 { return Date.now() as f64; }', 'imports something'],
  [
    'a foreign function',
    '@external("host", "now") declare function now(): f64; export function f(): f64 { return now(); }',
    'imports something',
  ],
] as const;

test('checkModule: accepts a plain function over memory', async () => {
  checkModule(await compile(clean), 'clean');
});

for (const [name, source, problem] of broken) {
  test(`checkModule: refuses a module with ${name}`, async () => {
    const text = await compile(source);
    assert.throws(() => checkModule(text, `${name}.ts`), new RegExp(`${name}.ts: .*${problem}`));
  });
}

test('instantiate: refuses a module that lacks kernels or has another arity', () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true });
  const empty = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  assert.throws(() => instantiate(empty, memory), /the kernel module exports f32_dot/);
  // (module (func (export "f32_dot")))
  const short = new WebAssembly.Module(
    Uint8Array.of(
      ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0],
      ...[7, 11, 1, 7, 102, 51, 50, 95, 100, 111, 116, 0, 0, 10, 4, 1, 2, 0, 11],
    ),
  );
  assert.throws(() => instantiate(short, memory), /f32_dot takes n, x, y/);
});

test.run();
