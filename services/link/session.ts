// A session is one connection between two tiers with the streams on it. It dispatches each frame to its stream and trusts none: a
// frame that must not come then ends the session, and with it every stream. Heads and bodies are opaque.
//
//   greeting -> open       the other side's HELLO has come
//   open     -> draining   GOAWAY has gone or come: no new streams
//   draining -> closed     both have said GOAWAY, and the last stream is over
//   any      -> closed     a fault, silence, the end of the connection, destroy()

import { Cursor } from "../net/cursor.ts";
import type { Carrier, CarrierOwner } from "./carrier.ts";
import type { LinkFault, OrderFault } from "./faults.ts";
import type { FrameDecoder } from "./frame-decoder.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import {
  CREDIT_MAX,
  DATA,
  END,
  GOAWAY,
  HEAD,
  HELLO,
  type Hello,
  helloBytes,
  INFORMATIONAL,
  INFORMATIONAL_BYTES_MAX,
  PING,
  PONG,
  RESET,
  RESET_REASONS,
  type ResetReason,
  readHello,
  VERSION,
  WHOLE,
  WINDOW,
} from "./frames.ts";
import { Outbox } from "./outbox.ts";
import { PeerLiveness } from "./peer-liveness.ts";
import type { SessionEnd, SessionOwner, SessionSettings } from "./session-owner.ts";
import type { Stream } from "./stream.ts";
import type { StreamHandler } from "./stream-handler.ts";
import type { StreamOutput, StreamSession } from "./stream-output.ts";
import { Streams } from "./streams.ts";
import { WINDOW_BYTES, WindowBudget } from "./window.ts";

const HEAD_BYTES_MAX_LEAST = 1024;

export class Session implements CarrierOwner, StreamSession, FrameSink {
  readonly outbox: Outbox;
  readonly windows = new WindowBudget();
  peer: Hello = { version: VERSION, streamsMax: 0, windowBytes: 0, headBytesMax: 0 };
  closed = false;
  readonly #carrier: Carrier;
  readonly #owner: SessionOwner;
  readonly #settings: SessionSettings;
  readonly #reader: FrameReader;
  readonly #streams = new Streams(this);
  #liveness: PeerLiveness | undefined;
  #greeted = false;
  #goawayGone = false;
  #goawayCame = false;

  constructor(carrier: Carrier, owner: SessionOwner, settings: SessionSettings) {
    this.#carrier = carrier;
    this.#owner = owner;
    this.#settings = settings;
    this.#reader = new FrameReader(carrier, this, settings);
    this.outbox = new Outbox(carrier, this);
  }

  /** May a stream be opened? */
  get usable(): boolean {
    const { count, full } = this.#streams;
    return this.#greeted && !this.#goawayGone && !this.closed && count < this.peer.streamsMax && !full;
  }

  get streamCount(): number {
    return this.#streams.count;
  }

  /** Sends HELLO. @param early bytes of the peer that the caller has read already */
  start(early: Buffer): void {
    const { streamsMax, headBytesMax, silenceMsMax } = this.#settings;
    this.#carrier.owner = this;
    this.#liveness = new PeerLiveness(this, silenceMsMax);
    const hello = helloBytes({ version: VERSION, streamsMax, windowBytes: WINDOW_BYTES, headBytesMax });
    this.outbox.bytes(HELLO, 0, hello);
    if (early.length > 0) this.onBytes(new Cursor(early));
  }

  /** Opens a stream; the peer learns of it with its head. @returns undefined when the session is not usable */
  open(handler: StreamHandler): Stream | undefined {
    if (!this.usable) return undefined;
    const stream = this.#streams.add();
    stream.handler = handler;
    return stream;
  }

  /** Sends GOAWAY: neither side opens new streams, and the session ends when the open ones are over. */
  drain(): void {
    if (this.#goawayGone || this.closed) return;
    this.#goawayGone = true;
    this.outbox.empty(GOAWAY, 0);
    this.#endIfDrained();
  }

  destroy(): void {
    this.#close({ why: "destroyed" });
  }

  awaitRoom(stream: StreamOutput): void {
    this.#streams.awaitRoom(stream);
  }

  forget(stream: StreamOutput): void {
    this.#streams.forget(stream);
    if (this.#goawayGone) this.#endIfDrained();
  }

  onBytes(cursor: Cursor): void {
    // A drained session only waits for the peer to close: a peer that talks on must not keep it open.
    if (!this.#drained) this.#liveness?.heard();
    this.#reader.read(cursor);
  }

  onFrame(type: number, decoder: FrameDecoder): OrderFault | undefined {
    if (!this.#greeted) return type === HELLO ? this.#greet(decoder) : "hello-missing";
    const { stream: id } = decoder;
    if (id === 0) return this.#sessionFrame(type);
    const stream = this.#streams.get(id);
    if (stream !== undefined) return streamFrame(type, stream, decoder);
    // Any other frame belongs to a stream that is over here, which the peer did not know yet when it wrote.
    if (this.#settings.streamsMax > 0 && (type === WHOLE || type === HEAD)) return this.#accept(type, decoder);
    return undefined;
  }

  onFault(fault: LinkFault): void {
    this.#close({ why: "peer-fault", fault });
  }

  onDrain(): void {
    this.outbox.drained();
    this.#streams.giveRoom(this.outbox);
  }

  onEnd(): void {
    this.#close({ why: "peer-ended" });
  }

  onClose(code: string | undefined): void {
    this.#close(code === undefined ? { why: "peer-ended" } : { why: "connection-error", code });
  }

  onOverflow(): void {
    this.#close({ why: "peer-not-reading" });
  }

  onSilence(): void {
    this.#close({ why: "peer-silent" });
  }

  ping(): void {
    this.outbox.empty(PING, 0);
  }

  get #drained(): boolean {
    return this.#goawayGone && this.#goawayCame && this.#streams.count === 0;
  }

  #greet({ payload }: FrameDecoder): OrderFault | undefined {
    const hello = readHello(payload.bytes, payload.at);
    if (hello.version !== VERSION) return "hello-version";
    // A window's half must let the longest informational head through.
    const windowFits = hello.windowBytes >= 2 * INFORMATIONAL_BYTES_MAX && hello.windowBytes <= CREDIT_MAX;
    if (!windowFits || hello.headBytesMax < HEAD_BYTES_MAX_LEAST) return "hello-limits";
    this.peer = hello;
    this.#greeted = true;
    this.#owner.onOpen();
    return undefined;
  }

  #sessionFrame(type: number): OrderFault | undefined {
    if (type === HELLO) return "hello-repeated";
    if (type === PING) this.outbox.empty(PONG, 0);
    else if (type === GOAWAY) this.#onGoaway();
    return undefined;
  }

  #onGoaway(): void {
    if (this.#goawayCame) return;
    this.#goawayCame = true;
    this.drain();
    this.#owner.onGoaway();
    this.#endIfDrained();
  }

  #accept(type: number, decoder: FrameDecoder): OrderFault | undefined {
    if (this.#goawayCame) return "stream-after-goaway";
    if (this.#streams.count >= this.#settings.streamsMax || !this.#streams.hasRoomFor(decoder.stream)) {
      this.outbox.byte(RESET, decoder.stream, RESET_REASONS.indexOf("refused"));
      return undefined;
    }
    const stream = this.#streams.add(decoder.stream);
    stream.handler = this.#owner.onStream(stream);
    return stream.over ? undefined : streamFrame(type, stream, decoder);
  }

  #endIfDrained(): void {
    if (!this.#drained || this.closed) return;
    this.outbox.flush();
    this.outbox.close();
    this.#carrier.end();
  }

  #close(end: SessionEnd): void {
    if (this.closed) return;
    this.closed = true;
    this.#liveness?.stop();
    this.outbox.close();
    this.#carrier.destroy();
    // A drained session has nothing to lose, whatever ends its connection.
    this.#owner.onClose(this.#drained ? { why: "drained" } : end);
    this.#streams.breakAll();
  }
}

function streamFrame(type: number, stream: Stream, decoder: FrameDecoder): OrderFault | undefined {
  const { payload } = decoder;
  switch (type) {
    case WHOLE:
      return stream.onWhole(payload, decoder.body);
    case HEAD:
      return stream.onHead(payload);
    case DATA:
      return stream.onData(payload.bytes.subarray(payload.at, payload.end));
    case END:
      return stream.onEnd(payload.bytes.subarray(payload.at, payload.end));
    case WINDOW:
      return stream.onWindow(decoder.value);
    case INFORMATIONAL:
      return stream.onInformational(payload);
    case RESET:
      stream.onReset(RESET_REASONS[decoder.value] as ResetReason);
  }
  return undefined;
}
