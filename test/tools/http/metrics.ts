// What a member says of itself: the series of its /metrics, by name and labels, and the few that tests look at.

import { setTimeout as delay } from "node:timers/promises";
import { BRIEFLY_MS } from "../../../services/runtime/briefly.ts";
import { eventually } from "../eventually.ts";
import { ask } from "./ask.ts";

/** Every series of the metrics on an admin port as they are now, under its name and labels as they are written there. */
export async function series(adminPort: number): Promise<ReadonlyMap<string, number>> {
  // What somebody had read just before would be served again.
  await delay(BRIEFLY_MS);
  const { body } = await ask(adminPort, { path: "/metrics" });
  const lines = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

export async function gauge(adminPort: number, name: string): Promise<number> {
  const value = (await series(adminPort)).get(name);
  if (value === undefined) throw new Error(`port ${adminPort} has no series ${name}`);
  return value;
}

export async function rssBytes(adminPort: number): Promise<number> {
  return gauge(adminPort, "process_resident_memory_bytes");
}

/** Until a tier works on nothing. */
export async function idle(adminPort: number, limitMs = 10_000): Promise<void> {
  const look = async () => (await gauge(adminPort, "evenkeel_requests_in_flight")) === 0;
  await eventually(`nothing is in flight at port ${adminPort}`, look, limitMs);
}

/** Until a reading has stayed the same for as long as `forMs`; returns it. */
export async function steady(what: string, read: () => number, forMs = 500, limitMs = 20_000): Promise<number> {
  let [value, sinceMs] = [read(), performance.now()];
  await eventually(
    `${what} stays the same`,
    () => {
      if (read() !== value) [value, sinceMs] = [read(), performance.now()];
      return performance.now() - sinceMs >= forMs;
    },
    limitMs,
  );
  return value;
}
