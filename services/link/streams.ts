// The table of a session's open streams, by id, and the queue of those that wait until the connection takes bytes again. Streams in
// the queue take turns.

import { STREAM_MAX } from "./frames.ts";
import type { Outbox } from "./outbox.ts";
import { Stream } from "./stream.ts";
import type { StreamOutput, StreamSession } from "./stream-output.ts";

/** Powers of two. */
const SLOTS_MIN = 256;
const SLOTS_MAX = 1 << 16;

/**
 * An array instead of a Map: each stream is in it for a moment, and a Map under such a change would keep the finished ones from the
 * collector (V8 gives an old table's successors to the old generation, where the dead ones hold their entries until a full collection).
 */
export class Streams {
  readonly #session: StreamSession;
  /** A stream stands where its id points, modulo the number of slots. */
  #slots: (Stream | undefined)[] = new Array(SLOTS_MIN).fill(undefined);
  readonly #waiting = new Set<StreamOutput>();
  #count = 0;
  #lastId = 0;

  constructor(session: StreamSession) {
    this.#session = session;
  }

  get count(): number {
    return this.#count;
  }

  /** Is there no room for another, whatever the peer takes? */
  get full(): boolean {
    return this.#count >= SLOTS_MAX;
  }

  get(id: number): Stream | undefined {
    const stream = this.#slots[id & (this.#slots.length - 1)];
    return stream?.id === id ? stream : undefined;
  }

  /** May a stream with this id be opened? The peer counts on as we do, so that its streams find a slot. */
  hasRoomFor(id: number): boolean {
    while (this.#slots[id & (this.#slots.length - 1)] !== undefined) if (!this.#grow()) return false;
    return true;
  }

  /** @param id of a stream that the peer opens; without it the next free one, so that ids are reused as late as possible */
  add(id = this.#nextId()): Stream {
    const stream = new Stream(id, this.#session);
    this.#slots[id & (this.#slots.length - 1)] = stream;
    this.#count += 1;
    return stream;
  }

  forget(stream: StreamOutput): void {
    const slot = stream.id & (this.#slots.length - 1);
    if (this.#slots[slot] !== stream) return;
    this.#slots[slot] = undefined;
    this.#count -= 1;
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
    for (const stream of this.#slots) stream?.onBroken();
  }

  #nextId(): number {
    if (this.#count * 2 >= this.#slots.length) this.#grow();
    do this.#lastId = this.#lastId === STREAM_MAX ? 1 : this.#lastId + 1;
    while (this.#slots[this.#lastId & (this.#slots.length - 1)] !== undefined);
    return this.#lastId;
  }

  /** Twice the slots: those that did not share one do not share one then. @returns false when there are enough */
  #grow(): boolean {
    if (this.#slots.length >= SLOTS_MAX) return false;
    const streams = this.#slots.filter((stream) => stream !== undefined);
    this.#slots = new Array(this.#slots.length * 2).fill(undefined);
    for (const stream of streams) this.#slots[stream.id & (this.#slots.length - 1)] = stream;
    return true;
  }
}
