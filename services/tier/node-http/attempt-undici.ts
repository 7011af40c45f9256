// One attempt: one request to one member over its undici pool, aborts passed on both ways. Knows nothing of other members;
// says how the attempt ended.

import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import type { Ended, Exchange } from "../downstream/exchange.ts";
import { type Attempt, type AttemptOptions, type Failed, nobodyBehind } from "../forward/attempt.ts";
import { failureOf } from "../rules/failures.ts";
import { isReadable } from "../rules/headers.ts";
import { Answer } from "./answer.ts";

/** Resolves when the attempt is over; never rejects. */
export function attemptOverUndici(exchange: Exchange, options: AttemptOptions): Promise<Attempt> {
  return new Promise((resolve) => {
    const body = exchange.body?.open();
    const attempt = new UndiciAttempt({ exchange, options, body, resolve });
    exchange.whenEnded((why) => attempt.end(why));
    options.line.pool.dispatch(
      {
        path: exchange.to.path,
        method: exchange.request.method as Dispatcher.HttpMethod,
        headers: exchange.headers as string[],
        body: body ?? null,
        // Without it undici closes the connection behind each HEAD, and behind a body it does not expect.
        reset: false,
        // undici's limit runs out in the middle of an upload that the member takes slowly; ours begins behind it.
        headersTimeout: body === undefined ? options.responseTimeoutMs : 0,
        bodyTimeout: options.idleTimeoutMs,
      },
      attempt,
    );
  });
}

interface AttemptParts {
  readonly exchange: Exchange;
  readonly options: AttemptOptions;
  readonly body: Readable | undefined;
  readonly resolve: (attempt: Attempt) => void;
}

class UndiciAttempt implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #options: AttemptOptions;
  readonly #answer: Answer;
  readonly #body: Readable | undefined;
  readonly #resolve: (attempt: Attempt) => void;
  /** Set when the request begins to be sent: from then on it may have been executed. */
  #controller: Dispatcher.DispatchController | undefined;
  #limit: NodeJS.Timeout | undefined;
  #over = false;

  constructor({ exchange, options, body, resolve }: AttemptParts) {
    this.#exchange = exchange;
    this.#options = options;
    this.#answer = new Answer(exchange, options.facts);
    this.#body = body;
    this.#resolve = resolve;
    body?.once("end", () => this.#awaitHead());
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    const { givenUp } = this.#exchange;
    if (this.#over || givenUp !== undefined) controller.abort(new Error(givenUp ?? "ended before it was sent"));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, reason?: string): void {
    if (this.#over) return;
    clearTimeout(this.#limit);
    const raw = textOf(controller.rawHeaders);
    const phrase = bytesOf(reason ?? "");
    if (!isReadable(status, raw)) {
      this.#drop({ failure: "malformed", reason: `status ${status} in an unknown coding` });
      return;
    }
    if (status < 200) {
      this.#answer.informational(status, phrase, raw);
      this.#limit?.refresh();
      return;
    }
    const behind = nobodyBehind(status, raw);
    if (behind !== undefined && this.#options.mayRetry("no-member-behind")) {
      this.#drop({ failure: "no-member-behind", reason: behind.error, behind });
      return;
    }
    this.#options.onAnswering(status);
    // undici would wait for the body that a 304's Content-Length speaks of; its late error is not ours.
    if (this.#answer.head(status, phrase, raw)) this.#finish([]);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over && !this.#answer.data(chunk, () => controller.resume())) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over) return;
    if (this.#options.line.breaks) this.#breakOff("ECONNRESET");
    else this.#finish(textOf(controller.rawTrailers));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error & { code?: string }): void {
    if (this.#over) return;
    const started = this.#exchange.response.headersSent;
    if (started) this.#answer.breakOff();
    const sent = this.#controller !== undefined;
    const named = isUnaskedContinue(error) ? "unasked-continue" : failureOf(error.code, { sent, started });
    this.#settle({ kind: "failed", failure: this.#exchange.givenUp ?? named, reason: error.code ?? error.message });
  }

  end(why: Ended): void {
    if (!this.#over) {
      if (this.#exchange.response.headersSent) this.#answer.breakOff();
      this.#settle({ kind: "failed", failure: why, reason: why });
    }
    this.#controller?.abort(new Error(why));
  }

  #awaitHead(): void {
    if (this.#over || this.#answer.status > 0) return;
    const { responseTimeoutMs } = this.#options;
    const give = () => this.#drop({ failure: "response-timeout", reason: `nothing in ${responseTimeoutMs} ms` });
    this.#limit = setTimeout(give, responseTimeoutMs);
  }

  /** A body that only the connection delimits ended in a reset, which undici takes for an end. */
  #breakOff(reason: string): void {
    this.#answer.breakOff();
    this.#settle({ kind: "failed", failure: "truncated", reason });
  }

  /** Ends the attempt: there is no answer, or it says "nobody here", or nothing that we understand. */
  #drop(why: Omit<Failed, "kind">): void {
    this.#settle({ kind: "failed", ...why });
    this.#controller?.abort(new Error(why.reason));
  }

  #finish(trailers: readonly string[]): void {
    this.#answer.end(trailers);
    this.#settle({ kind: "answered", status: this.#answer.status });
  }

  #settle(attempt: Attempt): void {
    this.#over = true;
    clearTimeout(this.#limit);
    this.#body?.destroy();
    this.#resolve(attempt);
  }
}

/** The words of undici 7 alone tell it from a connection that broke; informational.ts among the tests' rules would notice others. */
function isUnaskedContinue({ code, message }: Error & { code?: string }): boolean {
  return code === "UND_ERR_SOCKET" && message === "bad response";
}

/** undici reads the reason phrase as UTF-8; node:http throws at what is no latin1. */
function bytesOf(reason: string): string {
  return Buffer.from(reason).toString("latin1");
}

/** undici gives raw headers as bytes; latin1 is what goes in and out unchanged. */
function textOf(raw: Dispatcher.DispatchController["rawHeaders"]): string[] {
  return ((raw ?? []) as Buffer[]).map((part) => part.toString("latin1"));
}
