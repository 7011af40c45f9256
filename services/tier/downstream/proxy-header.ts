// Reads the PROXY protocol's header from a trusted peer, before its connection speaks HTTP. From a trusted peer it must come.

import { Backlog } from "../../net/backlog.ts";
import type { Cursor } from "../../net/cursor.ts";
import { Deadline, type Expirable } from "../../net/timers.ts";
import type { Transport, TransportOwner } from "../../net/transport.ts";
import { parseProxyHeader } from "./proxy-protocol.ts";

const PROXY_HEADER_WITHIN_MS = 5_000;

export class ProxyHeaderReader implements TransportOwner, Expirable {
  readonly #transport: Transport;
  readonly #done: (unread: Cursor) => void;
  readonly #deadline = new Deadline(this);
  readonly #read = new Backlog();

  /** @param done takes over the connection, with what has been read behind the header */
  constructor(transport: Transport, done: (unread: Cursor) => void) {
    this.#transport = transport;
    this.#done = done;
    this.#deadline.set(PROXY_HEADER_WITHIN_MS);
    transport.owner = this;
  }

  onBytes(cursor: Cursor): void {
    this.#read.take(cursor);
    const read = this.#read.cursor;
    const header = parseProxyHeader(read.bytes.subarray(read.at, read.end));
    if (header.kind === "incomplete") return;
    this.#deadline.remove();
    if (header.kind === "malformed") {
      this.#transport.destroy();
      return;
    }
    if (header.address !== undefined) this.#transport.remoteAddress = header.address;
    read.at += header.length;
    this.#done(read);
  }

  onDrain(): void {}

  onEnd(): void {
    this.onDeadline();
  }

  onClose(): void {
    this.#deadline.remove();
  }

  onDeadline(): void {
    this.#deadline.remove();
    this.#transport.destroy();
  }
}
