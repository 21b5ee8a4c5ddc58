// The process's own streams and its end. Pipes are asynchronous in Node: what was written last may
// still be on its way when the work is over.

export type Streams = { readonly out: NodeJS.WriteStream; readonly err: NodeJS.WriteStream };

/** A stopped run does not wait longer for a reader that has stopped reading. */
const flushMs = 100;

/** Standard output and error; a reader that goes away (`| head`) is not a crash. */
export function quietStreams(): Streams {
  const { stdout, stderr } = process;
  // The guardian listens for its own reasons; without any listener, EPIPE would end us with a
  // stack.
  stdout.on('error', () => undefined);
  stderr.on('error', () => undefined);
  return { out: stdout, err: stderr };
}

/**
 * Ends the process with `code`. After a normal run, once all is written; after a stop (124 and the
 * signals, 128 + n) at once or nearly so, because whoever stopped us waits.
 */
export function endProcess(code: number, { out }: Streams): void {
  process.exitCode = code;
  if (code < 124) return;
  const exit = () => process.exit(code);
  if (out.writableLength === 0) return exit();
  setTimeout(exit, flushMs);
  out.write('', exit);
}
