// The library: models on arrays, training on files, and what a user's own program needs.
export { Mlr, type MlrOptions } from './library/mlr.ts';
export { Logistic, type LogisticFitOptions } from './library/logistic.ts';
export { ClassModel as MlrModel, ClassModel, type Label } from './library/classes.ts';
export {
  ElasticNet,
  Lasso,
  LassoModel,
  type ElasticNetOptions,
  type LassoFitOptions,
} from './library/lasso.ts';
export type { Matrix, SparseMatrix } from './library/matrix.ts';
export { Mf, MfModel, type MfFitOptions, type Triples } from './library/mf.ts';
export { train, type TrainFilesOptions } from './library/jobs.ts';
export type { FitOptions, FitSummary } from './library/estimator.ts';
export type { JobEvent, PathPoint, TrainDone } from './jobs/job.ts';
export {
  defineProgram,
  type Context,
  type PartitionWork,
  type Program,
  type ProgramModule,
  type PushContext,
  type ScheduleContext,
  type Setup,
} from './program/program.ts';
export { stepwise, type Steps, type StepState } from './program/steps.ts';
export { createSchedule, type Schedule } from './scheduler/schedule.ts';
export { createCoordinator, createShard } from './scheduler/shards.ts';
export { createCorrelations } from './scheduler/correlations.ts';
export type { Ratings, Samples } from './data/dataset.ts';
export type { TableSpec } from './store/table.ts';
export type { TableView } from './store/views.ts';
export { SystemError, exitCodeOf, type ErrorCode } from './base/errors.ts';
