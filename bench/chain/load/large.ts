// One body of any size over one connection, down or up, without holding it: counts bytes and says what was wrong.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { HOST } from "../../../test/tools/ports.ts";

const HEAD_END = "\r\n\r\n";
const HEAD_BYTES_MAX = 16_384;
const PIECE = Buffer.alloc(65_536, "x");
/** Slower than 8 MB a second is no answer. */
const MS_PER_MEGABYTE_MAX = 125;
const MS_LEAST = 5_000;
const MEGABYTE = 1_048_576;

export interface Large {
  readonly port: number;
  readonly path: string;
  readonly bytes: number;
}

export interface LargeResult {
  readonly seconds: number;
  /** In words; empty when all was right. */
  readonly wrong: string;
}

/** A GET whose answer has a body of so many bytes. */
export async function download({ port, path, bytes }: Large): Promise<LargeResult> {
  return timed({ port, bytes }, async (socket, answer) => {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}${HEAD_END}`);
    await answer.until((body) => body >= bytes);
    return answer.fault(bytes);
  });
}

/** A POST with so many bytes, whose answer says in figures how many have come. */
export async function upload({ port, path, bytes }: Large): Promise<LargeResult> {
  return timed({ port, bytes }, async (socket, answer) => {
    socket.write(`POST ${path} HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${bytes}${HEAD_END}`);
    for (let sent = 0; sent < bytes && !socket.destroyed; sent += PIECE.length) {
      const isFull = !socket.write(PIECE.subarray(0, Math.min(PIECE.length, bytes - sent)));
      if (isFull) await Promise.race([once(socket, "drain"), answer.closed]);
    }
    const expected = String(bytes);
    await answer.until((body) => body >= expected.length);
    return answer.fault(expected.length) || (answer.text.endsWith(expected) ? "" : `answered ${answer.text}`);
  });
}

type Course = (socket: Socket, answer: LargeAnswer) => Promise<string>;

async function timed({ port, bytes }: Pick<Large, "port" | "bytes">, course: Course): Promise<LargeResult> {
  const socket = connect({ port, host: HOST });
  const limit = setTimeout(() => socket.destroy(), MS_LEAST + (bytes / MEGABYTE) * MS_PER_MEGABYTE_MAX);
  const answer = new LargeAnswer(socket);
  const startedMs = performance.now();
  const wrong = await course(socket, answer);
  const seconds = (performance.now() - startedMs) / 1_000;
  clearTimeout(limit);
  socket.destroy();
  return { seconds, wrong };
}

class LargeAnswer {
  readonly closed: Promise<void>;
  /** Its beginning, with its head. */
  text = "";
  #received = 0;
  #headBytes = 0;
  #isClosed = false;
  #heard: () => void = () => {};

  constructor(socket: Socket) {
    this.closed = new Promise((resolve) => {
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#isClosed = true;
        resolve();
        this.#heard();
      });
    });
    socket.on("data", (piece: Buffer) => this.#take(piece));
  }

  /** Until so much of the body has come, or nothing comes any more. */
  async until(isEnough: (bodyBytes: number) => boolean): Promise<void> {
    while (!this.#isClosed && !(this.#headBytes > 0 && isEnough(this.#bodyBytes))) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  fault(bytes: number): string {
    if (!this.text.startsWith("HTTP/1.1 200 ")) return `answered ${JSON.stringify(this.text.slice(0, 40))}`;
    return this.#bodyBytes === bytes ? "" : `${this.#bodyBytes} of ${bytes} bytes came`;
  }

  get #bodyBytes(): number {
    return this.#received - this.#headBytes;
  }

  #take(piece: Buffer): void {
    this.#received += piece.length;
    this.text += piece.toString("latin1", 0, HEAD_BYTES_MAX - this.text.length);
    if (this.#headBytes === 0) {
      const end = this.text.indexOf(HEAD_END);
      if (end >= 0) this.#headBytes = end + HEAD_END.length;
    }
    this.#heard();
  }
}
