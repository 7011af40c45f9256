// A client that sends bytes as they are and reads what comes back, one response at a time. All text is latin1: a character
// is a byte.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { within } from "../eventually.ts";
import { type Message, type Read, readResponse, statusOf } from "./http-bytes.ts";
import { PATIENCE_MS } from "./waiting.ts";

export interface Ending {
  /** What came and was never taken as a response. */
  readonly rest: string;
  readonly how: "fin" | "reset";
}

export class RawClient {
  readonly socket: Socket;
  #received = "";
  #ended: Ending["how"] | undefined;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#received += chunk.toString("latin1");
      this.#wake();
    });
    socket.on("end", () => this.#end("fin"));
    socket.on("error", () => this.#end("reset"));
    socket.on("close", () => this.#end("reset"));
  }

  static async to(port: number): Promise<RawClient> {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    const client = new RawClient(socket);
    await within(PATIENCE_MS, "connection", once(socket, "connect"));
    return client;
  }

  send(bytes: string): void {
    this.socket.write(bytes, "latin1");
  }

  /** The next response, 1xx or final; `whole` says whether all of it came. @throws when what comes is none */
  async response(method = "GET"): Promise<Message> {
    const read = await this.#until("response", () => {
      const outcome = readResponse(this.#received, method, this.#ended);
      return outcome.kind === "incomplete" ? undefined : outcome;
    });
    return this.#take(read);
  }

  /** The next response that is no 1xx. */
  async final(method = "GET"): Promise<Message> {
    for (;;) {
      const response = await this.response(method);
      if (statusOf(response) >= 200) return response;
    }
  }

  /** Resolves when these bytes have come, in what has not been taken yet; takes nothing. */
  async has(bytes: string): Promise<void> {
    await this.#until(JSON.stringify(bytes), () => (this.#received.includes(bytes) ? true : undefined));
  }

  /** All that comes until the other side ends, and how it ends. */
  async ending(limitMs = PATIENCE_MS): Promise<Ending> {
    const how = await within(limitMs, "end of the connection", this.#whenEnded());
    return { rest: this.#received, how };
  }

  close(): void {
    this.socket.destroy();
  }

  #take(read: Read<Message>): Message {
    if (read.kind !== "read") {
      throw new Error(`${read.kind === "fault" ? read.fault : "nothing"} in ${JSON.stringify(this.#received)}`);
    }
    this.#received = this.#received.slice(read.size);
    return read.message;
  }

  async #until<T>(what: string, look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#ended !== undefined) {
        throw new Error(`${this.#ended} instead of ${what}, after ${JSON.stringify(this.#received.slice(0, 500))}`);
      }
      await within(PATIENCE_MS, what, this.#change());
    }
  }

  async #whenEnded(): Promise<Ending["how"]> {
    while (this.#ended === undefined) await this.#change();
    return this.#ended;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #end(how: Ending["how"]): void {
    this.#ended ??= how;
    this.#wake();
  }
}
