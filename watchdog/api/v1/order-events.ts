// What becomes of one order, as server-sent events until it is over. https://html.spec.whatwg.org/multipage/server-sent-events.html

import type { Request, Response } from "express";
import type { LongOrder } from "./contract/documents.ts";
import type { ApiProblem } from "./contract/problems.ts";
import { noOrder } from "./handlers.ts";
import type { OrderBook } from "./order-book.ts";

/** Each is a connection of the watchdog's port. */
const STREAMS_MAX = 16;
/** The port cuts off what is silent for longer than 10 s. */
const COMMENT_EVERY_MS = 5_000;

export class OrderEvents {
  readonly #book: OrderBook;
  #open = 0;

  constructor(book: OrderBook) {
    this.#book = book;
  }

  /** @returns why not; undefined: it streams */
  follow(id: string, request: Request, response: Response): ApiProblem | undefined {
    const order = this.#book.get(id);
    if (order === undefined) return noOrder(id);
    if (this.#open >= STREAMS_MAX)
      return { problem: "too-many-streams", detail: `${STREAMS_MAX} are open: ask /api/v1/orders/${id} instead` };
    this.#open += 1;
    response.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    const lastId = request.headers["last-event-id"];
    let sent = /^\d{1,9}$/.test(String(lastId)) ? Number(lastId) : 0;
    const send = ({ events, endedAt }: LongOrder) => {
      for (const event of events.filter(({ number }) => number > sent))
        response.write(`id: ${event.number}\ndata: ${JSON.stringify(event)}\n\n`);
      sent = Math.max(sent, events.at(-1)?.number ?? 0);
      if (endedAt !== null) response.end();
    };
    const timer = setInterval(() => response.write(":\n"), COMMENT_EVERY_MS);
    const leave = this.#book.follow(id, send);
    response.on("close", () => {
      clearInterval(timer);
      leave();
      this.#open -= 1;
    });
    send(order);
    return undefined;
  }
}
