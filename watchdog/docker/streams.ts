// The two streams that the Docker engine is read from: its events, and each running container's stdout.
// Both are hints: they are opened again when they break, and nothing waits for them.

import { constants } from "node:os";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import type { EngineEvent } from "../intent.ts";
import { parseReport, type Report } from "../reports.ts";
import { ignoring } from "./connection.ts";
import { ASIDE } from "./inspected.ts";

const REOPEN_AFTER_MS = 500;
const REPLAY_WITHIN_MS = 2_000;
const FRAME_HEAD_BYTES = 8;
const ACTIONS = ["create", "start", "kill", "die", "stop", "destroy", "oom", "pause", "unpause", "health_status"];

interface DockerEvent {
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
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
 * Tells what the engine remembers of the project's container events (its last 256 of all kinds, moby daemon/events): an operator who
 * stopped a member while no watchdog listened is heard all the same. Not when the watchdog itself was stopped in that time: an engine
 * that comes back from a crash stops all that it finds running, by the same events, and wishes nothing by it.
 * @param calls with a time limit
 * @returns until when, in ms by the engine's clock; undefined: it could not tell
 */
export async function replayEvents(
  { docker, project, self, onEvent, stop }: EventFeed,
  calls: Docker,
): Promise<number | undefined> {
  const past: { readonly event: EngineEvent; readonly instance: string }[] = [];
  try {
    const untilMs = Date.parse(((await calls.info()) as { SystemTime: string }).SystemTime);
    const signal = AbortSignal.any([stop, AbortSignal.timeout(REPLAY_WITHIN_MS)]);
    const stream = await eventsOf(docker, project, { since: "1", until: secondsOf(untilMs), signal });
    for await (const line of createInterface({ input: stream, signal })) {
      const { event, instance } = parseEvent(line);
      past.push({ event: withAge(event, untilMs), instance });
    }
    if (past.some(({ event, instance }) => event.kind === "stopped" && instance === self)) return untilMs;
    for (const { event, instance } of past) onEvent(event, instance);
    return untilMs;
  } catch {
    // What is, the next round sees all the same.
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
      const stream = await eventsOf(docker, project, { since, signal: stop });
      for await (const line of createInterface({ input: stream, signal: stop })) {
        const { event, instance, timeNano } = parseEvent(line);
        // One nanosecond on, so that the last event is not replayed.
        since = seconds(BigInt(timeNano) + 1n);
        onEvent(event, instance);
      }
    } catch {
      // The engine restarts, or we are told to stop.
    }
    // What was missed while nobody listened is for the next round to see.
    onEvent({ kind: "changed" }, "");
    await delay(REOPEN_AFTER_MS, undefined, { signal: stop }).catch(() => {});
  }
}

export interface LogFeed {
  readonly docker: Docker;
  readonly instance: string;
  readonly sinceMs: number;
  readonly onReport: (report: Report) => void;
}

/** Reads what a container has said on stdout since its start, and what it says until it ends. */
export async function followLog({ docker, instance, sinceMs, onReport }: LogFeed): Promise<void> {
  // To the millisecond: a second rounded down would bring the last words of the run before.
  const since = (sinceMs / 1000).toFixed(3) as unknown as number;
  const stream = await docker.getContainer(instance).logs({ follow: true, stdout: true, stderr: false, since });
  const stdout = new PassThrough();
  docker.modem.demuxStream(stream, stdout, new PassThrough().resume());
  stream.on("end", () => stdout.end()).on("error", () => stdout.end());
  for await (const line of createInterface({ input: stdout })) {
    const report = parseReport(line);
    if (report !== undefined) onReport(report);
  }
}

/** What it wrote last on stdout and stderr, oldest first; nothing of one that is gone. */
export async function lastLines(docker: Docker, instance: string, count: number): Promise<string[]> {
  const container = docker.getContainer(instance);
  const [inspected, bytes] = await Promise.all([
    ignoring([404], container.inspect()),
    ignoring([404, 409], container.logs({ follow: false, stdout: true, stderr: true, tail: count })),
  ]);
  if (inspected === undefined || bytes === undefined) return [];
  // Without a terminal, each piece comes behind eight bytes: the stream, three of nothing, and its length.
  const text = inspected.Config.Tty ? bytes.toString() : unframed(bytes);
  return text.split(/\r?\n/).filter(Boolean).slice(-count);
}

function unframed(bytes: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + FRAME_HEAD_BYTES <= bytes.length; ) {
    const end = at + FRAME_HEAD_BYTES + bytes.readUInt32BE(at + 4);
    pieces.push(bytes.subarray(at + FRAME_HEAD_BYTES, end));
    at = end;
  }
  return Buffer.concat(pieces).toString();
}

interface Span {
  /** Seconds by the engine's clock, with a fraction; absent: from now on, and without an end. */
  readonly since: string | undefined;
  readonly until?: string;
  readonly signal: AbortSignal;
}

function eventsOf(docker: Docker, project: string, { since, until, signal }: Span): Promise<NodeJS.ReadableStream> {
  const filters = { type: ["container"], event: ACTIONS, label: [`com.docker.compose.project=${project}`] };
  // The types know whole seconds alone.
  const span = { ...(since && { since }), ...(until && { until }) };
  return docker.getEvents({ filters, ...span, abortSignal: signal } as unknown as Docker.GetEventsOptions);
}

function withAge(event: EngineEvent, nowMs: number): EngineEvent {
  return "engineMs" in event ? { ...event, agoMs: Math.max(0, nowMs - event.engineMs) } : event;
}

function parseEvent(line: string) {
  const given = JSON.parse(line) as DockerEvent;
  return { event: translate(given), instance: given.Actor.ID, timeNano: given.timeNano };
}

function translate({ Action, Actor, timeNano }: DockerEvent): EngineEvent {
  const about = { instance: Actor.ID, engineMs: timeNano / 1_000_000 };
  // What happens to one that stands aside is our own doing, if not of this life, and nobody's wish.
  if (Actor.Attributes.name?.endsWith(ASIDE)) return { kind: "changed" };
  switch (Action) {
    case "kill":
      return { kind: "signalled", ...about, signal: signalName(Actor.Attributes.signal) };
    case "stop":
      return { kind: "stopped", ...about };
    case "die":
      return { kind: "died", ...about };
    case "start":
      return { kind: "started", ...about };
    default:
      return { kind: "changed" };
  }
}

/** The engine gives a number. */
function signalName(signal: string | undefined): string {
  const name = Object.entries(constants.signals).find(([, number]) => String(number) === signal)?.[0];
  return name?.replace(/^SIG/, "") ?? signal ?? "unknown";
}

function secondsOf(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function seconds(nanoseconds: bigint): string {
  return `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, "0")}`;
}
