// One attempt over node:http, for what undici cannot do: a request whose client awaits a 100 (Continue) before it sends its
// body, `OPTIONS *`, and whatever goes to a member that may send a 100 unasked. Rare, so each has a connection of its own.

import { type ClientRequest, type IncomingMessage, request as send } from "node:http";
import { isReadable } from "../../http/framing.ts";
import { type Failure, failureOf } from "../rules/failures.ts";
import { headerValue } from "../rules/headers.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";
import { nobodyBehind } from "../rules/tier-signals.ts";
import { Answer } from "./answer.ts";
import type { AttemptOptions } from "./attempt-options.ts";
import type { RequestExchange } from "./request-exchange.ts";

/** A member that knows nothing of Expect says neither yes nor no: after this the client is told to go on (RFC 9110 section 10.1.1). */
const CONTINUE_WITHIN_MS = 1_000;

export function attemptOverHttp(exchange: RequestExchange, options: AttemptOptions): void {
  new HttpAttempt(exchange, options).start();
}

class HttpAttempt {
  readonly #exchange: RequestExchange;
  readonly #options: AttemptOptions;
  readonly #answer: Answer;
  #request: ClientRequest | undefined;
  #limit: NodeJS.Timeout | undefined;
  /** Did the client wait for a 100 when this attempt began? */
  readonly #asked: boolean;
  #sent = false;
  #bodyBegun = false;
  #over = false;

  constructor(exchange: RequestExchange, options: AttemptOptions) {
    this.#exchange = exchange;
    this.#asked = exchange.awaitsContinue;
    this.#options = options;
    this.#answer = new Answer(exchange, options.hop);
  }

  start(): void {
    const { attempt, line, connectTimeoutMs, idleTimeoutMs } = this.#options;
    const { member } = attempt;
    const { request, to } = this.#exchange;
    const headers = this.#headers() as unknown as Record<string, string>;
    const outgoing = send({
      host: member.host,
      port: member.port,
      method: request.method,
      path: to.path,
      headers,
      agent: false,
    });
    this.#request = outgoing;
    this.#exchange.whenEnded((why) => this.#fail(why, why));
    this.#within(connectTimeoutMs, "connect-timeout");
    outgoing.on("socket", (socket) => {
      socket.once("connect", () => {
        this.#sent = true;
        clearTimeout(this.#limit);
        if (this.#asked) this.#continueAnyway();
      });
    });
    outgoing.on("continue", () => {
      if (this.#asked) this.#sendBody();
      else line.continued();
    });
    outgoing.on("information", ({ statusCode, statusMessage, rawHeaders }) => {
      // A 100 is an event of its own. Unasked it goes no further: nobody waits for it, and we know whom it breaks.
      if (statusCode !== 100) this.#answer.informational(statusCode, statusMessage, rawHeaders);
      if (this.#sent && this.#bodyBegun) this.#limit?.refresh();
    });
    // Nobody asked for another protocol; node:http hangs up, and says nothing.
    outgoing.on("upgrade", (_incoming, socket) => {
      socket.destroy();
      this.#fail("malformed", "status 101");
    });
    outgoing.on("response", (incoming) => this.#receive(incoming));
    outgoing.on("error", (error: NodeJS.ErrnoException) => this.#error(error));
    const silence = Object.assign(new Error(`silence for ${idleTimeoutMs} ms`), { code: "ETIMEDOUT" });
    outgoing.setTimeout(idleTimeoutMs, () => outgoing.destroy(silence));
    if (!this.#asked) this.#sendBody();
  }

  #headers(): string[] {
    const { headers, body } = this.#exchange;
    const all = [...headers];
    if (headerValue(headers, "host") === undefined) all.push("Host", this.#options.attempt.member.host);
    // By what is sent, not by what came: a client may have had Content-Length struck by naming it in Connection.
    if (body !== undefined && headerValue(headers, "content-length") === undefined) {
      all.push("Transfer-Encoding", "chunked");
    }
    if (this.#asked) all.push("Expect", "100-continue");
    // A member that closes behind an early answer would reset what we still send, and the answer be lost with it.
    all.push("Connection", "keep-alive");
    return all;
  }

  #continueAnyway(): void {
    clearTimeout(this.#limit);
    this.#limit = setTimeout(() => this.#sendBody(), CONTINUE_WITHIN_MS);
  }

  /** From here on the client sends; another attempt has nothing to wait for. */
  #sendBody(): void {
    if (this.#bodyBegun || this.#over) return;
    this.#bodyBegun = true;
    // Before that the limit is the connection's.
    if (this.#sent) clearTimeout(this.#limit);
    this.#exchange.continue();
    const outgoing = this.#request as ClientRequest;
    const body = this.#exchange.body?.open();
    outgoing.once("finish", () => this.#within(this.#options.attempt.responseTimeoutMs, "response-timeout"));
    if (body === undefined) outgoing.end();
    else body.pipe(outgoing).once("close", () => body.destroy());
  }

  #receive(incoming: IncomingMessage): void {
    clearTimeout(this.#limit);
    if (this.#over) return;
    const status = incoming.statusCode as number;
    const behind = nobodyBehind(status, incoming.rawHeaders);
    if (behind !== undefined && this.#options.attempt.mayRetry("no-member-behind")) {
      this.#settle({ kind: "failed", failure: "no-member-behind", reason: behind.error, behind });
      return;
    }
    if (!isReadable(status, incoming.rawHeaders)) {
      this.#fail("malformed", `status ${status} in an unknown coding`);
      return;
    }
    // Refused before the body: whether the client sends it all the same cannot be known, so nothing may follow on its connection.
    if (!this.#bodyBegun) this.#exchange.response.shouldKeepAlive = false;
    this.#options.attempt.answering(status);
    if (this.#exchange.body !== undefined && !this.#asked) this.#options.line.answered();
    if (this.#answer.head(status, incoming.statusMessage, incoming.rawHeaders)) {
      this.#finish([]);
      return;
    }
    incoming.on("data", (chunk: Buffer) => {
      if (!this.#answer.data(chunk, () => incoming.resume())) incoming.pause();
    });
    incoming.once("end", () => this.#finish(incoming.rawTrailers));
    incoming.once("error", (error: NodeJS.ErrnoException) => this.#error(error));
  }

  #error({ code, message }: NodeJS.ErrnoException): void {
    if (this.#over) return;
    const started = this.#exchange.response.headersSent;
    this.#fail(failureOf(code, { sent: this.#sent, started }), code ?? message);
  }

  #within(limitMs: number, failure: Failure): void {
    clearTimeout(this.#limit);
    this.#limit = setTimeout(() => this.#fail(failure, `nothing in ${limitMs} ms`), limitMs);
  }

  #fail(failure: Failure, reason: string): void {
    if (!this.#over && this.#exchange.response.headersSent) this.#answer.breakOff();
    this.#settle({ kind: "failed", failure, reason });
  }

  #finish(trailers: readonly string[]): void {
    if (this.#over) return;
    this.#answer.end(trailers);
    this.#settle({ kind: "answered", status: this.#answer.status });
  }

  #settle(outcome: AttemptOutcome): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#limit);
    this.#request?.on("error", () => {}).destroy();
    this.#options.attempt.over(outcome);
  }
}
