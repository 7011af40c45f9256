// The table of a session's open streams, by id, and the queue of those that wait until the connection takes bytes again. Streams in
// the queue take turns.

import { STREAM_MAX } from "./frames.ts";
import type { Outbox } from "./outbox.ts";
import { Stream } from "./stream.ts";
import type { StreamOutput, StreamSession } from "./stream-output.ts";

export class Streams {
  readonly #session: StreamSession;
  readonly #byId = new Map<number, Stream>();
  readonly #waiting = new Set<StreamOutput>();
  #lastId = 0;

  constructor(session: StreamSession) {
    this.#session = session;
  }

  get count(): number {
    return this.#byId.size;
  }

  get(id: number): Stream | undefined {
    return this.#byId.get(id);
  }

  /** @param id of a stream that the peer opens; without it the next free one, so that ids are reused as late as possible */
  add(id = this.#nextId()): Stream {
    const stream = new Stream(id, this.#session);
    this.#byId.set(id, stream);
    return stream;
  }

  forget(stream: StreamOutput): void {
    this.#byId.delete(stream.id);
    if (this.#waiting.size > 0) this.#waiting.delete(stream);
  }

  awaitRoom(stream: StreamOutput): void {
    this.#waiting.add(stream);
  }

  /** A stream that has to wait again goes to the end of the queue. */
  giveRoom(outbox: Outbox): void {
    for (const stream of this.#waiting) {
      if (!outbox.takesData) return;
      this.#waiting.delete(stream);
      stream.onRoom();
    }
  }

  breakAll(): void {
    for (const stream of this.#byId.values()) stream.onBroken();
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === STREAM_MAX ? 1 : this.#lastId + 1;
    while (this.#byId.has(this.#lastId));
    return this.#lastId;
  }
}
