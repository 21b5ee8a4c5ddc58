import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SystemError } from '../src/base/errors.ts';
import { chooseVariant, compileKernels, instantiate } from '../src/memory/kernels.ts';
import { signatures } from '../src/memory/signatures.ts';

function withEnvironment<T>(value: string | undefined, body: () => T): T {
  const before = process.env['PERPETUUM_KERNELS'];
  if (value === undefined) delete process.env['PERPETUUM_KERNELS'];
  else process.env['PERPETUUM_KERNELS'] = value;
  try {
    return body();
  } finally {
    if (before === undefined) delete process.env['PERPETUUM_KERNELS'];
    else process.env['PERPETUUM_KERNELS'] = before;
  }
}

const memory = new WebAssembly.Memory({ initial: 32, maximum: 65536, shared: true });

for (const reproducible of [true, false]) {
  test(`kernels: the environment chooses the build (reproducible: ${reproducible})`, () => {
    const choose = (value: string) => withEnvironment(value, () => chooseVariant({ reproducible }));
    assert.is(choose('release'), 'release');
    assert.is(choose('debug'), 'debug');
    assert.ok(['relaxed', 'release'].includes(choose('relaxed')), 'where the machine has it');
    assert.throws(
      () => choose('fast'),
      (error: unknown) =>
        error instanceof SystemError &&
        error.code === 'ERR_CONFIG' &&
        error.message.includes('got "fast"'),
    );
  });
}

test('kernels: a run that promises the same bits everywhere gets no fused multiply-add', () => {
  const choose = (reproducible: boolean) =>
    withEnvironment(undefined, () => chooseVariant({ reproducible }));
  assert.is(choose(true), 'release');
  assert.ok(['relaxed', 'release'].includes(choose(false)));
});

test('kernels: a module is taken when it has every kernel with its arguments', () => {
  const kernels = instantiate(compileKernels('release'), memory);
  for (const [name, parameters] of Object.entries(signatures)) {
    const kernel = kernels[name as keyof typeof kernels] as { length: number };
    assert.is(kernel.length, parameters.length, name);
  }
});

/** A module of functions () → () with these export names; with `parameters` i32 each. */
function fakeModule(names: readonly string[], parameters: (name: string) => number) {
  const unsigned = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >> 7)];
  const section = (id: number, items: readonly number[][]) => {
    const body = [...unsigned(items.length), ...items.flat()];
    return [id, ...unsigned(body.length), ...body];
  };
  const bytes = (text: string) => [...Buffer.from(text)];
  const named = (text: string) => [...unsigned(text.length), ...bytes(text)];
  const types = names.map((name) => {
    const count = parameters(name);
    return [0x60, ...unsigned(count), ...new Array<number>(count).fill(0x7f), 0];
  });
  return new WebAssembly.Module(
    Uint8Array.of(
      ...[0, 97, 115, 109, 1, 0, 0, 0],
      ...section(1, types),
      ...section(
        3,
        names.map((_, i) => unsigned(i)),
      ),
      ...section(
        7,
        names.map((name, i) => [...named(name), 0, ...unsigned(i)]),
      ),
      ...section(
        10,
        names.map(() => [2, 0, 0x0b]),
      ),
    ),
  );
}

const names = Object.keys(signatures) as (keyof typeof signatures)[];
const arity = (name: string) => signatures[name as keyof typeof signatures].length;

test('kernels: a module that lacks one, or takes other arguments, is refused by name', () => {
  instantiate(fakeModule(names, arity), memory); // all are there: the fake itself is sound
  for (const name of ['f32_dot', names.at(-1)]) {
    const others = names.filter((other) => other !== name);
    assert.throws(
      () => instantiate(fakeModule(others, arity), memory),
      new RegExp(`exports ${name}`),
    );
    const wrong = (other: string) => arity(other) + (other === name ? 1 : 0);
    assert.throws(
      () => instantiate(fakeModule(names, wrong), memory),
      new RegExp(`${name} takes ${signatures[name as 'f32_dot'].join(', ')}`),
    );
  }
});

test.run();
