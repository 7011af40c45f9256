// Lets a connection's requests be carried out: in the order of its pipeline, and only so many of all connections in one turn of the
// event loop (net/fair-beginning.ts).

import { beginnings } from "../../net/fair-beginning.ts";
import type { Resting } from "../../net/fair-reading.ts";
import type { Pipeline } from "./pipeline.ts";
import type { RequestListener } from "./request-listener.ts";

export interface BeginnerParts {
  readonly pipeline: Pipeline;
  readonly listener: Pick<RequestListener, "onRequest">;
  /** One that had rested has been carried out, and perhaps answered: others may follow. */
  readonly onBegun: () => void;
}

export class Beginner implements Resting {
  readonly #parts: BeginnerParts;
  /** Does the next request wait for another turn? */
  #resting = false;

  constructor(parts: BeginnerParts) {
    this.#parts = parts;
  }

  begin(): void {
    if (this.#resting || !this.#parts.pipeline.ready) return;
    this.#resting = !beginnings.mayBegin(this);
    if (!this.#resting) this.#carryOut();
  }

  goOn(): void {
    this.#resting = false;
    this.#carryOut();
    this.#parts.onBegun();
  }

  /** Its client may have left while it rested. */
  #carryOut(): void {
    const ready = this.#parts.pipeline.takeReady();
    if (ready !== undefined) this.#parts.listener.onRequest(ready);
  }
}
