// What travels between the launcher and a host that ssh reaches, over the standard streams of the
// remote command. channel.ts is inside of it; the host process is the same as on this machine.
//
//   launcher                         remote: node -e (bootstrap.ts)
//            <--- stdout  a line: perpetuum-host 1 {"node":"20.19.0","cores":8}
//   stdin    ---> the package: u32 length, u32 length of a list, list of [path, bytes], the files
//                                    writes them to a folder of its own, and becomes the relay:
//   frames   ---> start                forks the host process from there
//            ---> job, stop            to the host process
//            ---> beat                 every limits.aliveMs
//            <--- ready, event, …      from the host process
//            <--- note                 for people
//            <--- exit                 the host process is gone, and the folder too; the last frame
//            <--- stderr               what anybody writes, as it is
//
// The end of stdin, or silence on it, is the launcher's end: the relay kills the host process,
// removes the folder and ends. Should the relay be killed itself, the host process does the same.
import type { FromHost, ToHost } from '../../cli/channel.ts';

export type ToRelay =
  /** `entry`: the host's file in the package; `cwd`: where relative paths begin, if it is there. */
  | { readonly kind: 'start'; readonly entry: string; readonly cwd: string }
  | { readonly kind: 'beat' }
  | ToHost;

export type FromRelay =
  | FromHost
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: string | null };

/** Begins the first line of the remote command. What a login shell prints comes earlier. */
export const helloMark = 'perpetuum-host 1 ';

export type Hello = { readonly node: string; readonly cores: number };

/** What the bootstrap hands to the relay. */
export type RelayBoot = {
  readonly folder: string;
  /** Bytes of stdin that came with the end of the package. */
  readonly rest: Buffer;
};
