// A budget of bytes per second: a token bucket, with time as an argument.
import { assert } from '../base/assert.ts';

export class Budget {
  readonly #bytesPerMs: number;
  readonly #burstBytes: number;
  #tokens: number;
  #atMs: number;

  /** `burstBytes` may go at once after a pause. */
  constructor(bytesPerSecond: number, burstBytes: number, nowMs: number) {
    assert(bytesPerSecond > 0 && burstBytes > 0, 'a budget is positive');
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#burstBytes = burstBytes;
    this.#tokens = burstBytes;
    this.#atMs = nowMs;
  }

  #refill(nowMs: number): void {
    const earned = Math.max(0, nowMs - this.#atMs) * this.#bytesPerMs;
    this.#tokens = Math.min(this.#burstBytes, this.#tokens + earned);
    this.#atMs = Math.max(this.#atMs, nowMs);
  }

  /** Bytes that may go now. */
  available(nowMs: number): number {
    this.#refill(nowMs);
    return Math.max(0, this.#tokens);
  }

  /**
   * Spends `bytes` if they may go now; a packet larger than the burst goes when the bucket is full,
   * and the debt is paid off before the next.
   */
  spend(bytes: number, nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < Math.min(bytes, this.#burstBytes)) return false;
    this.#tokens -= bytes;
    return true;
  }

  /** Milliseconds from now until `bytes` may go. */
  waitMs(bytes: number, nowMs: number): number {
    this.#refill(nowMs);
    const missing = Math.min(bytes, this.#burstBytes) - this.#tokens;
    return missing <= 0 ? 0 : missing / this.#bytesPerMs;
  }
}
