// Supervised topics: the tokens out of bags of words, counts as they are saved, and the classes of
// documents that were folded in. plan.ts says what rows are.

/**
 * Words of the tokens of a block of bags, from token `place` on, and where each document's begin
 * (documents + 1 × i32). Returns the place behind the last.
 */
export function medlda_tokens(
  documents: i32, place: i32, rowStart: usize, index: usize, count: usize, starts: usize, words: usize,
): i32 {
  for (let d = 0; d < documents; d++) {
    store<i32>(starts + (<usize>d << 2), place);
    const end = load<i32>(rowStart + (<usize>d << 2), 4);
    for (let j = load<i32>(rowStart + (<usize>d << 2)); j < end; j++) {
      const word = load<i32>(index + (<usize>j << 2));
      for (let c = load<i32>(count + (<usize>j << 2)); c > 0; c--, place++) {
        store<i32>(words + (<usize>place << 2), word);
      }
    }
  }
  store<i32>(starts + (<usize>documents << 2), place);
  return place;
}

/**
 * Adds `count` rows to totals (K × i32). Returns how many rows are not as many as starts
 * (count + 1 × i32) says: row i has starts[i + 1] − starts[i].
 */
export function medlda_lost(
  count: i32, k: i32, rowBytes: i32, starts: usize, rows: usize, totals: usize,
): i32 {
  let lost = 0;
  for (let i = 0; i < count; i++, starts += 4, rows += <usize>rowBytes) {
    let left = load<i32>(starts, 4) - load<i32>(starts);
    for (let at: usize = 0; at < <usize>k << 2; at += 4) {
      const n = load<i32>(rows + at);
      left -= n;
      store<i32>(totals + at, load<i32>(totals + at) + n);
    }
    lost += i32(left != 0);
  }
  return lost;
}

/** Rows as sparse ones: what is not 0, with its topic. Returns the place behind the last entry. */
export function medlda_export(
  count: i32, k: i32, rowBytes: i32, place: i32, rows: usize, starts: usize, topics: usize,
  counts: usize,
): i32 {
  for (let i = 0; i < count; i++, rows += <usize>rowBytes) {
    store<i32>(starts + (<usize>i << 2), place);
    for (let topic = 0; topic < k; topic++) {
      const n = load<i32>(rows + (<usize>topic << 2));
      if (n == 0) continue;
      store<i32>(topics + (<usize>place << 2), topic);
      store<i32>(counts + (<usize>place << 2), n);
      place++;
    }
  }
  store<i32>(starts + (<usize>count << 2), place);
  return place;
}

/**
 * Classes of `documents` folded-in documents, from K pairs {i32 topic, f32 θ} each: adds η_t·z̄ to
 * scores (T × f32 a document), z̄ = ((N + Σα) θ − α) / N with N the document's tokens of words below V, and
 * the class of the greatest to classes (i32). Returns in how many it is the target's.
 */
export function medlda_classes(
  documents: i32, T: i32, k: i32, V: i32, alpha: f64, rowStart: usize, index: usize, count: usize,
  targets: usize, mixtures: usize, eta: usize, classes: usize, scores: usize,
): i32 {
  let right = 0;
  for (let d = 0; d < documents; d++, mixtures += <usize>k << 3, rowStart += 4) {
    let n = 0;
    for (let j = load<i32>(rowStart); j < load<i32>(rowStart, 4); j++) {
      if (load<i32>(index + (<usize>j << 2)) < V) n += load<i32>(count + (<usize>j << 2));
    }
    const all = <f64>n + <f64>k * alpha, norm = n == 0 ? 0 : 1 / <f64>n;
    let best = 0, most: f64 = 0;
    for (let t = 0; t < T; t++, scores += 4) {
      let score = <f64>load<f32>(scores);
      const row = eta + (<usize>(t * k) << 2);
      for (let pair = mixtures; pair < mixtures + (<usize>k << 3); pair += 8) {
        const share = (<f64>load<f32>(pair, 4) * all - alpha) * norm;
        score += share * <f64>load<f32>(row + (<usize>load<i32>(pair) << 2));
      }
      store<f32>(scores, <f32>score);
      if (t > 0 && score <= most) continue;
      most = score;
      best = t;
    }
    store<i32>(classes + (<usize>d << 2), best);
    right += i32(best == load<i32>(targets + (<usize>d << 2)));
  }
  return right;
}
