// A connection to a server: carries one exchange at a time, and another only if the one before it has left no doubt where its
// response ended. Whoever asks is told what came of it, and whether any of it can have reached the server.

import type { Cursor } from "../../net/cursor.ts";
import { Outgoing, type OutgoingOwner } from "../../net/outgoing.ts";
import { Deadline, type Expirable } from "../../net/timers.ts";
import type { Transport, TransportOwner } from "../../net/transport.ts";
import type { Fault } from "../message/faults.ts";
import type { HeadLimits } from "../parsing/head-parser.ts";
import type { ResponseHead } from "../parsing/response-parser.ts";
import {
  ClientExchange,
  type ExchangeCarrier,
  type ExchangeFailure,
  type RequestStart,
  type ResponseHandler,
} from "./client-exchange.ts";
import { ResponseReader, type ResponseSink } from "./response-reader.ts";

export interface ClientSettings extends HeadLimits {
  readonly connectTimeoutMs: number;
  /** Longest silence in a response, and the time in which a server has to take what was written. */
  readonly idleTimeoutMs: number;
}

/** Whoever keeps the connection while it is idle. */
export interface ConnectionKeeper {
  /** It may carry another exchange. @param keptMs how long the server says that it keeps it; undefined: it does not say */
  onIdle(connection: ClientConnection, keptMs: number | undefined): void;
  onGone(connection: ClientConnection): void;
}

export interface ClientConnectionParts {
  /** Of a socket that is still connecting. */
  readonly transport: Transport;
  readonly settings: ClientSettings;
  readonly keeper: ConnectionKeeper;
}

/** What the server, or the keeper, has to do next. */
type Awaited = "nothing" | "connection" | "response" | "more" | "use";

export class ClientConnection implements TransportOwner, ExchangeCarrier, ResponseSink, OutgoingOwner, Expirable {
  readonly output: Outgoing;
  readonly #transport: Transport;
  readonly #settings: ClientSettings;
  readonly #keeper: ConnectionKeeper;
  readonly #reader: ResponseReader;
  readonly #deadline = new Deadline(this);
  #awaited: Awaited = "connection";
  #exchange: ClientExchange | undefined;
  #carried = 0;
  #connected = false;
  #paused = false;
  #gone = false;

  constructor({ transport, settings, keeper }: ClientConnectionParts) {
    this.#transport = transport;
    this.#settings = settings;
    this.#keeper = keeper;
    this.#reader = new ResponseReader(this, settings);
    this.output = new Outgoing(transport, this);
    transport.owner = this;
    transport.stream.once("connect", () => this.#onConnected());
    this.#deadline.set(settings.connectTimeoutMs);
  }

  carry(start: RequestStart, handler: ResponseHandler): ClientExchange {
    const exchange = new ClientExchange(start, handler, this);
    this.#exchange = exchange;
    this.#carried += 1;
    this.#reader.expect(start.method);
    exchange.begin();
    this.#watch();
    return exchange;
  }

  /** For the keeper: closes it if it is not used within this time. */
  expireIn(ms: number): void {
    this.#awaited = "use";
    this.#deadline.set(ms);
  }

  /** Closes it; its exchange, if it has one, fails. */
  cut(reason: string): void {
    this.#fail("reset", reason);
  }

  /** By a reset: a server that waits for the end of the connection would go on with what nobody wants. */
  abort(): void {
    this.#exchange = undefined;
    if (!this.#gone) this.#transport.reset();
    this.#close();
  }

  pause(): void {
    this.#paused = true;
    this.#transport.pause();
    this.#watch();
  }

  resume(): void {
    this.#paused = false;
    this.#transport.resume();
    this.#watch();
  }

  onRequestWhole(): void {
    this.#watch();
  }

  onBlocked(): void {
    this.#watch();
  }

  onDrain(): void {
    const exchange = this.#exchange;
    if (!this.output.drained() || exchange === undefined) return;
    this.#watch();
    if (!exchange.whole) exchange.handler.onDrain();
  }

  onBytes(cursor: Cursor): void {
    this.#reader.read(cursor);
    // What nobody asked for.
    if (cursor.left > 0) this.#close();
    else if (this.#exchange?.started) this.#watch(true);
  }

  onEnd(): void {
    const exchange = this.#exchange;
    if (exchange !== undefined && this.#reader.endless) this.#transport.confirmEnd(() => this.#onEndless(exchange));
    else this.#fail("reset", "the server ended the connection");
  }

  onClose(code: string | undefined): void {
    this.#fail(this.#connected ? "reset" : "refused", code ?? "the connection is gone");
  }

  onDeadline(): void {
    const { connectTimeoutMs } = this.#settings;
    if (this.#awaited === "connection") this.#fail("connect-timeout", `nothing in ${connectTimeoutMs} ms`);
    else this.#fail("response-timeout", this.#awaited === "response" ? "no response in time" : "silence");
  }

  onInformational(head: ResponseHead): void {
    this.#exchange?.handler.onInformational(head);
  }

  onHead(head: ResponseHead): void {
    const exchange = this.#exchange as ClientExchange;
    exchange.started = true;
    exchange.handler.onHead(head);
  }

  onBody(chunk: Buffer): void {
    this.#exchange?.handler.onData(chunk);
  }

  /** The connection is free before anybody hears of the end, for they may have use for it at once. */
  onResponseEnd(trailers: readonly string[]): void {
    const exchange = this.#exchange as ClientExchange;
    this.#exchange = undefined;
    exchange.over = true;
    if (!this.#reader.reusable || !exchange.whole) this.#close();
    else {
      if (this.#paused) this.resume();
      this.#keeper.onIdle(this, this.#reader.keptMs);
    }
    exchange.handler.onEnd(trailers);
  }

  onFault({ reason }: Fault): void {
    this.#fail("malformed", reason);
  }

  /** The end of the connection was that of the response, unless it was given up meanwhile. */
  #onEndless(exchange: ClientExchange): void {
    if (this.#exchange === exchange) this.onResponseEnd([]);
  }

  #onConnected(): void {
    this.#connected = true;
    this.#watch();
  }

  #fail(kind: ExchangeFailure["kind"], reason: string): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#close();
    if (exchange === undefined) return;
    exchange.over = true;
    const failure = exchange.started ? "truncated" : kind;
    exchange.handler.onFailure({
      kind: failure,
      reason,
      sent: this.#connected,
      reused: this.#carried > 1 && !this.#reader.begun,
    });
  }

  #close(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#reader.stop();
    this.#deadline.remove();
    this.#transport.destroy();
    this.#keeper.onGone(this);
  }

  /** Sets the time for what the server has to do next. @param moved has it just sent some of it? */
  #watch(moved = false): void {
    const exchange = this.#exchange;
    if (exchange === undefined || !this.#connected) return;
    const awaited = this.#nowAwaited(exchange);
    if (awaited === this.#awaited && !moved) return;
    this.#awaited = awaited;
    if (awaited === "nothing") this.#deadline.clear();
    else this.#deadline.set(awaited === "response" ? exchange.start.responseTimeoutMs : this.#settings.idleTimeoutMs);
  }

  /** A wait for the response begins with the end of the request, and no 1xx prolongs it. */
  #nowAwaited(exchange: ClientExchange): Awaited {
    if (!this.output.writable) return "more";
    if (exchange.started) return this.#paused ? "nothing" : "more";
    return exchange.whole ? "response" : "nothing";
  }
}
