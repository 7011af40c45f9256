// The link to one proxy: opened as soon as the proxy is known, and again after it has ended, with back-off. While there is none, requests
// go over connections of HTTP/1.1.

import type { RequestStart, ResponseHandler } from "../../http/client/client-exchange.ts";
import { type ResponseHead, ResponseParser } from "../../http/parsing/response-parser.ts";
import { WholeHeads } from "../../http/parsing/whole-heads.ts";
import { connectSession } from "../../link/connect.ts";
import type { Session } from "../../link/session.ts";
import { type Backoff, backoffMs } from "../../runtime/backoff.ts";
import { LinkRequest, type LinkRequestLimits } from "./link-request.ts";

/** A proxy that is silent for so long is given up; its requests are tried elsewhere before, by their own deadlines. */
const SILENCE_MS_MAX = 15_000;
const RETRY: Backoff = { firstMs: 100, maxMs: 10_000 };
/** One that does not speak the link is asked again now and then: it may have been replaced. */
const NOT_SPOKEN_MS = 60_000;

export interface MemberLinkParts {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly limits: LinkRequestLimits;
}

export class MemberLink {
  readonly #parts: MemberLinkParts;
  readonly #heads: WholeHeads<ResponseHead>;
  #session: Session | undefined;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: MemberLinkParts) {
    this.#parts = parts;
    this.#heads = new WholeHeads(() => new ResponseParser(parts.limits));
    void this.#open();
  }

  get usable(): boolean {
    return this.#session?.usable ?? false;
  }

  /** @returns undefined while there is no link that takes it */
  request(start: RequestStart, handler: ResponseHandler): LinkRequest | undefined {
    const session = this.#session;
    if (session === undefined || !session.usable) return undefined;
    const request = new LinkRequest({ start, handler, limits: this.#parts.limits, heads: this.#heads });
    return request.begin(session) ? request : undefined;
  }

  /** Ends with the last exchange. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#session?.drain();
  }

  /** Cuts everything; exchanges that are under way fail. */
  destroy(): void {
    this.close();
    this.#session?.destroy();
  }

  async #open(): Promise<void> {
    const { host, port, connectTimeoutMs, limits } = this.#parts;
    const connected = await connectSession({
      host,
      port,
      timeoutMs: connectTimeoutMs,
      settings: { headBytesMax: limits.headBytesMax, silenceMsMax: SILENCE_MS_MAX },
      owner: { onGoaway: () => {}, onClose: () => this.#ended() },
    });
    if (connected.kind === "session") {
      if (connected.session.closed) this.#later();
      else if (this.#closed) connected.session.destroy();
      else {
        this.#session = connected.session;
        this.#failures = 0;
      }
    } else this.#later(connected.kind === "not-spoken" && connected.status !== 503 ? NOT_SPOKEN_MS : 0);
  }

  #ended(): void {
    if (this.#session === undefined) return;
    this.#session = undefined;
    this.#later();
  }

  #later(msMin = 0): void {
    if (this.#closed) return;
    this.#failures += 1;
    const ms = Math.max(msMin, backoffMs(RETRY, this.#failures, Math.random()));
    this.#retry = setTimeout(() => void this.#open(), ms);
    this.#retry.unref();
  }
}
