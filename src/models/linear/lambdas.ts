/** The values of a λ path: `path` of them, evenly by factor, from `most` to its `pathRatio`. */
export function lambdaPath(
  most: number,
  { path, pathRatio }: { readonly path: number; readonly pathRatio: number },
): Float64Array {
  const last = Math.max(1, path - 1);
  return Float64Array.from({ length: path }, (_, i) => most * pathRatio ** (i / last));
}
