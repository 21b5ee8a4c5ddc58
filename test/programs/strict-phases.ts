// linear-phases with a rule stricter than its filter: its auditor must find pairs in flight.
import { defineProgram } from '../../src/program/program.ts';
import { linearPhases } from '../../src/models/linear/phases/program.ts';

export const program = defineProgram({
  ...linearPhases,
  name: 'strict-phases',
  conflict(ctx, a, b) {
    const schedule = { ...ctx.options.schedule, threshold: 0.1 };
    const strict = { ...ctx, options: { ...ctx.options, schedule } };
    return linearPhases.conflict?.(strict, a, b);
  },
});
