// Numbers as people read them.
import type { Metrics } from '../jobs/job.ts';

/** 6 significant digits, without trailing zeros. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return String(Number(value.toPrecision(6)));
}

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}

export function secondsText(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(2)} s` : `${seconds.toFixed(1)} s`;
}

export function percentText(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** Is a metric of this name a share, better read as a percentage? */
function isShare(name: string): boolean {
  return /(accuracy|precision|recall|errorrate|error-rate)$/i.test(name);
}

export function metricText(name: string, value: number): string {
  return isShare(name) && value >= 0 && value <= 1 ? percentText(value) : numberText(value);
}

/** `pass 3 of 10, objective 0.3251`: a pass and its total read as one. */
export function valuesText(values: Metrics, separator = ', '): string {
  const { passes } = values;
  const parts = Object.entries(values).flatMap(([name, value]) => {
    if (name === 'passes' && 'pass' in values) return [];
    const text = metricText(name, value);
    return [
      name === 'pass' && passes !== undefined ? `pass ${text} of ${passes}` : `${name} ${text}`,
    ];
  });
  return parts.join(separator);
}

/** An argument as a shell takes it. */
export function shellText(argument: string): string {
  return /^[\w@%+=:,./~-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
