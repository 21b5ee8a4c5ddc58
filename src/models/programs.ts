// The built-in programs by name: what a plan may name and every actor knows.
import type { AnyProgram } from '../program/program.ts';
import { lassoSolve } from './lasso/program.ts';
import { ldaRotation } from './lda/program.ts';
import { ldaServer } from './lda/server.ts';
import { linearPhases } from './linear/phases/program.ts';
import { linearScore } from './linear/score.ts';
import { logisticSolve } from './logistic/solver/program.ts';
import { medldaRotation } from './medlda/program.ts';
import { mfPredict } from './mf/predict.ts';
import { mfRows } from './mf/rows/program.ts';
import { mfSgd } from './mf/sgd.ts';
import { mlrBatch } from './mlr/batch/program.ts';
import { mlrEvaluate } from './mlr/evaluate.ts';
import { mlrSgd } from './mlr/sgd.ts';
import { topicsRead } from './topics/program.ts';

const programs: readonly AnyProgram[] = [
  lassoSolve,
  ldaRotation,
  ldaServer,
  linearPhases,
  linearScore,
  logisticSolve,
  medldaRotation,
  mfPredict,
  mfRows,
  mfSgd,
  mlrBatch,
  mlrEvaluate,
  mlrSgd,
  topicsRead,
];

export const builtInPrograms: ReadonlyMap<string, AnyProgram> = new Map(
  programs.map((program) => [program.name, program]),
);
