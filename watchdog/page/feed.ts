// What the page shows, made anew while somebody looks and sent to all who do: each part when it has changed. Nothing is made while nobody
// looks.

import type { ServerResponse } from "node:http";
import { monotonicMs, nowMs } from "../../services/runtime/clock.ts";
import type { PageParts } from "./document/document.ts";
import { EventStream, type StreamPart } from "./event-stream.ts";

/** A killed server turns on the page within this, behind the round that saw it. */
const LOOK_MS = 100;
/** Something is sent at least so often, or the page takes the watchdog for gone. */
const CLOCK_MS = 2_000;
/** Each is a connection of the watchdog's port, which has 64. */
const STREAMS_MAX = 24;

interface KnownPart extends StreamPart {
  /** What it was made from: the same again needs no second look. */
  readonly part: unknown;
}

export class Feed {
  readonly #parts: () => PageParts;
  readonly #streams = new Set<EventStream>();
  /** Tells this watchdog's changes from an earlier one's. */
  readonly #run = nowMs().toString(36);
  #known: ReadonlyMap<string, KnownPart> = new Map();
  #changes = 0;
  #timer: NodeJS.Timeout | undefined;
  #clockMs = 0;

  constructor(parts: () => PageParts) {
    this.#parts = parts;
  }

  /** @returns false: so many look that this one cannot */
  open(response: ServerResponse, lastEventId: string | undefined): boolean {
    if (this.#streams.size >= STREAMS_MAX) return false;
    const stream = new EventStream(response, this.#run, lastEventId);
    this.#streams.add(stream);
    response.once("close", () => {
      this.#streams.delete(stream);
      if (this.#streams.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
    this.#look();
    stream.tick(nowMs());
    this.#timer ??= setInterval(() => this.#turn(), LOOK_MS).unref();
    return true;
  }

  #turn(): void {
    this.#look();
    const atMs = monotonicMs();
    if (atMs - this.#clockMs < CLOCK_MS) return;
    this.#clockMs = atMs;
    for (const stream of this.#streams) stream.tick(nowMs());
  }

  #look(): void {
    const parts = Object.entries(this.#parts()).map(([event, part]) => this.#part(event, part));
    this.#known = new Map(parts.map((part) => [part.event, part]));
    for (const stream of this.#streams) stream.show(parts);
  }

  #part(event: string, part: unknown): KnownPart {
    const before = this.#known.get(event);
    if (before !== undefined && before.part === part) return before;
    const data = JSON.stringify(part);
    if (before?.data === data) return { ...before, part };
    this.#changes += 1;
    return { event, part, data, change: this.#changes };
  }
}
