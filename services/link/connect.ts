// Opens a session with another tier: connects, asks for the link, and waits for the HELLO, all within one time-out. A tier that speaks
// HTTP/1.1 alone is a result, not a failure. The caller remembers it, and decides when to try again.

import type { Cursor } from "../net/cursor.ts";
import type { Transport } from "../net/transport.ts";
import { authorityOf } from "../runtime/address.ts";
import { type CarrierOwner, dial } from "./carrier.ts";
import { linkRequest, readAnswer } from "./negotiation.ts";
import { Session } from "./session.ts";
import type { SessionEnd, SessionOwner, SessionSettings } from "./session-owner.ts";
import type { StreamHandler } from "./stream-handler.ts";

export interface LinkTarget {
  readonly host: string;
  readonly port: number;
  /** Until the session is open. */
  readonly timeoutMs: number;
  readonly settings: Omit<SessionSettings, "streamsMax">;
  /** Hears of the session from when it is open. */
  readonly owner: Pick<SessionOwner, "onGoaway" | "onClose">;
}

export type Connected =
  | { readonly kind: "session"; readonly session: Session }
  /** HTTP/1.1 is all that is spoken there. */
  | { readonly kind: "not-spoken"; readonly status: number }
  /** @property reason `timed-out`, `closed`, `no-http`, why the session ended at once, or a system error's code */
  | { readonly kind: "failed"; readonly reason: string };

/** Never rejects. The session may have ended again by the time that whoever waits goes on; `closed` says so. */
export function connectSession(target: LinkTarget): Promise<Connected> {
  return new Promise((resolve) => {
    new Connecting(target, resolve).start();
  });
}

/** From the connection to the other side's HELLO. */
class Connecting implements CarrierOwner {
  readonly #target: LinkTarget;
  readonly #resolve: (connected: Connected) => void;
  #carrier: Transport | undefined;
  #session: Session | undefined;
  #timer: NodeJS.Timeout | undefined;
  #read = Buffer.alloc(0);
  #settled = false;

  constructor(target: LinkTarget, resolve: (connected: Connected) => void) {
    this.#target = target;
    this.#resolve = resolve;
  }

  start(): void {
    const { host, port, timeoutMs } = this.#target;
    this.#timer = setTimeout(() => this.fail("timed-out"), timeoutMs);
    this.#carrier = dial({ host, port });
    this.#carrier.owner = this;
    this.#carrier.writeBytes(Buffer.from(linkRequest(authorityOf(host, port)), "latin1"));
  }

  onBytes(cursor: Cursor): void {
    this.#read = Buffer.concat([this.#read, cursor.bytes.subarray(cursor.at, cursor.end)]);
    const answer = readAnswer(this.#read);
    if (answer.kind === "spoken") this.#greet(this.#read.subarray(answer.end));
    else if (answer.kind === "not-spoken") this.#settle(answer);
    else if (answer.kind === "no-http") this.fail("no-http");
  }

  onDrain(): void {}

  onEnd(): void {
    this.fail("closed");
  }

  onClose(code: string | undefined): void {
    this.fail(code ?? "closed");
  }

  opened(): void {
    this.#settle({ kind: "session", session: this.#session as Session });
  }

  fail(reason: string): void {
    this.#settle({ kind: "failed", reason });
  }

  #greet(early: Buffer): void {
    const { settings, owner } = this.#target;
    const session = new Session(this.#carrier as Transport, new Greeted(this, owner), {
      ...settings,
      streamsMax: 0,
    });
    this.#session = session;
    session.start(early);
  }

  #settle(connected: Connected): void {
    if (this.#settled) return;
    this.#settled = true;
    clearTimeout(this.#timer);
    if (connected.kind !== "session") {
      this.#session?.destroy();
      this.#carrier?.destroy();
    }
    this.#resolve(connected);
  }
}

/** Hears of the session, and says to its owner what is the owner's to know. */
class Greeted implements SessionOwner {
  readonly #connecting: Connecting;
  readonly #owner: LinkTarget["owner"];
  #opened = false;

  constructor(connecting: Connecting, owner: LinkTarget["owner"]) {
    this.#connecting = connecting;
    this.#owner = owner;
  }

  onOpen(): void {
    this.#opened = true;
    this.#connecting.opened();
  }

  onStream(): StreamHandler {
    throw new Error("a session that takes no streams was opened one");
  }

  onGoaway(): void {
    this.#owner.onGoaway();
  }

  onClose(end: SessionEnd): void {
    if (this.#opened) this.#owner.onClose(end);
    else this.#connecting.fail(end.why === "peer-fault" ? end.fault : end.why);
  }
}
