// Documents that a job reads into a file: the load makes a private folder for them, and the job
// removes it when they have been trained on, or when something fails before.
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Dataset } from '../data/dataset.ts';

async function removeSpill(data: Dataset): Promise<void> {
  if (data.kind !== 'corpus' || data.spill === undefined) return;
  await rm(dirname(data.spill.path), { recursive: true, force: true });
}

/** Runs `body`; then the data's files go. */
export async function lastUse<T>(data: Dataset, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } finally {
    await removeSpill(data);
  }
}

/** Runs `body`; the data's files go if it fails. */
export async function notLastUse<T>(data: Dataset, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (thrown) {
    await removeSpill(data);
    throw thrown;
  }
}
