// Ends a tier without cutting a request: no new connections, what is in flight has until the deadline, and connections that have been
// answered are not used again (RFC 9112 section 9.6).

import { setTimeout as delay } from "node:timers/promises";
import type { Drainable, Drained } from "../../runtime/drain.ts";
import type { Listener } from "./listener.ts";
import type { OpenUpgrades } from "./upgrades/open-upgrades.ts";

/** How long a connection that has said nothing yet may still begin to: its request may be on its way. */
const IDLE_MS = 250;
const LOOK_MS = 50;

export interface TierDrainParts {
  readonly listener: Listener;
  readonly open: OpenUpgrades;
  /** Are open upgrades told at the beginning, or do they have until the deadline? */
  readonly upgrades: "close" | "wait";
}

export class TierDrain implements Drainable {
  readonly #parts: TierDrainParts;
  #upgradesEnded = 0;

  constructor(parts: TierDrainParts) {
    this.#parts = parts;
  }

  begin(): void {
    const { listener, open, upgrades } = this.#parts;
    listener.http.drain();
    if (upgrades === "close") this.#upgradesEnded += open.end();
  }

  async drain(deadlineMs: number): Promise<Drained> {
    const { listener } = this.#parts;
    this.begin();
    let closed = false;
    listener.http.server.close(() => {
      closed = true;
    });
    listener.links.drain();
    let cut = 0;
    const deadline = setTimeout(() => {
      cut = this.#cut();
    }, deadlineMs);
    while (!closed) {
      listener.http.closeIdle(IDLE_MS);
      await delay(LOOK_MS);
    }
    clearTimeout(deadline);
    return { cut, upgradesEnded: this.#upgradesEnded };
  }

  #cut(): number {
    const { listener, open } = this.#parts;
    const cut = listener.inFlight + open.size;
    listener.http.closeAll();
    listener.upgrades.cut();
    listener.links.cut();
    return cut;
  }
}
