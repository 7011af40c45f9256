// One client connection on a raw socket, one exchange at a time: as little work a request as Node allows, so that the load
// generator takes little from what it measures. Knows answers with Content-Length or chunked, no others.

import { connect, type Socket } from "node:net";
import { HOST } from "../../../test/tools/ports.ts";
import type { Request } from "./result.ts";

const HEAD_END = "\r\n\r\n";
const LAST_CHUNK = "0\r\n\r\n";

export interface Answer {
  readonly status: number;
  /** The body as latin1; of a chunked one, as it came. */
  readonly body: string;
  readonly bytes: number;
}

/** Called once for each request: with its answer, or with nothing when the connection broke instead. */
type Done = (answer: Answer | undefined) => void;

export class Connection {
  readonly #socket: Socket;
  #received = "";
  #done: Done | undefined;
  #open = true;

  constructor(port: number) {
    this.#socket = connect({ port, host: HOST, noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text) => this.#take(String(text)));
    this.#socket.on("error", () => this.close());
    this.#socket.on("end", () => this.close());
    this.#socket.on("close", () => this.close());
  }

  /** Neither closed by us nor by the other side. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Called once: is it connected, or has that failed? */
  whenSettled(done: (connected: boolean) => void): void {
    const failed = () => done(false);
    this.#socket.once("error", failed);
    this.#socket.once("connect", () => {
      this.#socket.off("error", failed);
      done(true);
    });
  }

  send(request: string, done: Done): void {
    this.#done = done;
    if (this.#open) this.#socket.write(request, "latin1");
    else this.#finish(undefined);
  }

  /** An exchange under way counts as broken. */
  close(): void {
    this.#leave();
    this.#finish(undefined);
  }

  #leave(): void {
    this.#open = false;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received = this.#received === "" ? text : this.#received + text;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const bodyStart = headEnd + HEAD_END.length;
    const end = this.#endOf(this.#received.slice(0, headEnd), bodyStart);
    if (end === undefined || this.#received.length < end) return;
    const status = Number(this.#received.slice(9, 12));
    const body = this.#received.slice(bodyStart, end);
    const isLast = /\r\nconnection: *close/i.test(this.#received.slice(0, headEnd));
    this.#received = "";
    if (isLast) this.#leave();
    this.#finish({ status, body, bytes: end });
  }

  /** Where the answer ends, as far as that can be said yet. */
  #endOf(head: string, bodyStart: number): number | undefined {
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) return bodyStart + Number(length);
    return this.#received.endsWith(LAST_CHUNK) ? this.#received.length : undefined;
  }

  #finish(answer: Answer | undefined): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(answer);
  }
}

/** One exchange on this connection; undefined when it broke. */
export function exchange(connection: Connection, request: string): Promise<Answer | undefined> {
  return new Promise((resolve) => connection.send(request, resolve));
}

/** The bytes of a request as one string. */
export function bytesOf({ path, method = "GET", bodyBytes = 0, close = false }: Request): string {
  const length = bodyBytes > 0 ? `Content-Length: ${bodyBytes}\r\n` : "";
  const connection = close ? "Connection: close\r\n" : "";
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${length}${connection}\r\n${"x".repeat(bodyBytes)}`;
}
