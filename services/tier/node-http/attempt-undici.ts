// One attempt: one request to one member over its undici pool, aborts passed on both ways. Knows nothing of other members;
// says how the attempt ended.

import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { isReadable } from "../../http/framing.ts";
import type { Ended } from "../forward/send.ts";
import { failureOf } from "../rules/failures.ts";
import type { AttemptOutcome, FailedOutcome } from "../rules/outcome.ts";
import { nobodyBehind } from "../rules/tier-signals.ts";
import { Answer } from "./answer.ts";
import { attemptOverHttp } from "./attempt-http.ts";
import type { AttemptOptions } from "./attempt-options.ts";
import type { RequestExchange } from "./request-exchange.ts";

export function attemptOverUndici(exchange: RequestExchange, options: AttemptOptions): void {
  const body = exchange.body?.open();
  const handler = new UndiciAttempt(exchange, options, body);
  exchange.whenEnded((why) => handler.end(why));
  options.line.pool.dispatch(
    {
      path: exchange.to.path,
      method: exchange.method as Dispatcher.HttpMethod,
      headers: exchange.headers as string[],
      body: body ?? null,
      // Without it undici closes the connection behind each HEAD, and behind a body it does not expect.
      reset: false,
      // undici's limit runs out in the middle of an upload that the member takes slowly; ours begins behind it.
      headersTimeout: body === undefined ? options.attempt.responseTimeoutMs : 0,
      bodyTimeout: options.idleTimeoutMs,
    },
    handler,
  );
}

class UndiciAttempt implements Dispatcher.DispatchHandler {
  readonly #exchange: RequestExchange;
  readonly #options: AttemptOptions;
  readonly #answer: Answer;
  readonly #body: Readable | undefined;
  /** Set when the request begins to be sent: from then on it may have been executed. */
  #controller: Dispatcher.DispatchController | undefined;
  #limit: NodeJS.Timeout | undefined;
  #over = false;

  constructor(exchange: RequestExchange, options: AttemptOptions, body: Readable | undefined) {
    this.#exchange = exchange;
    this.#options = options;
    this.#answer = new Answer(exchange, options.hop);
    this.#body = body;
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
    if (behind !== undefined && this.#options.attempt.mayRetry("no-member-behind")) {
      this.#drop({ failure: "no-member-behind", reason: behind.error, behind });
      return;
    }
    this.#options.attempt.answering(status);
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
    const reason = error.code ?? error.message;
    if (named === "unasked-continue" && this.#resend(reason)) return;
    this.#settle({ kind: "failed", failure: this.#exchange.givenUp ?? named, reason });
  }

  end(why: Ended): void {
    if (!this.#over) {
      if (this.#exchange.response.headersSent) this.#answer.breakOff();
      this.#settle({ kind: "failed", failure: why, reason: why });
    }
    this.#controller?.abort(new Error(why));
  }

  /** The member is well, but our client library did not understand it: the other one asks it again. */
  #resend(reason: string): boolean {
    const { line, attempt, hop } = this.#options;
    line.continued();
    if (!attempt.again("unasked-continue", reason)) return false;
    this.#finishAttempt();
    attemptOverHttp(this.#exchange, { ...this.#options, hop: { ...hop, attempts: attempt.number } });
    return true;
  }

  #awaitHead(): void {
    if (this.#over || this.#answer.status > 0) return;
    const { responseTimeoutMs } = this.#options.attempt;
    const give = () => this.#drop({ failure: "response-timeout", reason: `nothing in ${responseTimeoutMs} ms` });
    this.#limit = setTimeout(give, responseTimeoutMs);
  }

  /** A body that only the connection delimits ended in a reset, which undici takes for an end. */
  #breakOff(reason: string): void {
    this.#answer.breakOff();
    this.#settle({ kind: "failed", failure: "truncated", reason });
  }

  /** Ends the attempt: there is no answer, or it says "nobody here", or nothing that we understand. */
  #drop(why: Omit<FailedOutcome, "kind">): void {
    this.#settle({ kind: "failed", ...why });
    this.#controller?.abort(new Error(why.reason));
  }

  #finish(trailers: readonly string[]): void {
    this.#answer.end(trailers);
    this.#settle({ kind: "answered", status: this.#answer.status });
  }

  #settle(outcome: AttemptOutcome): void {
    this.#finishAttempt();
    this.#options.attempt.over(outcome);
  }

  #finishAttempt(): void {
    this.#over = true;
    clearTimeout(this.#limit);
    this.#body?.destroy();
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
