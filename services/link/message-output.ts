// A message that is given in pieces and leaves as one frame where it is small: its head waits until the turn of the event loop ends, for
// most bodies are whole by then.

import { type Flushable, flushAtTurnEnd } from "../net/turn.ts";
import { WHOLE_BODY_BYTES_MAX } from "./frames.ts";
import type { Stream } from "./stream.ts";

const NOTHING = Buffer.alloc(0);

export class MessageOutput implements Flushable {
  readonly #stream: Stream;
  /** Undefined before it is given, and once it has left. */
  #head: string | undefined;
  #body: Buffer = NOTHING;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** @param head latin1, a character a byte */
  head(head: string): void {
    this.#head = head;
    flushAtTurnEnd(this);
  }

  /** @param chunk borrowed until it returns. @returns false when one should wait for onWritable() */
  data(chunk: Buffer): boolean {
    if (this.#head !== undefined && this.#body.length + chunk.length <= WHOLE_BODY_BYTES_MAX) {
      this.#body = this.#body.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#body, chunk]);
      return true;
    }
    this.flush();
    return this.#stream.write(chunk);
  }

  /** @param trailers latin1, whole lines */
  end(trailers = ""): void {
    const head = this.#head;
    if (head === undefined || trailers !== "") {
      this.flush();
      this.#stream.end(trailers);
      return;
    }
    this.#head = undefined;
    this.#stream.whole(head, this.#body);
    this.#body = NOTHING;
  }

  flush(): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = undefined;
    this.#stream.head(head);
    if (this.#body.length > 0) this.#stream.write(this.#body);
    this.#body = NOTHING;
  }
}
