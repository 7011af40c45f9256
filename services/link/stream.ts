// A stream is one exchange on a session: our message (stream-output.ts) and the peer's. The session calls the on...() methods for the
// peer's frames; they return a fault when a frame must not come then. A paused stream grants no new credit, but bytes that are under
// way, one window at most, still come.

import type { Cursor } from "../net/cursor.ts";
import type { OrderFault } from "./faults.ts";
import { RESET, RESET_REASONS, type ResetReason, WINDOW } from "./frames.ts";
import { NOBODY, type StreamFailure, type StreamHandler } from "./stream-handler.ts";
import { StreamOutput } from "./stream-output.ts";
import { ReceiveWindow } from "./window.ts";

export class Stream extends StreamOutput {
  handler: StreamHandler = NOBODY;
  /** Has anything of the other side's message come? */
  answered = false;
  /** Made when something comes that takes credit, which most exchanges never see. */
  #window: ReceiveWindow | undefined;
  #headCame = false;
  /** Has all of theirs come? */
  #endCame = false;
  #paused = false;

  /** Ends the stream early; its handler is not called again. */
  reset(reason: ResetReason): void {
    if (this.over) return;
    this.session.outbox.byte(RESET, this.id, RESET_REASONS.indexOf(reason));
    this.#finish();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#replenish();
  }

  onInformational(head: Cursor): OrderFault | undefined {
    if (this.#headCame) return "head-repeated";
    if (!this.#receive(head.left)) return "credit-exceeded";
    this.answered = true;
    this.handler.onInformational(head);
    this.#replenish();
    return undefined;
  }

  onHead(head: Cursor): OrderFault | undefined {
    if (this.#headCame) return "head-repeated";
    this.#headCame = true;
    this.answered = true;
    this.handler.onHead(head);
    return undefined;
  }

  onWhole(head: Cursor, body: Buffer): OrderFault | undefined {
    if (this.#headCame) return "head-repeated";
    // Alone it always fits into the window that every stream begins with.
    if (this.#window !== undefined && !this.#receive(body.length)) return "credit-exceeded";
    this.#headCame = true;
    this.answered = true;
    this.#endComes();
    this.handler.onWhole(head, body);
    return undefined;
  }

  onData(chunk: Buffer): OrderFault | undefined {
    if (!this.#headCame) return "head-missing";
    if (this.#endCame) return "behind-the-end";
    if (!this.#receive(chunk.length)) return "credit-exceeded";
    this.handler.onData(chunk);
    this.#replenish();
    return undefined;
  }

  onEnd(trailers: Buffer): OrderFault | undefined {
    if (!this.#headCame) return "head-missing";
    if (this.#endCame) return "behind-the-end";
    this.#endComes();
    this.handler.onEnd(trailers);
    return undefined;
  }

  onReset(reason: ResetReason): void {
    this.#fail(reason);
  }

  onBroken(): void {
    this.#fail("connection-broken");
  }

  protected override onHeadTooLong(): void {
    this.session.outbox.byte(RESET, this.id, RESET_REASONS.indexOf("broken"));
    this.#fail("broken");
  }

  protected override onSent(): void {
    if (this.#endCame) this.#finish();
  }

  protected override onWritable(): void {
    this.handler.onWritable();
  }

  #receive(bytes: number): boolean {
    this.#window ??= new ReceiveWindow(this.session.windows);
    return this.#window.receive(bytes);
  }

  #replenish(): void {
    if (this.#paused || this.over || this.#endCame || this.#window === undefined) return;
    const bytes = this.#window.replenish();
    if (bytes > 0) this.session.outbox.uint32(WINDOW, this.id, bytes);
  }

  /** All of theirs has come; the stream is over if all of ours has gone. */
  #endComes(): void {
    this.#endCame = true;
    if (this.sent) this.#finish();
  }

  #fail(failure: StreamFailure): void {
    if (this.over) return;
    this.#finish();
    this.handler.onFailure(failure);
  }

  #finish(): void {
    this.over = true;
    this.drop();
    this.#window?.close();
    this.session.forget(this);
  }
}
