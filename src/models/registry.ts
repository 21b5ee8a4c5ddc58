// The library's models by name.
import type { Corpus, Ratings, Samples } from '../data/dataset.ts';
import { elasticNet, lasso } from './lasso/model.ts';
import { lda } from './lda/model.ts';
import { logistic } from './logistic/model.ts';
import { medlda } from './medlda/model.ts';
import { mf } from './mf/model.ts';
import { mlr } from './mlr/model.ts';
import type { Model } from './model.ts';

/** A model with what it reads: `input` says which. */
export type AnyModel = Model<Samples> | Model<Ratings> | Model<Corpus>;

/** Sorted by name: what `perpetuum models` lists. */
export const models: readonly AnyModel[] = [elasticNet, lasso, lda, logistic, medlda, mf, mlr];

export function findModel(name: string): AnyModel | undefined {
  return models.find((model) => model.name === name);
}
