// Label texts of all blocks into classes. Each block numbers its own labels in order of appearance;
// the classes are in a fixed order, so every block gets a map from its numbers to classes.
import { isNumber } from '../probe/csv.ts';
import { labelTexts } from '../tasks.ts';
import { breather, distinctLabels, type Labelled } from './files.ts';

export type Classes = {
  readonly classes: readonly string[];
  /** Per block: class of its label i, or null when that is i for all. */
  readonly maps: readonly (Int32Array | null)[];
  /** Labels that the training data does not have. */
  readonly unknown: readonly string[];
};

/** "+1", "1" and "1.0" are one class when all labels are numbers. */
function keyOf(text: string, numeric: boolean): string {
  return numeric ? String(Number(text)) : text;
}

function isIdentity(map: Int32Array): boolean {
  return map.every((to, from) => to === from);
}

function sorted(texts: ReadonlySet<string>, numeric: boolean): string[] {
  const keys = [...new Set([...texts].map((text) => keyOf(text, numeric)))];
  if (numeric) return keys.sort((a, b) => Number(a) - Number(b));
  return keys.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Finds the classes, or takes those of the training data. @throws ERR_DATA for too many. */
export async function mergeClasses(
  pieces: readonly Labelled[],
  known: readonly string[] | undefined,
): Promise<Classes> {
  const texts = await distinctLabels(pieces);
  const numeric = [...(known ?? texts)].every(isNumber);
  const classes = known ?? sorted(texts, numeric);
  const numbers = new Map(classes.map((text, i) => [keyOf(text, numeric), i]));
  const unknown = new Set<string>();
  const maps: (Int32Array | null)[] = [];
  const breathe = breather();
  for (const piece of pieces) {
    const labels = labelTexts(piece.labels);
    await breathe(labels.length);
    const map = Int32Array.from(labels, (text) => {
      const number = numbers.get(keyOf(text, numeric)) ?? -1;
      if (number < 0) unknown.add(text);
      return number;
    });
    maps.push(isIdentity(map) ? null : map);
  }
  return { classes, maps, unknown: [...unknown] };
}
