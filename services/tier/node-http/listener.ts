// The tier's side towards its clients: each request is admitted or refused, in its turn, and becomes an exchange. Who carries exchanges
// out is the tier's to say.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { requestFraming } from "../../http/framing.ts";
import type { Settings } from "../../runtime/config.ts";
import { type Admission, type AdmissionOptions, admit } from "../downstream/admission.ts";
import {
  CONNECT_REFUSED,
  closingBytes,
  OPTIONS_REPLY,
  refusalReply,
  upgradeRefusal,
} from "../downstream/local-replies.ts";
import type { TierRequest } from "./incoming.ts";
import { RequestExchange } from "./request-exchange.ts";
import { write } from "./responses.ts";
import { createTierServer } from "./server.ts";
import { Turns } from "./turns.ts";
import { UpgradeExchange } from "./upgrade-exchange.ts";

export interface ListenerParts {
  readonly settings: Settings;
  readonly admission: AdmissionOptions;
  readonly carryOut: (exchange: RequestExchange) => void;
  readonly carryOutUpgrade: (exchange: UpgradeExchange) => void;
  /** Called for each request and upgrade, when it is answered. */
  readonly onAnswered: (method: string, status: number, seconds: number) => void;
}

export class Listener {
  readonly server: Server;
  readonly #parts: ListenerParts;
  readonly #turns = new Turns();
  #inFlight = 0;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.server = createTierServer({
      settings: parts.settings,
      trusted: parts.admission.trusted,
      turns: this.#turns,
    });
  }

  /** Requests that are not over. */
  get inFlight(): number {
    return this.#inFlight;
  }

  start(): void {
    this.server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#turns.begin(response, () => void this.#serve(request, response));
    });
    // node:http answers these two itself unless told not to; here they are requests like any other.
    this.server.on("checkContinue", (request, response) => this.server.emit("request", request, response));
    this.server.on("checkExpectation", (request, response) => this.server.emit("request", request, response));
    this.#whenTaken("connect", (_request, socket) => void socket.end(closingBytes(CONNECT_REFUSED)));
    this.#whenTaken("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#turns.isOver(request.socket)) return;
    const onOver = this.#begin(request);
    const admission = this.#admit(request);
    if (!admission.ok) {
      this.#turns.end(request.socket);
      onOver(write(response, refusalReply(admission.refusal)));
      return;
    }
    if ((request as TierRequest).declined) {
      this.#turns.end(request.socket);
      response.shouldKeepAlive = false;
    }
    if (isLastForward(request)) {
      onOver(write(response, OPTIONS_REPLY));
      return;
    }
    const exchange = new RequestExchange({
      request,
      response,
      to: admission.to,
      headers: admission.headers,
      // An HTTP/1.0 client knows no 100 (RFC 9110 section 10.1.1).
      awaitsContinue: request.headers.expect !== undefined && request.httpVersion === "1.1",
      bodyBytesMax: this.#parts.settings.BODY_BYTES_MAX,
      onOver,
    });
    exchange.watch();
    if (requestFraming(request.rawHeaders).kind === "length") await exchange.gather();
    this.#parts.carryOut(exchange);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const onAnswer = this.#begin(request);
    const admission = this.#admit(request);
    if (!admission.ok) {
      const reply = upgradeRefusal(admission.refusal);
      socket.end(closingBytes(reply));
      onAnswer(reply.status);
      return;
    }
    const { to, headers } = admission;
    this.#parts.carryOutUpgrade(new UpgradeExchange({ request, socket, head, path: to.path, headers, onAnswer }));
  }

  /** @returns what to call with the status, once, when the request is over */
  #begin({ method }: IncomingMessage): (status: number) => void {
    const started = performance.now();
    this.#inFlight += 1;
    return (status) => {
      this.#inFlight -= 1;
      this.#parts.onAnswered(method as string, status, (performance.now() - started) / 1000);
    };
  }

  #admit({ method, url, httpVersion, rawHeaders, socket }: IncomingMessage): Admission {
    const head = { method: method as string, target: url as string, httpVersion, rawHeaders };
    return admit(head, socket.remoteAddress, this.#parts.admission);
  }

  /** For requests that take their connection out of node:http's hands, and with it the one who hears of its errors. */
  #whenTaken(
    event: "connect" | "upgrade",
    act: (request: IncomingMessage, socket: Socket, head: Buffer) => void,
  ): void {
    this.server.on(event, (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      this.#turns.after(socket, () => act(request, socket as Socket, head));
    });
  }
}

/** Max-Forwards says how many hops an OPTIONS may still go; at 0 it is answered here (RFC 9110 section 7.6.2). */
function isLastForward({ method, headers }: IncomingMessage): boolean {
  return method === "OPTIONS" && Number(headers["max-forwards"] ?? 1) === 0;
}
