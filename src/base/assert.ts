// Assertions for bugs. They stay on in production: a wrong model is worse than a stopped run.
import { AssertionError } from 'node:assert';

/**
 * Stops the actor when an invariant of ours is broken. `why` says the invariant, not the failure.
 */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new AssertionError({ message: `invariant broken: ${why}` });
}

/** The end of an exhaustive switch: a new kind becomes a compile error where it is forgotten. */
export function unreachable(value: never): never {
  throw new AssertionError({ message: `unreachable: ${JSON.stringify(value)}` });
}
