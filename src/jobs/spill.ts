// Documents that a job reads into a file: the load makes a private folder for them, and the job
// removes it when they have been trained on, or when something fails before.
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Dataset } from '../data/dataset.ts';

type Warn = (text: string) => void;

/** A folder that stays is a warning: neither what was trained nor what failed is lost for it. */
async function removeSpill(data: Dataset, warn: Warn): Promise<void> {
  if (data.kind !== 'corpus' || data.spill === undefined) return;
  const folder = dirname(data.spill.path);
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    warn(`${folder} could not be removed (${why}): nobody needs it any more`);
  }
}

/** Runs `body`; then the data's files go. */
export async function lastUse<T>(data: Dataset, warn: Warn, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } finally {
    await removeSpill(data, warn);
  }
}

/** Runs `body`; the data's files go if it fails. */
export async function notLastUse<T>(data: Dataset, warn: Warn, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (thrown) {
    await removeSpill(data, warn);
    throw thrown;
  }
}
