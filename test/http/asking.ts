// A handler for tests that writes down what it hears of a response, and requests to try it with.

import type {
  ClientExchange,
  ExchangeFailure,
  RequestStart,
  ResponseHandler,
} from "../../services/http/client/client-exchange.ts";
import { Pool, type PoolParts } from "../../services/http/client/pool.ts";
import { fieldsOf } from "../../services/http/message/fields.ts";
import type { ResponseHead } from "../../services/http/parsing/response-parser.ts";
import type { Scope } from "../tools/scope.ts";
import { LIMITS } from "./reading.ts";

export const CLIENT_SETTINGS: PoolParts["settings"] = { ...LIMITS, connectTimeoutMs: 1_000, idleTimeoutMs: 5_000 };

export function poolTo(scope: Scope, port: number, settings: Partial<PoolParts["settings"]> = {}): Pool {
  const pool = new Pool({ host: "127.0.0.1", port, settings: { ...CLIENT_SETTINGS, ...settings } });
  scope.after(() => pool.destroy());
  return pool;
}

export function get(target = "/", more: Partial<RequestStart> = {}): RequestStart {
  const fields = fieldsOf(["Host", "a.test"]);
  return { method: "GET", target, fields, hasBody: false, responseTimeoutMs: 5_000, ...more };
}

export function post(length: number, more: Partial<RequestStart> = {}): RequestStart {
  const sized = length < 0 ? [] : ["Content-Length", String(length)];
  return get("/", { method: "POST", fields: fieldsOf(["Host", "a.test", ...sized]), hasBody: true, ...more });
}

export class Heard implements ResponseHandler {
  readonly informational: number[] = [];
  head: ResponseHead | undefined;
  body = "";
  trailers: readonly string[] | undefined;
  failure: ExchangeFailure | undefined;
  drains = 0;
  /** Settles with the end or the failure. */
  readonly over: Promise<this>;
  exchange: ClientExchange | undefined;
  #settle: (heard: this) => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Status and body, or the failure's kind. */
  get outcome(): string {
    return this.failure?.kind ?? `${this.head?.status} ${this.body}`;
  }

  onInformational({ status }: ResponseHead): void {
    this.informational.push(status);
  }

  onHead(head: ResponseHead): void {
    this.head = head;
  }

  onData(chunk: Buffer): void {
    this.body += chunk.toString("latin1");
  }

  onEnd(trailers: readonly string[]): void {
    this.trailers = trailers;
    this.#settle(this);
  }

  onFailure(failure: ExchangeFailure): void {
    this.failure = failure;
    this.#settle(this);
  }

  onDrain(): void {
    this.drains += 1;
  }
}

/** Sends it, and whatever body is given, at once. */
export function ask(pool: Pool, start: RequestStart, body?: string): Heard {
  const heard = new Heard();
  heard.exchange = pool.request(start, heard);
  if (body !== undefined) {
    heard.exchange.data(Buffer.from(body, "latin1"));
    heard.exchange.end();
  }
  return heard;
}
