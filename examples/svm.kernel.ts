// A user's own kernel: the hinge loss of a linear SVM over sparse rows. Compiled beside ours with
// the same flags; it works in the same shared memory, on byte offsets, and has no state.

/**
 * For `rows` rows of a csr block, labels −1 for class 0 and +1 for class 1:
 * where y·(w·x) < 1, g += y·x. Returns Σ max(0, 1 − y·(w·x)).
 */
export function hinge(
  rows: i32,
  rowStart: usize,
  index: usize,
  value: usize,
  target: usize,
  w: usize,
  g: usize,
): f64 {
  let loss: f64 = 0;
  for (let i = 0; i < rows; i++) {
    const first = load<i32>(rowStart + ((<usize>i) << 2));
    const last = load<i32>(rowStart + ((<usize>(i + 1)) << 2));
    const y: f32 = load<i32>(target + ((<usize>i) << 2)) == 1 ? 1 : -1;
    let score: f32 = 0;
    for (let j = first; j < last; j++) {
      const column = load<u32>(index + ((<usize>j) << 2));
      score += load<f32>(value + ((<usize>j) << 2)) * load<f32>(w + ((<usize>column) << 2));
    }
    const slack: f32 = <f32>1 - y * score;
    if (slack <= 0) continue;
    loss += <f64>slack;
    for (let j = first; j < last; j++) {
      const cell = g + ((<usize>load<u32>(index + ((<usize>j) << 2))) << 2);
      store<f32>(cell, load<f32>(cell) + y * load<f32>(value + ((<usize>j) << 2)));
    }
  }
  return loss;
}
