// Options of what is trained: a model's own, out of its table, and those of a user's program.
import { assert } from '../../base/assert.ts';
import type { ModelOptions, OptionSpec } from '../../jobs/job.ts';
import { usage, type Values } from './values.ts';

/** `--set name=value`: numbers and true/false are parsed, everything else is text. */
export function ownOptions(settings: readonly string[]): ModelOptions {
  const options: Record<string, number | string | boolean> = {};
  for (const setting of settings) {
    const [, name, text] = /^([A-Za-z_][\w.-]*)=(.*)$/s.exec(setting) ?? [];
    if (name === undefined || text === undefined) {
      throw usage(`--set must be NAME=VALUE, got "${setting}"`, 'for example --set lambda=0.1');
    }
    if (Object.hasOwn(options, name)) {
      throw usage(`--set ${name} must be given once`, 'leave one of them out');
    }
    const number = text.trim() === '' ? NaN : Number(text);
    const boolean = text === 'true' || text === 'false';
    options[name] = Number.isNaN(number) ? (boolean ? text === 'true' : text) : number;
  }
  return options;
}

/** The model's options: what was given, and the defaults that are fixed. */
export function givenOptions(
  model: { readonly options: readonly OptionSpec[] },
  values: Values,
): ModelOptions {
  const options: Record<string, number | string | boolean> = {};
  for (const spec of model.options) {
    const value = values.get(spec.name) ?? spec.default;
    if (value === undefined) continue;
    assert(typeof value !== 'object', `--${spec.name} is not repeatable`);
    options[spec.name] = value;
  }
  return options;
}
