// How long a client's connection waits for what its client has to do next: send a head, a body, another request, or take what was
// written for it. What comes of a wait that is over is the connection's to say.

import { Deadline, type Expirable } from "../../net/timers.ts";
import type { Transport } from "../../net/transport.ts";
import { monotonicMs } from "../../runtime/clock.ts";

export interface WaitLimits {
  /** From the first byte of a head to its last, and from the beginning of a connection to its first byte. */
  readonly headTimeoutMs: number;
  /** Between requests. */
  readonly keepAliveTimeoutMs: number;
  /** Longest silence in a body, and the time in which a client has to take what was written. */
  readonly idleTimeoutMs: number;
  /** What a body must bring on the average of some seconds, for a drop now and then is no upload; 0: anything. */
  readonly bodyBytesPerSecondMin: number;
  /** Over so long, of the time in which it is awaited, a body's rate is taken. */
  readonly bodyRateMs: number;
}

/** What the client has to do next. */
export type Awaited = "nothing" | "first-head" | "request" | "head" | "body" | "discarded-body" | "reading" | "leaving";

/** How long a client may send a body whose request has its answer, and how long it may be silent meanwhile. */
const DISCARD_MS_MAX = 5_000;
const DISCARD_SILENCE_MS = 500;
/**
 * A client that has ended its side may still read (RFC 9112 section 9.6) or may be gone: TCP does not tell before something is sent. It is
 * taken for gone when nothing could be sent for so long.
 */
const LEAVING_MS = 500;

export interface WaitParts {
  readonly owner: Expirable;
  readonly limits: WaitLimits;
  readonly transport: Pick<Transport, "bytesSent">;
}

export class ClientWait implements Expirable {
  awaited: Awaited = "first-head";
  readonly #owner: Expirable;
  readonly #limits: WaitLimits;
  readonly #transport: Pick<Transport, "bytesSent">;
  readonly #deadline: Deadline;
  #discardUntilMs = 0;
  #rateSinceMs = 0;
  #rateBytes = 0;
  #tooSlow = false;
  #bytesSent = 0;

  constructor({ owner, limits, transport }: WaitParts) {
    this.#owner = owner;
    this.#limits = limits;
    this.#transport = transport;
    this.#deadline = new Deadline(this);
    this.#deadline.set(limits.headTimeoutMs);
  }

  /** Since when nothing has been under way, by monotonicMs(); undefined while something is. */
  get idleSinceMs(): number | undefined {
    if (this.awaited === "request") return this.#deadline.dueMs - this.#limits.keepAliveTimeoutMs;
    return this.awaited === "first-head" ? this.#deadline.dueMs - this.#limits.headTimeoutMs : undefined;
  }

  /** @param moved has something just come? Then a wait for more of it begins anew */
  for(awaited: Awaited, moved: boolean): void {
    if (awaited === this.awaited && !(moved && (awaited === "body" || awaited === "discarded-body"))) return;
    if (awaited === "discarded-body" && this.awaited !== awaited) this.#discardUntilMs = monotonicMs() + DISCARD_MS_MAX;
    if (awaited === "body" && this.awaited !== awaited) this.#measureAnew();
    if (awaited === "leaving") this.#hasSentMore();
    this.awaited = awaited;
    const limitMs = this.#limitOf(awaited);
    if (awaited === "nothing") this.#deadline.clear();
    else if (limitMs > 0) this.#deadline.set(limitMs);
    else this.#deadline.hasten();
  }

  /** Some of a body has come; where that is too little for the time it took, the wait is over. */
  received(bytes: number): void {
    const { bodyBytesPerSecondMin, bodyRateMs } = this.#limits;
    // What comes with its head, or was held back here, tells nothing of the client.
    if (bodyBytesPerSecondMin === 0 || this.awaited !== "body") return;
    this.#rateBytes += bytes;
    const tookMs = monotonicMs() - this.#rateSinceMs;
    if (tookMs < bodyRateMs) return;
    const tooSlow = (this.#rateBytes * 1_000) / tookMs < bodyBytesPerSecondMin;
    this.#measureAnew();
    this.#tooSlow = tooSlow;
  }

  onDeadline(): void {
    if (this.awaited === "leaving" && this.#hasSentMore()) this.#deadline.set(LEAVING_MS);
    else this.#owner.onDeadline();
  }

  end(): void {
    this.#deadline.remove();
  }

  #measureAnew(): void {
    this.#rateSinceMs = monotonicMs();
    this.#rateBytes = 0;
    this.#tooSlow = false;
  }

  #limitOf(awaited: Awaited): number {
    const { headTimeoutMs, keepAliveTimeoutMs, idleTimeoutMs } = this.#limits;
    if (awaited === "request") return keepAliveTimeoutMs;
    if (awaited === "head") return headTimeoutMs;
    if (awaited === "leaving") return LEAVING_MS;
    if (awaited === "body" && this.#tooSlow) return 0;
    if (awaited !== "discarded-body") return idleTimeoutMs;
    return Math.min(DISCARD_SILENCE_MS, Math.max(0, this.#discardUntilMs - monotonicMs()));
  }

  /** Has anything been sent since this was last asked? */
  #hasSentMore(): boolean {
    const before = this.#bytesSent;
    this.#bytesSent = this.#transport.bytesSent;
    return this.#bytesSent > before;
  }
}
