// When the requests of a load are sent: at a rate, whatever becomes of those before them, as by users who know nothing of each
// other (an open loop); or by clients that each wait for their answer (a closed loop). Knows nothing of what is sent.

import { setTimeout as delay } from "node:timers/promises";
import { Pace } from "../../../services/command-line/pace.ts";

/** How far a sender that came late makes up for it: no flood follows a machine that stood still. */
const LATE_MS_MAX = 100;

/** An open loop: requests a second. */
export interface Rate {
  readonly perSecond: number;
}

/** A closed loop: each client has one request under way at a time, and pauses after its answer. */
export interface Clients {
  readonly clients: number;
  readonly pauseMs: number;
}

export type Arrivals = Rate | Clients;

export interface Sender {
  /** Is another request to be sent? */
  readonly goesOn: () => boolean;
  /** Never rejects. */
  readonly send: () => Promise<void>;
}

/** Sends as long as the sender goes on; resolves when the last request is over. */
export async function arrive(arrivals: Arrivals, sender: Sender): Promise<void> {
  if ("perSecond" in arrivals) return atRate(arrivals, sender);
  await Promise.all(Array.from({ length: arrivals.clients }, () => client(arrivals, sender)));
}

async function atRate({ perSecond }: Rate, { goesOn, send }: Sender): Promise<void> {
  const pace = new Pace({ perSecond, startMs: performance.now(), lateMsMax: LATE_MS_MAX });
  const underWay = new Set<Promise<void>>();
  while (goesOn()) {
    for (const _ of pace.takeDue(performance.now())) {
      const one = send().finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await delay(Math.max(0, pace.nextMs - performance.now()));
  }
  await Promise.all(underWay);
}

async function client({ pauseMs }: Clients, { goesOn, send }: Sender): Promise<void> {
  while (goesOn()) {
    await send();
    if (pauseMs > 0) await delay(pauseMs);
  }
}
