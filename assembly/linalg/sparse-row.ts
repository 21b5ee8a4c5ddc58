// Sparse rows: n columns (i32, ascending, distinct) and n values (f32 or i32).

// @ts-ignore: decorator
@inline
function addWord(isFloat: i32, a: i32, b: i32): i32 {
  if (isFloat) return reinterpret<i32>(reinterpret<f32>(a) + reinterpret<f32>(b));
  return a + b;
}

/** Sorts n entries by column and adds up equal columns; returns the number left. Shell sort. */
export function entries_sort(isFloat: i32, n: i32, columns: usize, values: usize): i32 {
  let gap = 1;
  while (gap < n / 3) gap = 3 * gap + 1;
  for (; gap > 0; gap = gap / 3) {
    for (let i = gap; i < n; i++) {
      const column = load<i32>(columns + (<usize>i << 2));
      const value = load<i32>(values + (<usize>i << 2));
      let j = i;
      while (j >= gap && load<i32>(columns + (<usize>(j - gap) << 2)) > column) {
        store<i32>(columns + (<usize>j << 2), load<i32>(columns + (<usize>(j - gap) << 2)));
        store<i32>(values + (<usize>j << 2), load<i32>(values + (<usize>(j - gap) << 2)));
        j -= gap;
      }
      store<i32>(columns + (<usize>j << 2), column);
      store<i32>(values + (<usize>j << 2), value);
    }
  }
  let kept = 0;
  for (let i = 0; i < n; i++) {
    const column = load<i32>(columns + (<usize>i << 2));
    const value = load<i32>(values + (<usize>i << 2));
    if (kept > 0 && load<i32>(columns + (<usize>(kept - 1) << 2)) == column) {
      const place = values + (<usize>(kept - 1) << 2);
      store<i32>(place, addWord(isFloat, load<i32>(place), value));
    } else {
      store<i32>(columns + (<usize>kept << 2), column);
      store<i32>(values + (<usize>kept << 2), value);
      kept++;
    }
  }
  return kept;
}

/** Does entry (value, column) of a row sorted by value come before (other, otherColumn)? */
// @ts-ignore: decorator
@inline
function isBefore(isFloat: i32, value: i32, column: i32, other: i32, otherColumn: i32): bool {
  if (isFloat) {
    const a = reinterpret<f32>(value), b = reinterpret<f32>(other);
    if (a != b) return a > b;
  } else if (value != other) return value > other;
  return column < otherColumn;
}

/** Sorts n entries by value, the largest first; equal values by column. Shell sort. */
export function entries_rank(isFloat: i32, n: i32, columns: usize, values: usize): void {
  let gap = 1;
  while (gap < n / 3) gap = 3 * gap + 1;
  for (; gap > 0; gap = gap / 3) {
    for (let i = gap; i < n; i++) {
      const column = load<i32>(columns + (<usize>i << 2));
      const value = load<i32>(values + (<usize>i << 2));
      let j = i;
      for (; j >= gap; j -= gap) {
        const before = <usize>(j - gap) << 2;
        const c = load<i32>(columns + before), v = load<i32>(values + before);
        if (!isBefore(isFloat, value, column, v, c)) break;
        store<i32>(columns + (<usize>j << 2), c);
        store<i32>(values + (<usize>j << 2), v);
      }
      store<i32>(columns + (<usize>j << 2), column);
      store<i32>(values + (<usize>j << 2), value);
    }
  }
}

/**
 * out ← a + b, two sparse rows of na and nb entries; sums that are 0 are left out. Room at out for
 * na + nb entries. Returns the number of entries.
 */
export function sparse_row_merge(
  isFloat: i32,
  na: i32, aColumns: usize, aValues: usize,
  nb: i32, bColumns: usize, bValues: usize,
  outColumns: usize, outValues: usize,
): i32 {
  let a = 0, b = 0, out = 0;
  while (a < na || b < nb) {
    const ca = a < na ? load<i32>(aColumns + (<usize>a << 2)) : i32.MAX_VALUE;
    const cb = b < nb ? load<i32>(bColumns + (<usize>b << 2)) : i32.MAX_VALUE;
    let value: i32 = 0;
    if (ca <= cb) value = load<i32>(aValues + (<usize>(a++) << 2));
    if (cb <= ca) {
      const other = load<i32>(bValues + (<usize>(b++) << 2));
      value = ca == cb ? addWord(isFloat, value, other) : other;
    }
    const zero = isFloat ? reinterpret<f32>(value) == 0 : value == 0;
    if (!zero) {
      store<i32>(outColumns + (<usize>out << 2), ca < cb ? ca : cb);
      store<i32>(outValues + (<usize>out << 2), value);
      out++;
    }
  }
  return out;
}
