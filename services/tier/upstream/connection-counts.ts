// What is counted of the connections that requests to one member go over: it stays with the slot, and goes with it.

import { monotonicMs } from "../../runtime/clock.ts";
import { Histogram } from "../../runtime/histogram.ts";

export class ConnectionCounts {
  /** Those that were begun. */
  opened = 0;
  /** How long each took until it was there. */
  readonly connect = new Histogram();

  /** One is begun. @returns what to call when it is there */
  opening(): () => void {
    const begunMs = monotonicMs();
    this.opened += 1;
    return () => this.connect.observe((monotonicMs() - begunMs) / 1_000);
  }
}

/** A member's, as they are read. */
export interface MemberConnectionsCounted {
  readonly member: string;
  readonly open: number;
  readonly counts: ConnectionCounts;
}
