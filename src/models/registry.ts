// The library's models by name.
import type { Model } from './model.ts';

/** Sorted by name: what `perpetuum models` lists. */
export const models: readonly Model[] = [];

export function findModel(name: string): Model | undefined {
  return models.find((model) => model.name === name);
}
