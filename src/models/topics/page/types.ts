// What the page carries inside, as JSON: numbers are lists of integers, so that 100 topics stay
// below 200 kB. Topics are in order of their size, and all names them by their place there.
export type PageTopic = {
  /** Number in the model: what `predict` writes. */
  readonly id: number;
  /** n_k, tokens of the topic. */
  readonly total: number;
  /** Place in `words`, n_kw; and so on: all that is among the best at some λ. */
  readonly words: readonly number[];
  /** Place in `documents`, θ in thousandths; and so on, the largest first. */
  readonly documents: readonly number[];
  /** The nearest topics, the nearest first. */
  readonly near: readonly number[];
  /** Its place on the map, and the radius of its circle, in thousandths of the map's width. */
  readonly at: readonly [number, number, number];
  /** Mean θ in each period, in hundred-thousandths. */
  readonly time: readonly number[];
};

export type PageData = {
  readonly title: string;
  /** Of the whole corpus. */
  readonly documentCount: number;
  readonly tokens: number;
  readonly vocabulary: number;
  /** Topics of the model, of which the page shows the largest. */
  readonly topicCount: number;
  readonly beta: number;
  /** A word, n_w, and in which topics it mostly is: place of a topic, percent; and so on. */
  readonly words: readonly (readonly [string, number, ...number[]])[];
  /** Name and year; 0: no year. */
  readonly documents: readonly (readonly [string, number])[];
  readonly topics: readonly PageTopic[];
  /** Year of the first period, years in one, documents in each; count 0: no dates. */
  readonly periods: {
    readonly first: number;
    readonly years: number;
    readonly documents: readonly number[];
  };
};

/** Height of the map, in thousandths of its width. */
export const mapHeight = 620;
