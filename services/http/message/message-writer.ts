// The body of a message on its way out, framed as its head has said. It never says that it is whole when it is not: what is more
// or less than the head promised is a fault of whoever gives it, and must end the connection.

import type { Output } from "../../net/outgoing.ts";
import { type Fields, NO_FIELDS } from "./fields.ts";

/** How many bytes there will be; -1: chunks; -2: until the connection ends; 0: none, whatever is given. */
export type BodyLength = number;
export const CHUNKS: BodyLength = -1;
export const UNTIL_CLOSE: BodyLength = -2;

export class BodyWriter {
  /** May change to another when what is held moves on. */
  output: Output;
  readonly #length: BodyLength;
  #written = 0;

  constructor(output: Output, length: BodyLength) {
    this.output = output;
    this.#length = length;
  }

  /** @returns false when it is more than was said; nothing of it has been written */
  data(bytes: Buffer): boolean {
    if (bytes.length === 0 || this.#length === 0) return true;
    this.#written += bytes.length;
    if (this.#length > 0 && this.#written > this.#length) return false;
    if (this.#length === CHUNKS) this.output.piece(`${bytes.length.toString(16)}\r\n`, bytes, "\r\n");
    else this.output.piece("", bytes, "");
    return true;
  }

  /** @param trailers are written where there are chunks. @returns false when it is less than was said */
  end(trailers: Fields = NO_FIELDS): boolean {
    if (this.#length === CHUNKS) this.output.text(`0\r\n${trailers.text}\r\n`);
    return this.#length <= 0 || this.#written === this.#length;
  }
}
