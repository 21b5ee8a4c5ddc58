// A saved model: a directory with model.json (what it is, how it came about) and
// weights.safetensors (its numbers). Written beside the target and renamed, so a directory that is
// there is whole.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SystemError } from '../base/errors.ts';
import {
  readSafetensors,
  typeOf,
  writeSafetensors,
  type NamedTensor,
} from '../data/safetensors.ts';
import type { Arena } from '../memory/arena.ts';
import type { TrainedModel } from './model.ts';

/** Version of model.json's form. */
const formatVersion = 1;

/** Everything of model.json but the tensors' place: training facts are for people. */
export type ModelCard = {
  readonly format: number;
  readonly model: string;
  readonly version: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly training: Readonly<Record<string, unknown>>;
  readonly modelHash: string;
};

function namedTensors(arena: Arena, trained: TrainedModel): NamedTensor[] {
  return trained.tensors.map(({ name, shape, at, type }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const all = type === 'I32' ? arena.i32 : arena.f32;
    return { name, shape, values: all.subarray(at / 4, at / 4 + count) };
  });
}

/** The hash that identifies a model: SHA-256 of its weights.safetensors. */
export function hashModel(arena: Arena, trained: TrainedModel): Promise<string> {
  return writeSafetensors(undefined, namedTensors(arena, trained));
}

/** Saves a model; returns its hash. An older model at `path` is replaced. */
export async function saveModel(
  path: string,
  arena: Arena,
  trained: TrainedModel,
  card: Omit<ModelCard, 'format' | 'model' | 'facts' | 'modelHash'>,
): Promise<string> {
  // Without the slash that a shell's completion leaves: `fresh` lies beside the folder, not in it.
  const directory = resolve(path);
  const fresh = `${directory}.new-${process.pid}`;
  try {
    await mkdir(fresh, { recursive: true });
    const weights = join(fresh, 'weights.safetensors');
    const modelHash = await writeSafetensors(weights, namedTensors(arena, trained));
    const { model, facts } = trained;
    const whole: ModelCard = { format: formatVersion, model, ...card, facts, modelHash };
    await writeFile(join(fresh, 'model.json'), JSON.stringify(whole, null, 2) + '\n');
    await replaceDirectory(directory, fresh);
    return modelHash;
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true });
    if (cause instanceof SystemError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SystemError('ERR_CONFIG', `--out ${path} cannot be written: ${why}`, { cause });
  }
}

/**
 * Puts `fresh` where `directory` is, if that is free or an older model; nothing else is touched.
 */
async function replaceDirectory(directory: string, fresh: string): Promise<void> {
  const holdsModel = await readFile(join(directory, 'model.json')).then(
    () => true,
    () => false,
  );
  if (holdsModel) {
    await rm(join(directory, 'model.json'));
    await rm(join(directory, 'weights.safetensors'), { force: true });
  }
  await rename(join(fresh), directory).catch(async (error: NodeJS.ErrnoException) => {
    const taken = error.code === 'ENOTEMPTY' || error.code === 'EEXIST';
    if (!taken) throw error;
    if (!holdsModel) {
      const rule = `--out ${directory} must be a new directory or one with a saved model`;
      throw new SystemError('ERR_CONFIG', `${rule}; it has other files`);
    }
    // Files of the user's own beside the model stay: move ours in, the card last.
    await rename(join(fresh, 'weights.safetensors'), join(directory, 'weights.safetensors'));
    await rename(join(fresh, 'model.json'), join(directory, 'model.json'));
    await rm(fresh, { recursive: true });
  });
}

/**
 * Loads a saved model's tensors into the arena.
 * @throws ERR_CHECKPOINT when the directory holds no readable model of this version, or weights
 *   that are not the ones its card was written for.
 */
export async function loadModel(
  directory: string,
  arena: Arena,
): Promise<{ trained: TrainedModel; card: ModelCard }> {
  const path = join(directory, 'model.json');
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const remedy = 'name a directory that `perpetuum train … --out DIR` wrote';
    throw new SystemError('ERR_CHECKPOINT', `${path} cannot be read: ${remedy}`, { cause });
  });
  const card = parseCard(path, text);
  const tensors = await readSafetensors(join(directory, 'weights.safetensors'), (count, type) => {
    const at = arena.allocate(count * 4) / 4;
    return (type === 'I32' ? arena.i32 : arena.f32).subarray(at, at + count);
  });
  const places = tensors.map((tensor) => {
    const { name, shape, values } = tensor;
    return { name, shape, at: values.byteOffset, type: typeOf(tensor) };
  });
  const trained = { model: card.model, facts: card.facts, tensors: places };
  if ((await hashModel(arena, trained)) === card.modelHash) return { card, trained };
  const rule = `${directory}: weights.safetensors is not the one that model.json was written for`;
  throw new SystemError('ERR_CHECKPOINT', `${rule}: train and save the model again`);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function parseCard(path: string, text: string): ModelCard {
  let card: unknown;
  try {
    card = JSON.parse(text);
  } catch {
    throw new SystemError('ERR_CHECKPOINT', `${path} is not JSON: train and save the model again`);
  }
  const { format, model, facts } = (isObject(card) ? card : {}) as Partial<ModelCard>;
  if (format !== formatVersion) {
    const rule = `${path}: format must be ${formatVersion}, found ${String(format)}`;
    throw new SystemError('ERR_CHECKPOINT', `${rule}: it was saved by another version`);
  }
  if (typeof model === 'string' && isObject(facts)) return card as ModelCard;
  const remedy = 'train and save the model again';
  throw new SystemError('ERR_CHECKPOINT', `${path} lacks "model" or "facts": ${remedy}`);
}
