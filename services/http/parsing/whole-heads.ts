// Pure. Heads that come whole, each in bytes of its own, one after the other with one parser.

import type { Cursor } from "../../net/cursor.ts";
import { type Fault, faults } from "../message/faults.ts";
import type { MessageHead } from "../message/message-head.ts";
import type { HeadParser } from "./head-parser.ts";

export class WholeHeads<Head extends MessageHead> {
  readonly #make: () => HeadParser<Head>;
  #parser: HeadParser<Head>;

  /** @param make a parser: one that has met a fault is of no use any more */
  constructor(make: () => HeadParser<Head>) {
    this.#make = make;
    this.#parser = make();
  }

  /** @returns the head, or why it is none */
  read(bytes: Cursor): Head | Fault {
    const parser = this.#parser;
    parser.read(bytes);
    const { head } = parser;
    if (head !== undefined && bytes.left === 0) {
      parser.reset();
      return head;
    }
    this.#parser = this.#make();
    return parser.fault ?? faults.cut;
  }
}
