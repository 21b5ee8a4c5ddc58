// What goes into a session and what comes out of it: settings, inputs, outputs.
import type { Fault } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Frame } from './frame.ts';
import type { Packet } from './network.ts';

export type SessionConfig = {
  readonly rank: number;
  readonly peer: number;
  /** Where the peer is, for messages. */
  readonly peerHost?: string;
  /** Both known from the start; a later start of the same rank has a greater one. */
  readonly incarnation: number;
  readonly peerIncarnation: number;
  /** This end opens connections: it asks for them with `connect`. */
  readonly connects: boolean;
  /** A packet not acknowledged for so long is sent again; undefined where a link loses nothing. */
  readonly resendMs: number | undefined;
  readonly softBytes: number;
  readonly hardBytes: number;
  readonly windowBytes: number;
  readonly heartbeatMs: number;
  readonly silenceMs: number;
  readonly peerTimeoutMs: number;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** After `close`, what is not acknowledged is given up when so long nothing was. */
  readonly closeMs: number;
};

/** The settings that hosts have in common: for links that lose nothing while they stand. */
export const sessionDefaults = {
  resendMs: undefined,
  softBytes: limits.sendSoftBytes,
  hardBytes: limits.sendHardBytes,
  windowBytes: limits.windowBytes,
  heartbeatMs: limits.heartbeatMs,
  silenceMs: limits.silenceMs,
  peerTimeoutMs: limits.peerTimeoutMs,
  reconnectMinMs: limits.reconnectMinMs,
  reconnectMaxMs: limits.reconnectMaxMs,
  closeMs: limits.closeMs,
} as const;

export type SessionInput =
  /** @throws ERR_LIMIT past the hard limit, or for a packet that no frame takes. */
  | { readonly kind: 'send'; readonly packet: Packet }
  /** A connection stands, and its other end is the peer in the incarnation of the config. */
  | { readonly kind: 'connected' }
  /** It broke, or the attempt that `connect` asked for failed. */
  | { readonly kind: 'disconnected'; readonly why: string }
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** Bytes arrived: a long frame is a sign of life before it is complete. */
  | { readonly kind: 'heard' }
  /** The listener is done with delivered packets of so many bytes. */
  | { readonly kind: 'consumed'; readonly bytes: number }
  /** Nothing more will be sent. With a fault, the peer will report us lost for that reason. */
  | { readonly kind: 'close'; readonly fault?: Fault }
  /** Time passes: at least every heartbeatMs / 4, and every resendMs / 2. */
  | { readonly kind: 'tick' };

export type SessionOutput =
  | { readonly kind: 'write'; readonly frame: Frame }
  /** Header and payload as in Network.packet; `bytes` is for `consumed`. */
  | { readonly kind: 'deliver'; readonly packet: Packet; readonly bytes: number }
  | { readonly kind: 'room' }
  /** Open a connection now, and answer with connected or disconnected. */
  | { readonly kind: 'connect' }
  /** Close the connection, now; no `disconnected` is needed. */
  | { readonly kind: 'drop'; readonly why: string }
  | { readonly kind: 'lost'; readonly fault: Fault }
  /** The peer has said that it is done; `dropped` packets of ours it will not see. */
  | { readonly kind: 'left'; readonly dropped: number }
  /**
   * After `close`: all was acknowledged, or the peer is gone, or it was silent for closeMs and may
   * not have got the last packets. The connection may be closed.
   */
  | { readonly kind: 'closed'; readonly undelivered: number };
