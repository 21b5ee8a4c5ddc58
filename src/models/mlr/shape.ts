// The shape of an mlr weight matrix: (d [+ 1]) × Kp f32, feature-major. Row j holds feature j's
// weight for every class; Kp is K padded to 4; the last row, if any, is the intercept.
import type { Samples } from '../../data/dataset.ts';

export type MlrShape = {
  readonly features: number;
  readonly classes: number;
  readonly intercept: boolean;
  /** features, and 1 more for the intercept. */
  readonly rows: number;
  readonly rowBytes: number;
};

export function mlrShape(data: Pick<Samples, 'columns' | 'classes'>, intercept: boolean): MlrShape {
  const classes = data.classes.length;
  const features = data.columns;
  const rowBytes = (classes * 4 + 15) & ~15;
  return { features, classes, intercept, rows: features + (intercept ? 1 : 0), rowBytes };
}
