// Reads an argument list against a table of options: names, rules and values, nothing of what they
// mean. Every error is ERR_CONFIG; its first line names option, rule and value, its second line
// says what to do.
import { assert } from '../../base/assert.ts';
import { SystemError } from '../../base/errors.ts';
import { laterOptions, type CommandOption } from './options.ts';
import { didYouMean } from './suggest.ts';

type Value = number | string | boolean | readonly string[];

/** A usage error: what is wrong, and on the next line what to do. */
export function usage(wrong: string, next: string): SystemError {
  return new SystemError('ERR_CONFIG', `${wrong}\n${next}`);
}

/** The values of one command line; undefined is "not given". */
export class Values {
  readonly #values: ReadonlyMap<string, Value>;

  constructor(values: ReadonlyMap<string, Value>) {
    this.#values = values;
  }

  get(name: string): Value | undefined {
    return this.#values.get(name);
  }

  number(name: string): number | undefined {
    const value = this.get(name);
    assert(value === undefined || typeof value === 'number', `--${name} is numeric`);
    return value;
  }

  text(name: string): string | undefined {
    const value = this.get(name);
    assert(value === undefined || typeof value === 'string', `--${name} is text`);
    return value;
  }

  boolean(name: string): boolean | undefined {
    const value = this.get(name);
    assert(value === undefined || typeof value === 'boolean', `--${name} is a switch`);
    return value;
  }

  flag(name: string): boolean {
    return this.boolean(name) === true;
  }

  list(name: string): readonly string[] {
    const value = this.get(name) ?? [];
    assert(typeof value === 'object', `--${name} is repeatable`);
    return value;
  }
}

/** The rule of a number in words: `an integer from 1 to 64`, `a number > 0`. */
export function rangeText(option: CommandOption): string {
  const { minimum, maximum, exclusive } = option;
  const noun = option.type === 'integer' ? 'an integer' : 'a number';
  const above = exclusive === true ? '>' : '>=';
  if (minimum === undefined) return maximum === undefined ? noun : `${noun} <= ${maximum}`;
  if (maximum === undefined) return `${noun} ${above} ${minimum}`;
  const from = exclusive === true ? `above ${minimum}, at most` : `from ${minimum} to`;
  return `${noun} ${from} ${maximum}`;
}

function numberOf(option: CommandOption, given: string, helpCommand: string): number {
  const value = given.trim() === '' ? NaN : Number(given);
  const { minimum = -Infinity, maximum = Infinity, exclusive } = option;
  const kind = option.type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
  const low = exclusive === true ? value > minimum : value >= minimum;
  if (kind && low && value <= maximum) return value;
  const wrong = `--${option.name} must be ${rangeText(option)}, got "${given}"`;
  throw usage(wrong, `${helpCommand} explains all options`);
}

function choiceOf(option: CommandOption, given: string, helpCommand: string): string {
  const { name, choices = [] } = option;
  if (choices.includes(given)) return given;
  const wrong = `--${name} must be one of ${choices.join(', ')}, got "${given}"`;
  throw usage(wrong + didYouMean(given, choices), `${helpCommand} explains all options`);
}

export type Grammar = {
  readonly options: readonly CommandOption[];
  /** The command line before the arguments, for messages: `perpetuum train mlr`. */
  readonly context: string;
  /** What else to say of an unknown option. */
  readonly unknownHint?: string;
};

/** All spellings of the options: `x`, and `no-x` of a boolean x. */
function spellings(options: readonly CommandOption[]): readonly string[] {
  return options.flatMap(({ name, type }) => (type === 'boolean' ? [name, `no-${name}`] : [name]));
}

export function unknownOption(name: string, grammar: Grammar): SystemError {
  const reason = laterOptions[name];
  if (reason !== undefined) return usage(`--${name} ${reason}`, 'leave it out');
  const guess = didYouMean(name, spellings(grammar.options), '--');
  const next = grammar.unknownHint ?? `${grammar.context} --help lists the options`;
  return usage(`${grammar.context} has no option --${name}${guess}`, next);
}

type Found = { readonly option: CommandOption; readonly negated: boolean };

function find(name: string, options: readonly CommandOption[]): Found | undefined {
  const exact = options.find((option) => option.name === name);
  if (exact) return { option: exact, negated: false };
  const plain = name.startsWith('no-') ? name.slice(3) : undefined;
  const toggled = options.find(({ name: own, type }) => own === plain && type === 'boolean');
  return toggled && { option: toggled, negated: true };
}

/** Is this argument an option? A negative number is a value, `-` alone is a name. */
export function isOption(argument: string): boolean {
  return /^-(-|[A-Za-z])/.test(argument);
}

/** Splits `--name=value` and `-h`; the rest of `--` handling is the caller's. */
function split(argument: string, grammar: Grammar): { name: string; attached?: string } {
  if (!argument.startsWith('--')) {
    const short = grammar.options.find((option) => `-${option.short}` === argument);
    if (short) return { name: short.name };
    const next = `${grammar.context} --help lists the options`;
    throw usage(`${grammar.context} has no option ${argument}`, next);
  }
  const equals = argument.indexOf('=');
  if (equals < 0) return { name: argument.slice(2) };
  return { name: argument.slice(2, equals), attached: argument.slice(equals + 1) };
}

/** Reads one option at `args[at]`; returns its value and where the next argument is. */
function take(args: readonly string[], at: number, grammar: Grammar) {
  const { name, attached } = split(args[at] ?? '', grammar);
  const found = find(name, grammar.options);
  if (!found) throw unknownOption(name, grammar);
  const { option, negated } = found;
  if (option.type === 'switch' || option.type === 'boolean') {
    if (attached !== undefined) {
      const instead = option.type === 'boolean' ? `--${option.name} or --no-${option.name}` : '';
      const next = `write ${instead || `--${name} alone`}`;
      throw usage(`--${name} takes no value, got "${attached}"`, next);
    }
    return { option, value: !negated, text: negated ? 'no' : 'yes', next: at + 1 };
  }
  const text = attached ?? args[at + 1];
  if (text === undefined || text === '' || (attached === undefined && isOption(text))) {
    const got = text === undefined ? 'the end of the line' : `"${text}"`;
    const wanted = option.placeholder ?? (option.choices?.join('|') || 'N');
    throw usage(`--${name} needs a value, got ${got}`, `write --${name} ${wanted}`);
  }
  const helpCommand = `${grammar.context} --help`;
  const numeric = option.type === 'number' || option.type === 'integer';
  const value = numeric
    ? numberOf(option, text, helpCommand)
    : option.type === 'choice'
      ? choiceOf(option, text, helpCommand)
      : text;
  return { option, value, text, next: at + (attached === undefined ? 2 : 1) };
}

/** Reads everything. @throws ERR_CONFIG on the first argument that breaks a rule. */
export function readArguments(args: readonly string[], grammar: Grammar) {
  const positionals: string[] = [];
  const values = new Map<string, Value>();
  const texts = new Map<string, string>();
  for (let at = 0; at < args.length;) {
    const argument = args[at] ?? '';
    if (argument === '--') {
      positionals.push(...args.slice(at + 1));
      break;
    }
    if (!isOption(argument)) {
      positionals.push(argument);
      at += 1;
      continue;
    }
    const { option, value, text, next } = take(args, at, grammar);
    at = next;
    const { name } = option;
    if (option.repeatable === true) {
      values.set(name, [...((values.get(name) as readonly string[]) ?? []), String(value)]);
      continue;
    }
    const before = texts.get(name);
    if (before !== undefined && before !== text) {
      const wrong = `--${name} must be given once, got ${before} and ${text}`;
      throw usage(wrong, 'leave one of them out');
    }
    texts.set(name, text);
    values.set(name, value);
  }
  return { positionals, values: new Values(values) };
}
