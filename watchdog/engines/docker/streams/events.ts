// The Docker engine's events: first those that it remembers, then those that come. They are hints: the stream is opened again
// when it breaks, and nothing waits for it.

import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import type { EngineEvent } from "../../discovery.ts";
import { composeLabel, isOneOff, ofProject } from "../compose-labels.ts";
import { PREVIOUS_SUFFIX } from "../container-names.ts";
import { engineStops, type PastEvent } from "./engine-stops.ts";
import { secondsOf, secondsOfNano } from "./engine-time.ts";
import { signalName } from "./stop-signal.ts";

const REOPEN_AFTER_MS = 500;
const REPLAY_WITHIN_MS = 2_000;
const ACTIONS = [
  "create",
  "start",
  "kill",
  "die",
  "stop",
  "destroy",
  "oom",
  "pause",
  "unpause",
  "health_status",
  "update",
];

type Labels = Readonly<Record<string, string>>;

interface DockerEvent {
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly ID: string; readonly Attributes: Labels };
}

export interface EventFeed {
  readonly docker: Docker;
  readonly project: string;
  /** The container that the watchdog runs in. */
  readonly self: string | undefined;
  readonly onEvent: (event: EngineEvent, instance: string) => void;
  readonly stop: AbortSignal;
}

/**
 * Tells the project's container events that the engine remembers (its last 256 of all kinds, moby daemon/events), so that an
 * operator who stopped a member while no watchdog listened is heard all the same. The engine's own stops are no stop intent:
 * engine-stops.ts tells which they are.
 * @param calls with a time limit
 * @returns until when, in ms by the engine's clock; undefined: it could not tell
 */
export async function replayEvents(
  { docker, project, self, onEvent, stop }: EventFeed,
  calls: Docker,
): Promise<number | undefined> {
  const past: Parsed[] = [];
  try {
    const untilMs = Date.parse(((await calls.info()) as { SystemTime: string }).SystemTime);
    const signal = AbortSignal.any([stop, AbortSignal.timeout(REPLAY_WITHIN_MS)]);
    const stream = await eventsOf(docker, project, { since: "1", until: secondsOf(untilMs), actions: "all", signal });
    for await (const line of createInterface({ input: stream, signal })) past.push(parseEvent(line));
    const engines = engineStops(past, self);
    for (const one of past) if (!engines.has(one)) onEvent(withAge(one.event, untilMs), one.instance);
    return untilMs;
  } catch {
    // The next round sees the present state all the same.
    return undefined;
  }
}

/**
 * Follows the project's container events until `stop`; a stream that ends is taken up where it broke off.
 * @param fromMs by the engine's clock; undefined: from now on
 */
export async function followEvents(
  { docker, project, onEvent, stop }: EventFeed,
  fromMs: number | undefined,
): Promise<void> {
  let since = fromMs === undefined ? undefined : secondsOf(fromMs);
  while (!stop.aborted) {
    try {
      const stream = await eventsOf(docker, project, { since, actions: ACTIONS, signal: stop });
      for await (const line of createInterface({ input: stream, signal: stop })) {
        const { event, instance, timeNano } = parseEvent(line);
        // One nanosecond on, so that the last event is not replayed.
        since = secondsOfNano(BigInt(timeNano) + 1n);
        onEvent(event, instance);
      }
    } catch {
      // The engine restarts, or we are told to stop.
    }
    // The next round sees what was missed while nobody listened.
    onEvent({ kind: "changed" }, "");
    await delay(REOPEN_AFTER_MS, undefined, { signal: stop }).catch(() => {});
  }
}

interface Span {
  /** Seconds by the engine's clock, with a fraction; undefined: from now on. */
  readonly since: string | undefined;
  /** The same; absent: without an end. */
  readonly until?: string;
  readonly actions: readonly string[] | "all";
  readonly signal: AbortSignal;
}

function eventsOf(
  docker: Docker,
  project: string,
  { since, until, actions, signal }: Span,
): Promise<NodeJS.ReadableStream> {
  const filters = {
    type: ["container"],
    label: [ofProject(project)],
    ...(actions === "all" ? {} : { event: actions }),
  };
  // The types know whole seconds alone.
  const span = { ...(since && { since }), ...(until && { until }) };
  return docker.getEvents({ filters, ...span, abortSignal: signal } as unknown as Docker.GetEventsOptions);
}

function withAge(event: EngineEvent, nowMs: number): EngineEvent {
  return "engineMs" in event ? { ...event, agoMs: Math.max(0, nowMs - event.engineMs) } : event;
}

interface Parsed extends PastEvent {
  readonly event: EngineEvent;
  readonly timeNano: number;
}

function parseEvent(line: string): Parsed {
  const given = JSON.parse(line) as DockerEvent;
  const { Action: action, Actor, timeNano } = given;
  return { action, event: translate(given), instance: Actor.ID, timeNano };
}

function translate({ Action, Actor, timeNano }: DockerEvent): EngineEvent {
  const about = { instance: Actor.ID, engineMs: timeNano / 1_000_000 };
  // A watchdog did this to a previous container, this one or one before it: that is no stop intent.
  if (Actor.Attributes.name?.endsWith(PREVIOUS_SUFFIX)) return { kind: "changed" };
  switch (Action) {
    case "create":
      return { kind: "created", ...about };
    case "kill":
      return { kind: "signalled", ...about, signal: signalName(Actor.Attributes.signal ?? "unknown") };
    case "stop":
      return { kind: "stopped", ...about };
    case "die":
      return { kind: "died", ...about };
    case "start":
      return { kind: "started", ...about };
    case "destroy":
      return { kind: "removed", ...about, slot: slotNameOf(Actor.Attributes) };
    default:
      return { kind: "changed" };
  }
}

/** By the labels, which an event carries too. A `docker compose run` fills none. */
function slotNameOf(labels: Labels): string {
  return isOneOff(labels) ? "" : `${labels[composeLabel.service]}-${labels[composeLabel.number]}`;
}
