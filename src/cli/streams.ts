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
 * signals, 128 + n) at once or nearly so, because whoever stopped us waits. Either way by an exit:
 * Node takes 10 ms to end by itself.
 */
export function endProcess(code: number, { out, err }: Streams): void {
  process.exitCode = code;
  const exit = () => process.exit(code);
  const waiting = code < 124 ? [out, err] : [out];
  const unwritten = waiting.filter(({ writableLength }) => writableLength > 0);
  if (unwritten.length === 0) return exit();
  if (code >= 124) setTimeout(exit, flushMs);
  let left = unwritten.length;
  const written = () => {
    left -= 1;
    if (left === 0) exit();
  };
  for (const stream of unwritten) stream.write('', written);
}
