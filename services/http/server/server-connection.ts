// A client's connection: lets a few of its requests be carried out at a time, sees that their answers leave in order, waits for
// the client only so long, and ends with the last answer. What a request means and who answers it is not its business.

import type { Cursor } from "../../net/cursor.ts";
import { closeBehind } from "../../net/lingering-close.ts";
import { HeldOutput, Outgoing, type OutgoingOwner, type Output } from "../../net/outgoing.ts";
import type { Expirable } from "../../net/timers.ts";
import type { Transport, TransportOwner } from "../../net/transport.ts";
import { type Fault, faults } from "../message/faults.ts";
import type { RequestHead } from "../parsing/request-parser.ts";
import { Beginner } from "./beginner.ts";
import { type Awaited, ClientWait } from "./client-wait.ts";
import { Pipeline } from "./pipeline.ts";
import type { RequestListener, ServerConnectionParts, ServerSettings } from "./request-listener.ts";
import { hasBody, RequestReader, type RequestSink } from "./request-reader.ts";
import { type ExchangeConnection, type HandedOver, ServerExchange } from "./server-exchange.ts";

export class ServerConnection implements TransportOwner, ExchangeConnection, RequestSink, OutgoingOwner, Expirable {
  readonly #transport: Transport;
  readonly #settings: ServerSettings;
  readonly #listener: RequestListener;
  readonly #reader: RequestReader;
  readonly #pipeline: Pipeline;
  readonly #beginner: Beginner;
  readonly #outgoing: Outgoing;
  readonly #wait: ClientWait;
  /** Whose body is being read, perhaps behind its answer. */
  #receiving: ServerExchange | undefined;
  /** Nothing more is read as a request. */
  #last = false;
  #clientEnded = false;
  #fault: Parameters<RequestListener["refusal"]> | undefined;
  #gone = false;
  #closed = false;

  constructor({ transport, settings, listener }: ServerConnectionParts) {
    this.#transport = transport;
    this.#settings = settings;
    this.#listener = listener;
    this.#reader = new RequestReader(this, settings);
    this.#pipeline = new Pipeline(settings.pipelinedMax);
    this.#beginner = new Beginner({ pipeline: this.#pipeline, listener, onBegun: () => this.#proceed() });
    this.#outgoing = new Outgoing(transport, this);
    this.#wait = new ClientWait({ owner: this, limits: settings, transport });
    transport.owner = this;
  }

  get remoteAddress(): string | undefined {
    return this.#transport.remoteAddress;
  }

  get draining(): boolean {
    return this.#listener.draining;
  }

  get idleSinceMs(): number | undefined {
    return this.#gone ? undefined : this.#wait.idleSinceMs;
  }

  close(): void {
    this.#transport.destroy();
    this.#leave();
  }

  onBytes(cursor: Cursor): void {
    this.#reader.read(cursor);
    if (this.#gone) return;
    if (this.#reader.full) this.#transport.pause();
    this.#watch(true);
  }

  onDrain(): void {
    if (!this.#outgoing.drained() || this.#gone) return;
    this.#pipeline.first?.drained();
    this.#watch();
  }

  onBlocked(): void {
    this.#watch();
  }

  onEnd(): void {
    this.#clientEnded = true;
    this.#pipeline.clientEnded();
    this.#proceed();
  }

  onClose(): void {
    this.#leave();
  }

  get takesHead(): boolean {
    return !this.#last && !this.#gone && this.#pipeline.takesMore;
  }

  get takesBody(): boolean {
    const exchange = this.#receiving;
    if (exchange === undefined || this.#gone) return false;
    return exchange.over || !(exchange.bodyPaused || this.#pipeline.isWaiting(exchange));
  }

  outputForNext(): Output {
    return this.#pipeline.empty ? this.#outgoing : new HeldOutput();
  }

  onHead(head: RequestHead): void {
    const exchange = new ServerExchange(head, this);
    this.#last = !head.keepAlive;
    exchange.received = !hasBody(head);
    if (!exchange.received) this.#receiving = exchange;
    this.#pipeline.add(exchange);
    this.#beginner.begin();
  }

  onBody(chunk: Buffer): void {
    const exchange = this.#receiving as ServerExchange;
    exchange.bodyBegun = true;
    // One without a length may be a conversation.
    if (exchange.request.framing.kind === "length") this.#wait.received(chunk.length);
    if (!exchange.over) exchange.handler.onData(chunk);
  }

  onBodyEnd(trailers: readonly string[]): void {
    const exchange = this.#receiving as ServerExchange;
    this.#receiving = undefined;
    exchange.received = true;
    if (!exchange.over) exchange.handler.onEnd(trailers);
    else if (this.#last) this.#proceed();
  }

  /** What came before it is answered first; in the middle of an answer there is nothing left to say. */
  onFault(fault: Fault): void {
    const exchange = this.#receiving;
    this.#receiving = undefined;
    this.#last = true;
    if (exchange === undefined) this.#fault = [fault, false];
    else if (!exchange.over) {
      exchange.broken = exchange.started && exchange === this.#pipeline.first;
      exchange.abort(fault);
      if (!exchange.broken) {
        this.#fault = [fault, !this.#pipeline.isWaiting(exchange)];
        this.#pipeline.remove(exchange);
      }
    }
    this.onOver();
  }

  onBodyPaused(exchange: ServerExchange): void {
    if (exchange === this.#receiving) this.#transport.pause();
    this.#watch();
  }

  onBodyResumed(): void {
    this.#proceed();
  }

  handOver(exchange: ServerExchange): HandedOver {
    this.#outgoing.flush();
    const unread = this.#reader.takeUnread();
    this.#pipeline.remove(exchange);
    this.#leave(true);
    this.#closed = true;
    this.#listener.onHandedOver(this, this.#transport.stream);
    return { transport: this.#transport, unread };
  }

  onDeadline(): void {
    const { awaited } = this.#wait;
    if (awaited === "head") this.onFault(faults.headLate);
    else if (awaited === "body") this.onFault(faults.bodyLate);
    else this.close();
  }

  onOver(): void {
    const { first } = this.#pipeline;
    if (!first?.over) this.#proceed();
    else if (first.broken) this.#cut(first);
    else {
      this.#pipeline.remove(first);
      if (!first.keepAlive) this.#hangUp();
      else {
        this.#pipeline.first?.takeTurn(this.#outgoing);
        this.onOver();
      }
    }
  }

  /** Does all that may be done by now. */
  #proceed(): void {
    if (this.#gone) return;
    this.#beginner.begin();
    this.#reader.goOn();
    if (this.#gone) return;
    if (this.#clientEnded && this.#reader.empty) this.#last = true;
    if (this.#isCut()) this.onFault(faults.cut);
    else if (this.#last && this.#pipeline.empty && this.#receiving === undefined) this.#hangUp();
    else {
      if (!this.#reader.full && !this.#receiving?.bodyPaused) this.#transport.resume();
      this.#watch();
    }
  }

  /** Has the client ended in the middle of a request? */
  #isCut(): boolean {
    if (!this.#clientEnded || !this.#reader.empty || this.#fault !== undefined) return false;
    return this.#reader.inHead || this.#receiving !== undefined;
  }

  /** Sets the time for what the client has to do next. @param moved has it just sent something? */
  #watch(moved = false): void {
    if (!this.#gone) this.#wait.for(this.#nowAwaited(), moved);
  }

  #nowAwaited(): Awaited {
    if (!this.#outgoing.writable) return "reading";
    const exchange = this.#receiving;
    if (exchange?.over) return "discarded-body";
    if (exchange !== undefined) return this.takesBody && !exchange.awaitsContinue ? "body" : "nothing";
    if (this.#reader.inHead && !this.#last) return "head";
    if (this.#pipeline.empty) return "request";
    return this.#clientEnded ? "leaving" : "nothing";
  }

  /** Ends behind what was written, and behind the refusal of what is no request. */
  #hangUp(): void {
    if (this.#fault !== undefined && this.#pipeline.empty) this.#outgoing.text(this.#listener.refusal(...this.#fault));
    this.#outgoing.flush();
    this.#leave(true);
    closeBehind(this.#transport, { owner: this, heard: this.#reader.heard && !this.draining, limits: this.#settings });
  }

  #cut(exchange: ServerExchange): void {
    this.#outgoing.flush();
    // Where only the end says that it is whole, a FIN would be a lie.
    if (exchange.endless) this.#transport.reset();
    this.close();
  }

  /** @param lingers will its end be told later? */
  #leave(lingers = false): void {
    if (!this.#gone) {
      this.#gone = true;
      this.#wait.end();
      for (const exchange of this.#pipeline.drain()) exchange.abort("client-left");
    }
    if (this.#closed || lingers) return;
    this.#closed = true;
    this.#listener.onClosed(this);
  }
}
