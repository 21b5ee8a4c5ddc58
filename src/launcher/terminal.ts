// What comes from outside while processes work: signals, the deadline, the reader of our output,
// and the beat of the clock. The guardian of one host process and the launcher of several listen
// alike.
import { limits } from '../base/limits.ts';
import { stopSignals, type StopSignal } from '../base/signals.ts';

export type TerminalInput =
  | { readonly kind: 'signal'; readonly name: StopSignal }
  | { readonly kind: 'deadline' }
  /** Nobody reads our standard output any more. */
  | { readonly kind: 'outputClosed' }
  /** Every limits.aliveMs. Ticks are counted, not time: a suspended machine is not a silent one. */
  | { readonly kind: 'tick' };

export type Terminal = {
  readonly deadlineMs: number | undefined;
  readonly out: NodeJS.WriteStream;
};

/** Feeds what happens; returns what ends that. */
export function listenToTerminal(
  { deadlineMs, out }: Terminal,
  feed: (input: TerminalInput) => void,
): () => void {
  const names = Object.keys(stopSignals) as StopSignal[];
  const onSignals = names.map((name) => [name, () => feed({ kind: 'signal', name })] as const);
  for (const [name, act] of onSignals) process.on(name, act);
  const onOutput = () => feed({ kind: 'outputClosed' });
  out.on('error', onOutput);
  const deadline =
    deadlineMs === undefined ? undefined : setTimeout(() => feed({ kind: 'deadline' }), deadlineMs);
  const ticks = setInterval(() => feed({ kind: 'tick' }), limits.aliveMs);
  return () => {
    for (const [name, act] of onSignals) process.off(name, act);
    out.off('error', onOutput);
    clearTimeout(deadline);
    clearInterval(ticks);
  };
}
