// Signals that end a run, and their numbers: the exit code is 128 and the number.
export const stopSignals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
export type StopSignal = keyof typeof stopSignals;

/** What ends a program whose output nobody reads any more. */
export const brokenPipeCode = 128 + 13;
