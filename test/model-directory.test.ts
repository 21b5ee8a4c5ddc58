// Saved models: what is read is what was written, bit for bit; what is damaged is refused with the
// remedy; and what a user keeps in a folder is never lost.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SystemError } from '../src/base/errors.ts';
import { createMemory, openArena, type Arena } from '../src/memory/arena.ts';
import { planLayout } from '../src/memory/layout.ts';
import { hashModel, loadModel, saveModel, type ModelCard } from '../src/models/model-directory.ts';
import type { TrainedModel } from '../src/models/model.ts';
import { readSafetensors } from './oracle/safetensors.ts';

const layout = planLayout(1, 64 * 2 ** 20);
const newArena = () => openArena(createMemory(layout.bytes), layout, true);

/** Values that a careless copy would spoil. */
const odd = [0, -0, 1e-45, -3.4e38, Infinity, Math.fround(0.1), NaN, 1];

function modelIn(arena: Arena, shift = 0): TrainedModel {
  const place = (values: readonly number[]) => {
    const at = arena.allocate(values.length * 4);
    arena.f32.set(values, at / 4);
    return at;
  };
  const many = Array.from({ length: 300_000 }, (_, i) => Math.fround(Math.sin(i + shift)));
  return {
    model: 'mlr',
    facts: { classes: ['a', 'ö'], features: 4, shift },
    tensors: [
      { name: 'weights', shape: [4, 2], at: place(odd) },
      { name: 'intercept', shape: [2], at: place([shift, 2]) },
      { name: 'counts', shape: [5], at: place(odd.slice(0, 5)), type: 'I32' },
      { name: 'more', shape: [300, 1000], at: place(many) },
      { name: 'nothing', shape: [0, 3], at: place([]) },
    ],
  };
}

const card = { version: '1.2.3', options: { lambda: 1e-4 }, training: { seed: 7 } };

/** A folder of its own, gone afterwards. */
async function withFolder<T>(body: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'perpetuum-model-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function failure(work: Promise<unknown>): Promise<SystemError> {
  try {
    await work;
  } catch (error) {
    return error as SystemError;
  }
  return assert.unreachable('it should have failed') as never;
}

const bytesOf = (arena: Arena, { tensors }: TrainedModel) =>
  tensors.map(({ name, shape, at, type = 'F32' }) => {
    const count = shape.reduce((a, b) => a * b, 1);
    return [name, type, shape, Buffer.from(arena.u8.slice(at, at + 4 * count)).toString('base64')];
  });

test('a saved model comes back bit for bit', async () => {
  await withFolder(async (folder) => {
    const arena = newArena();
    const model = modelIn(arena);
    const directory = join(folder, 'model');
    const hash = await saveModel(directory, arena, model, card);
    const other = newArena();
    other.allocate(1000);
    const { trained, card: read } = await loadModel(directory, other);
    assert.equal(bytesOf(other, trained), bytesOf(arena, model));
    assert.equal([trained.model, trained.facts], [model.model, model.facts]);
    const { model: name, facts } = model;
    const whole: ModelCard = { format: 1, model: name, ...card, facts, modelHash: hash };
    assert.equal(read, whole);
    assert.is(await hashModel(other, trained), hash, 'the same model has the same hash');
    assert.equal(readdirSync(folder), ['model'], 'nothing is left beside it');
    assert.equal(readdirSync(directory).sort(), ['model.json', 'weights.safetensors']);
  });
});

test('weights.safetensors is what the format says, and its SHA-256 is the model hash', async () => {
  await withFolder(async (folder) => {
    const arena = newArena();
    const hash = await saveModel(join(folder, 'm'), arena, modelIn(arena), card);
    const file = readFileSync(join(folder, 'm', 'weights.safetensors'));
    assert.is(createHash('sha256').update(file).digest('hex'), hash);
    const tensors = readSafetensors(file);
    assert.equal([...tensors.keys()], ['weights', 'intercept', 'counts', 'more', 'nothing']);
    assert.equal(tensors.get('weights')?.shape, [4, 2]);
    const values = tensors.get('weights')!.values;
    assert.ok(
      values.every((value, i) => Object.is(value, Math.fround(odd[i]!))),
      values.join(' '),
    );
    assert.equal(tensors.get('counts')!.values, [
      ...new Int32Array(Float32Array.from(odd.slice(0, 5)).buffer),
    ]);
    assert.is(tensors.get('more')!.values[299_999], Math.fround(Math.sin(299_999)));
  });
});

test('a model is saved over an older one; files of the user beside it stay', async () => {
  await withFolder(async (folder) => {
    const arena = newArena();
    const directory = join(folder, 'm');
    await saveModel(directory, arena, modelIn(arena), card);
    const second = await saveModel(directory, arena, modelIn(arena, 5), card);
    const read = await loadModel(directory, newArena());
    assert.equal([read.card.modelHash, read.trained.facts['shift']], [second, 5]);
    writeFileSync(join(directory, 'notes.txt'), 'mine');
    const third = await saveModel(directory, arena, modelIn(arena, 6), card);
    assert.is((await loadModel(directory, newArena())).card.modelHash, third);
    assert.is(readFileSync(join(directory, 'notes.txt'), 'utf8'), 'mine');
    assert.equal(readdirSync(folder), ['m']);
  });
});

test('--out on a folder of other files, a file, or a missing parent: nothing is lost', async () => {
  await withFolder(async (folder) => {
    const arena = newArena();
    const save = (directory: string) => saveModel(directory, arena, modelIn(arena), card);
    const taken = join(folder, 'taken');
    mkdirSync(taken);
    writeFileSync(join(taken, 'weights.safetensors'), 'precious');
    writeFileSync(join(taken, 'thesis.tex'), 'precious');
    const refused = await failure(save(taken));
    assert.is(refused.code, 'ERR_CONFIG');
    assert.match(
      refused.message,
      /--out .*taken must be a new directory or one with a saved model/,
    );
    assert.equal(readdirSync(taken).sort(), ['thesis.tex', 'weights.safetensors']);
    assert.is(readFileSync(join(taken, 'weights.safetensors'), 'utf8'), 'precious');
    const file = join(folder, 'file');
    writeFileSync(file, 'precious');
    assert.is((await failure(save(file))).code, 'ERR_CONFIG');
    assert.is(readFileSync(file, 'utf8'), 'precious');
    assert.equal(readdirSync(folder).sort(), ['file', 'taken'], 'nothing is left beside them');
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    await save(empty);
    assert.ok(existsSync(join(empty, 'model.json')), 'an empty folder is a new one');
    await save(join(folder, 'a', 'b', 'c'));
    assert.ok(existsSync(join(folder, 'a', 'b', 'c', 'model.json')));
    const slash = join(folder, 'slash') + '/';
    await save(slash);
    assert.ok(existsSync(join(slash, 'model.json')), 'a name with a slash at its end');
  });
});

type Damage = (directory: string) => void;

const cardIs =
  (text: string): Damage =>
  (directory) =>
    writeFileSync(join(directory, 'model.json'), text);

/** The weights with another header, whose length is right. */
const headerIs =
  (text: string): Damage =>
  (directory) => {
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
    const whole = Buffer.concat([prefix, Buffer.from(text), Buffer.alloc(32)]);
    writeFileSync(join(directory, 'weights.safetensors'), whole);
  };

const weights =
  (change: (file: Buffer) => Buffer): Damage =>
  (directory) => {
    const path = join(directory, 'weights.safetensors');
    writeFileSync(path, change(readFileSync(path)));
  };

const tensor = (entry: object) =>
  JSON.stringify({ weights: { dtype: 'F32', shape: [4, 2], data_offsets: [0, 32], ...entry } });

/** What is wrong, how it came about, and what the message must say besides the path. */
const damages: readonly (readonly [string, Damage, RegExp])[] = [
  ['no folder', (at) => rmSync(at, { recursive: true }), /perpetuum train .* --out DIR/],
  ['no card', (at) => rmSync(join(at, 'model.json')), /perpetuum train .* --out DIR/],
  ['an empty card', cardIs(''), /not JSON: train and save/],
  ['half a card', cardIs('{"format": 1, "mod'), /not JSON: train and save/],
  ['a foreign card', cardIs('{"name": "package", "version": "1"}'), /format must be 1, found und/],
  ['a card of null', cardIs('null'), /model\.json/],
  ['a card of a number', cardIs('17'), /model\.json/],
  [
    'a card of another version',
    cardIs('{"format": 2}'),
    /must be 1, found 2: it was saved by anoth/,
  ],
  ['a card without a model', cardIs('{"format": 1, "facts": {}}'), /lacks "model" or "facts"/],
  ['a card of null facts', cardIs('{"format": 1, "model": "mlr", "facts": null}'), /lacks "model"/],
  ['no weights', (at) => rmSync(join(at, 'weights.safetensors')), /cannot be opened/],
  ['empty weights', weights(() => Buffer.alloc(0)), /shorter than its length field/],
  ['5 bytes of weights', weights((file) => file.subarray(0, 5)), /shorter than its length field/],
  ['a cut header', weights((file) => file.subarray(0, 40)), /header longer than file/],
  ['one byte missing', weights((file) => file.subarray(0, -1)), /"more" has offsets/],
  ['a text file', weights(() => Buffer.from('hello world, hello')), /header longer than file/],
  ['a zip file', weights(() => Buffer.from('PK\x03\x04' + '\0'.repeat(400))), /header/],
  ['a header of noise', headerIs('}{'), /the header is not JSON/],
  ['a header of null', headerIs('null'), /header/],
  ['a header with a number', headerIs('{"weights": 3}'), /"weights"/],
  ['an entry of null', headerIs('{"weights": null}'), /"weights"/],
  ['f16 weights', headerIs(tensor({ dtype: 'F16' })), /must be F32 or I32, found "F16"/],
  ['no shape', headerIs(tensor({ shape: 8 })), /needs a shape/],
  [
    'offsets before 0',
    headerIs(tensor({ data_offsets: [-8, 24] })),
    /two data_offsets, integers >= 0/,
  ],
  ['offsets beyond', headerIs(tensor({ data_offsets: [8, 40] })), /offsets 8 to 40/],
  ['a shape that lies', headerIs(tensor({ shape: [4, 3] })), /for 12 values/],
  ['a negative shape', headerIs(tensor({ shape: [-4, -2] })), /"weights"/],
  ['half a float', headerIs(tensor({ shape: [0.5], data_offsets: [0, 2] })), /"weights"/],
  [
    'one bit flipped in the values',
    weights((file) => {
      file[file.length - 100]! ^= 1;
      return file;
    }),
    /is not the one that model\.json was written for: train and save/,
  ],
  ['weights of another model', headerIs(tensor({})), /is not the one that model\.json/],
  ['odd offsets', headerIs(tensor({ data_offsets: ['0', '32'] })), /"weights"/],
];

for (const [name, damage, words] of damages) {
  test(`damaged: ${name} is ERR_CHECKPOINT`, async () => {
    await withFolder(async (folder) => {
      const arena = newArena();
      const directory = join(folder, 'm');
      await saveModel(directory, arena, modelIn(arena), card);
      damage(directory);
      const { code, message } = await failure(loadModel(directory, newArena()));
      assert.is(code, 'ERR_CHECKPOINT', message);
      assert.ok(message.includes(directory), `names the file: ${message}`);
      assert.match(message, words);
    });
  });
}

test.run();
