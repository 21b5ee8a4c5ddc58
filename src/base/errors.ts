// Errors of the world, their codes and the exit codes that the command line turns them into.
// Bugs are assertions, mathematics returns results: neither belongs here.

/** Every code a user can meet. The README has the same table in words. */
export type ErrorCode =
  | 'ERR_INTERNAL'
  | 'ERR_PROGRAM'
  | 'ERR_CONFIG'
  | 'ERR_DATA'
  | 'ERR_PEER_LOST'
  | 'ERR_NOT_FINITE'
  | 'ERR_STALENESS'
  | 'ERR_SCHEDULE'
  | 'ERR_CHECKPOINT'
  | 'ERR_DEADLINE'
  | 'ERR_TIMEOUT'
  | 'ERR_LIMIT'
  | 'ERR_ABORTED';

const exitCodes: Readonly<Record<ErrorCode, number>> = {
  ERR_INTERNAL: 1,
  ERR_PROGRAM: 1,
  ERR_TIMEOUT: 1,
  ERR_LIMIT: 2,
  ERR_CONFIG: 2,
  ERR_DATA: 3,
  ERR_PEER_LOST: 4,
  ERR_NOT_FINITE: 5,
  ERR_STALENESS: 6,
  ERR_SCHEDULE: 6,
  ERR_CHECKPOINT: 7,
  ERR_DEADLINE: 124,
  ERR_ABORTED: 130,
};

/** The process exit code for an error code (DESIGN: stable, other programs depend on it). */
export function exitCodeOf(code: ErrorCode): number {
  return exitCodes[code];
}

/** The one error class. Match on `code`, never on the text. */
export class SystemError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SystemError';
    this.code = code;
  }
}

/** An error as data: structured clone between threads drops an error's class, name and code. */
export type Fault = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly stack?: string;
};

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(exitCodes, code);
}

/** Turns anything thrown into a Fault. What carries no code of ours gets `fallback`. */
export function toFault(thrown: unknown, fallback: ErrorCode = 'ERR_INTERNAL'): Fault {
  if (!(thrown instanceof Error)) return { code: fallback, message: String(thrown) };
  const own = 'code' in thrown && isErrorCode(thrown.code) ? thrown.code : fallback;
  const fault = { code: own, message: thrown.message };
  return thrown.stack === undefined ? fault : { ...fault, stack: thrown.stack };
}

/** The error again, on the other side of a thread or process. */
export function fromFault(fault: Fault): SystemError {
  const error = new SystemError(fault.code, fault.message);
  if (fault.stack !== undefined) error.stack = fault.stack;
  return error;
}
