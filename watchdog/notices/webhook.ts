// One attempt to post to the webhook, over undici, with a time limit. A failure is a value, never thrown. The address is
// somebody's secret: its credentials become a header, and nothing but its origin is ever logged.

import { unescape as percentDecoded } from "node:querystring";
import { Agent, request } from "undici";
import { outcomeOf } from "./notice.ts";

/** Nothing of an answer's body is read. */
const ANSWER_BYTES_MAX = 64 * 1024;

export type Delivery =
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

  /** The part of its address that may be logged. */
  get origin(): string {
    return this.#url.origin;
  }

  async post(body: string, stop: AbortSignal): Promise<Delivery> {
    const limit = AbortSignal.timeout(this.#attemptMs);
    const signal = AbortSignal.any([limit, stop]);
    try {
      const options = { method: "POST", headers: this.#headers, body, signal, dispatcher: this.#agent } as const;
      const { statusCode, body: answer } = await request(this.#url, options);
      // Its status is its answer, whatever becomes of the rest.
      await answer.dump({ limit: ANSWER_BYTES_MAX, signal }).catch(() => {});
      const kind = outcomeOf(statusCode);
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
