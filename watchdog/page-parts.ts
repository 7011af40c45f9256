// What the status page is put together from: the watchdog's own parts, and a watch of the tiers' traffic that rests while nobody looks.

import type { Router } from "express";
import { nowMs } from "../services/runtime/clock.ts";
import type { Settings } from "../services/runtime/config.ts";
import { version } from "../services/runtime/version.ts";
import type { RoundState } from "./api/view.ts";
import { type PageParting, statusPage } from "./page/page.ts";
import type { WatchdogParts } from "./parts.ts";
import { TrafficWatch, type WatchedTier } from "./traffic/traffic-watch.ts";

type Known = Pick<PageParting, "state" | "rolls" | "scales">;

export function pageOf({ incidents, discovery }: WatchdogParts, settings: Settings, known: Known): Router {
  const watch = new TrafficWatch(() => tiersOf(known.state()));
  return statusPage({
    ...known,
    incidents,
    traffic: () => watch.wanted(),
    facts: {
      engine: settings.ENGINE,
      project: discovery.project ?? "processes of this machine",
      version,
      watchdogSinceMs: nowMs(),
      takesOrders: settings.API_TOKEN !== undefined,
    },
    probeIntervalMs: settings.PROBE_INTERVAL_MS,
    token: settings.API_TOKEN,
    ownName: settings.ID,
  });
}

/** Those that send requests on, and have said where their admin port is. */
function tiersOf({ registry, slotStates }: RoundState): WatchedTier[] {
  const hosts = new Map(slotStates.map(({ slot, found }) => [slot.id, found?.probeHost]));
  return registry.members.flatMap(({ id, role, host, adminPort, state, generation = 0 }) =>
    role === "server" || adminPort === undefined || state === "down"
      ? []
      : [{ id, role, generation, host: hosts.get(id) ?? host, port: adminPort }],
  );
}
