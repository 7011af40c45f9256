// One browser's stream of server-sent events: what is newer than what it has, as fast as it reads and no faster. An event that it has no
// room for is not queued: the next one says more. https://html.spec.whatwg.org/multipage/server-sent-events.html

import type { ServerResponse } from "node:http";

export interface StreamPart {
  readonly event: string;
  /** JSON, in one line. */
  readonly data: string;
  /** Grows with each change of any part. */
  readonly change: number;
}

/** A browser that has lost its stream asks again so soon. */
const RETRY_MS = 1_000;

export class EventStream {
  readonly #response: ServerResponse;
  /** In front of each id: changes of another watchdog are none of ours. */
  readonly #run: string;
  #sent: number;
  #latest: readonly StreamPart[] = [];

  /** @param lastEventId as the browser says it */
  constructor(response: ServerResponse, run: string, lastEventId: string | undefined) {
    this.#response = response;
    this.#run = run;
    this.#sent = changeOf(lastEventId, run);
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
    response.write(`retry: ${RETRY_MS}\n\n`);
    response.on("drain", () => this.show(this.#latest));
  }

  /** Sends those parts that have changed since they were sent. */
  show(parts: readonly StreamPart[]): void {
    this.#latest = parts;
    if (this.#response.writableNeedDrain) return;
    const news = parts.filter(({ change }) => change > this.#sent).sort((one, other) => one.change - other.change);
    for (const { event, data, change } of news) {
      this.#response.write(`id: ${this.#run}-${change}\nevent: ${event}\ndata: ${data}\n\n`);
      this.#sent = change;
    }
  }

  /** Shows that the watchdog lives, and its time. */
  tick(nowMs: number): void {
    if (!this.#response.writableNeedDrain) this.#response.write(`event: clock\ndata: ${nowMs}\n\n`);
  }
}

/** @returns 0: it has nothing of this run */
function changeOf(lastEventId: string | undefined, run: string): number {
  const [, ofRun, change] = /^([0-9a-z]{1,16})-(\d{1,15})$/.exec(lastEventId ?? "") ?? [];
  return ofRun === run ? Number(change) : 0;
}
