// One attempt to post to the webhook, over undici, with a time limit. What failed is a value, never thrown; the address is
// somebody's secret: its credentials become a header, and nothing but its origin is ever told.

import { unescape as percentDecoded } from "node:querystring";
import { Agent, request } from "undici";
import { answered } from "./notice.ts";

/** An answer says nothing that we read. */
const ANSWER_BYTES_MAX = 64 * 1024;

export type Posted =
  | { readonly kind: "delivered" }
  /** `failed` may go well another time, `refused` will not. */
  | { readonly kind: "refused" | "failed"; readonly reason: string };

export class Webhook {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #attemptMs: number;
  readonly #agent: Agent;

  /** @param url http or https */
  constructor(url: string, attemptMs: number) {
    this.#url = new URL(url);
    this.#headers = {
      "content-type": "application/json",
      "user-agent": "evenkeel-watchdog",
      ...authorization(this.#url),
    };
    this.#url.username = "";
    this.#url.password = "";
    this.#attemptMs = attemptMs;
    // Notices are rare: a connection kept open would mostly be found closed, and a POST on it lost.
    this.#agent = new Agent({ pipelining: 0, connect: { timeout: attemptMs } });
  }

  /** What may be told of its address. */
  get origin(): string {
    return this.#url.origin;
  }

  async post(body: string, stop: AbortSignal): Promise<Posted> {
    const limit = AbortSignal.timeout(this.#attemptMs);
    const signal = AbortSignal.any([limit, stop]);
    try {
      const options = { method: "POST", headers: this.#headers, body, signal, dispatcher: this.#agent } as const;
      const { statusCode, body: answer } = await request(this.#url, options);
      // Its status is its answer, whatever becomes of the rest.
      await answer.dump({ limit: ANSWER_BYTES_MAX, signal }).catch(() => {});
      const kind = answered(statusCode);
      return kind === "delivered" ? { kind } : { kind, reason: `it answered ${statusCode}` };
    } catch (error) {
      if (stop.aborted) return { kind: "failed", reason: "the watchdog stops" };
      return { kind: "failed", reason: limit.aborted ? `no answer within ${this.#attemptMs} ms` : reasonOf(error) };
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function authorization({ username, password }: URL): { authorization?: string } {
  if (username === "" && password === "") return {};
  const credentials = `${percentDecoded(username)}:${percentDecoded(password)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? (message.split("\n", 1)[0] as string);
}
