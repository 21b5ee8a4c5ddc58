// log4 of assembly/math.ts, which is exported by no kernel: compiled here with a probe around it.
import asc from 'assemblyscript/asc';
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { U32 } from './oracle/rounding.ts';

const sourceOf = (name: string) => new URL(`../../assembly/${name}`, import.meta.url);

const probe = `
import { log4 } from './math';
export function probe(n: i32, x: usize): void {
  for (let at: usize = 0; at < <usize>n << 2; at += 16) v128.store(x + at, log4(v128.load(x + at)));
}`;

async function compileProbe(): Promise<(values: Float32Array) => Float32Array> {
  let bytes = new Uint8Array(0);
  const flags = ['--runtime', 'stub', '--use', 'abort=', '-O3', '--importMemory', '--sharedMemory'];
  flags.push('--initialMemory', '16', '--maximumMemory', '16', '--enable', 'threads');
  const { error } = await asc.main(['probe.ts', ...flags, '--enable', 'simd', '-o', 'probe.wasm'], {
    readFile(name: string) {
      if (name === 'probe.ts') return probe;
      return ['math.ts', 'simd.ts'].includes(name) ? readFileSync(sourceOf(name), 'utf8') : null;
    },
    writeFile(_: string, content: string | Uint8Array) {
      if (typeof content !== 'string') bytes = Uint8Array.from(content);
    },
    listFiles: () => [],
  });
  if (error) throw error;
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
  const module = new WebAssembly.Module(bytes);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const log4 = exports['probe'] as (n: number, x: number) => void;
  return (values) => {
    const place = new Float32Array(memory.buffer, 65536, values.length);
    place.set(values);
    log4(values.length, 65536);
    return place.slice();
  };
}

test('log4: error below 1.2e-7 of the larger of 1 and |ln x|, over all binades and around 1', async () => {
  const log4 = await compileProbe();
  const values: number[] = [];
  for (let exponent = -126; exponent <= 127; exponent++) {
    for (let i = 0; i < 512; i++) values.push(Math.fround(2 ** exponent * (1 + i / 512)));
  }
  for (let i = -2000; i <= 2000; i++) values.push(1 + i * U32);
  while (values.length % 4 !== 0) values.push(1);
  const x = Float32Array.from(values);
  let worst = 0;
  log4(x).forEach((got, i) => {
    const want = Math.log(x[i]!);
    const error = Math.abs(got - want) / Math.max(1, Math.abs(want));
    worst = Math.max(worst, error);
    assert.ok(error <= 1.2e-7, `ln ${x[i]!}: ${got}, want ${want}`);
  });
  assert.ok(worst > 0, 'something was measured');
  assert.is(log4(Float32Array.of(1, 1, 1, 1))[2], 0, 'ln 1 = 0');
});

test.run();
