// Slurm's short form of host names: `n[1-3,7],login,r[01-02]-c[1-2]`.
import { SystemError } from '../base/errors.ts';
import { limits } from '../base/limits.ts';

function refuse(list: string, rule: string): SystemError {
  const next = 'it should look like n[1-3,7]; was the variable changed by hand?';
  return new SystemError('ERR_CONFIG', `node list "${list}": ${rule}\n${next}`);
}

/** Splits at commas that stand in no bracket. */
function topLevel(list: string): readonly string[] {
  const items: string[] = [];
  let from = 0;
  let inside = false;
  for (let at = 0; at < list.length; at++) {
    const character = list[at];
    if (character === '[') {
      if (inside) throw refuse(list, 'a bracket opens inside a bracket');
      inside = true;
    } else if (character === ']') {
      if (!inside) throw refuse(list, 'a bracket closes that was not opened');
      inside = false;
    } else if (character === ',' && !inside) {
      items.push(list.slice(from, at));
      from = at + 1;
    }
  }
  if (inside) throw refuse(list, 'a bracket is not closed');
  return [...items, list.slice(from)];
}

/** `1-3,7` → 1, 2, 3, 7, with the leading zeros of the first number of a range. */
function rangesOf(inner: string, list: string): readonly string[] {
  return inner.split(',').flatMap((range) => {
    const [, low = '', high = low] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    const count = Number(high) - Number(low) + 1;
    if (low === '') throw refuse(list, `"${range}" is neither a number nor a range`);
    if (count < 1) throw refuse(list, `the range ${range} is empty`);
    if (count > limits.hostsMax) throw refuse(list, `the range ${range} is too long`);
    const width = low.length;
    return Array.from({ length: count }, (_, i) => String(Number(low) + i).padStart(width, '0'));
  });
}

/** All names, in order. @throws ERR_CONFIG for a list that is none. */
export function expandNodes(list: string): readonly string[] {
  const names = topLevel(list).flatMap((item) => {
    // Text and brackets alternate: a[1-2]-b[3] is a, 1-2, -b, 3, and nothing.
    const parts = item.split(/[[\]]/);
    let heads: readonly string[] = [''];
    parts.forEach((part, i) => {
      const tails = i % 2 === 0 ? [part] : rangesOf(part, list);
      if (heads.length * tails.length > limits.hostsMax) throw refuse(list, 'it is too long');
      heads = heads.flatMap((head) => tails.map((tail) => head + tail));
    });
    return heads;
  });
  if (names.some((name) => name === '')) throw refuse(list, 'a name is empty');
  return names;
}
