// How links are secured: TLS 1.3 with a key that only the hosts of this run have, or not at all.
//
// There are no certificates: who has the key belongs to the run. The key is made from the job's
// secret and the run's id, so that a secret used twice gives two keys.
import { createHmac } from 'node:crypto';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectSecure, createSecureContext, TLSSocket } from 'node:tls';
import { SystemError } from '../../base/errors.ts';
import { isLoopback } from '../../base/place.ts';

/**
 * How the run's links are secured. Bytes over a network in the clear need checksums of ours: TLS
 * has its own, and what never leaves this machine's memory needs none.
 */
export type Key =
  | { readonly kind: 'tls'; readonly psk: Buffer; readonly checksums: false }
  | { readonly kind: 'plain'; readonly checksums: boolean };

export type SecurityOptions = {
  /** At least 16 bytes, the same on all hosts. Undefined: plain TCP, on loopback only. */
  readonly secret: Uint8Array | undefined;
  /** Plain TCP wherever it goes, whether there is a secret or not. */
  readonly insecure: boolean;
  readonly runId: string;
  /** Addresses that are used: the one to listen at, and rank 0's. */
  readonly addresses: readonly string[];
};

const IDENTITY = 'perpetuum';
const SECRET_BYTES_MIN = 16;

/** @throws ERR_CONFIG when bytes would go over a network in the clear and nobody asked for that. */
export function keyOf({ secret, insecure, runId, addresses }: SecurityOptions): Key {
  if (insecure) return { kind: 'plain', checksums: true };
  if (secret !== undefined) {
    if (secret.length >= SECRET_BYTES_MIN) {
      const psk = createHmac('sha256', secret).update(`${IDENTITY} ${runId}`).digest();
      return { kind: 'tls', psk, checksums: false };
    }
    const rule = `a secret has at least ${SECRET_BYTES_MIN} bytes, got ${secret.length}`;
    throw new SystemError('ERR_CONFIG', `${rule}: make one with openssl rand 32`);
  }
  const away = addresses.find((address) => !isLoopback(address));
  if (away === undefined) return { kind: 'plain', checksums: false };
  const rule = `without a secret hosts speak on the loopback address only, got ${away}`;
  throw new SystemError('ERR_CONFIG', `${rule}: give all hosts a secret, or --insecure`);
}

const tls13 = { ciphers: 'TLS_AES_128_GCM_SHA256:PSK', minVersion: 'TLSv1.3' } as const;

export type Opening = {
  readonly socket: Socket;
  /** What says that the link stands. */
  readonly ready: 'connect' | 'secureConnect' | 'secure';
};

/** What one read of a plain socket takes at most. */
const READ_BYTES = 256 * 1024;

export type Target = { readonly host: string; readonly port: number; readonly key: Key };

/**
 * Opens a link; `ready` is emitted, or `error`. A plain one gives its bytes to `take`, out of one
 * buffer that is used again and again; accepted sockets and TLS make a new buffer for each read,
 * and emit it as `data`.
 */
export function openLink({ host, port, key }: Target, take: (bytes: Uint8Array) => void): Opening {
  if (key.kind === 'plain') {
    const callback = (count: number, buffer: Uint8Array) => {
      take(buffer.subarray(0, count));
      return true;
    };
    const onread = { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback };
    return { socket: connectPlain({ host, port, onread }), ready: 'connect' };
  }
  const pskCallback = () => ({ psk: key.psk, identity: IDENTITY });
  // There is no certificate whose name could be checked: the key is the proof.
  const checkServerIdentity = () => undefined;
  const socket = connectSecure({ host, port, ...tls13, pskCallback, checkServerIdentity });
  return { socket, ready: 'secureConnect' };
}

/** The accepting end of a link, on a socket that was just accepted. */
export function acceptLink(raw: Socket, key: Buffer): Opening {
  const pskCallback = (_: unknown, identity: string) => (identity === IDENTITY ? key : null);
  const secureContext = createSecureContext(tls13);
  const options = { isServer: true, secureContext, pskCallback };
  return { socket: new TLSSocket(raw, options), ready: 'secure' };
}

/** What an error of a socket says, without the places in OpenSSL's sources. */
export function textOf(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}

/** Whether an error says that the two ends do not have the same key, or not the same security. */
export function isDisagreement(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_SSL_');
}
