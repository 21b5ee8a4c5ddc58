/** A module of the user's, rather than the name of a model. */
export function isProgramPath(model: string): boolean {
  return /\.m?js$/.test(model);
}
