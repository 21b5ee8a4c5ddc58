// Assertions for bugs. They stay on in production: a wrong model is worse than a stopped run.

/** A bug of ours. Not the class of node:assert, which costs every thread 2 ms to load. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionError';
  }
}

/**
 * Stops the actor when an invariant of ours is broken. `why` says the invariant, not the failure.
 */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new AssertionError(`invariant broken: ${why}`);
}

/** The end of an exhaustive switch: a new kind becomes a compile error where it is forgotten. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
