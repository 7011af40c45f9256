// What a watchdog makes of the events of a time when nobody listened, on an engine that remembers what the test says: a socket that
// answers as Docker's does. That a real engine remembers it so is in engine-docker.test.ts.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import Docker from "dockerode";
import type { EngineEvent } from "../../watchdog/engines/discovery.ts";
import { replayEvents } from "../../watchdog/engines/docker/streams/events.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const NOW_MS = Date.parse("2026-11-24T12:00:00.000Z");
const SELF = "the-watchdog";

interface Past {
  readonly Action: string;
  readonly id: string;
  readonly agoMs: number;
  readonly name?: string;
}

/** What a watchdog is told at its start. */
async function told(t: TestContext, past: readonly Past[]): Promise<EngineEvent[]> {
  const socketPath = join(await temporaryDirectory(t), "docker.sock");
  const asked: URL[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://engine");
    asked.push(url);
    if (url.pathname === "/info") return response.end(JSON.stringify({ SystemTime: new Date(NOW_MS).toISOString() }));
    const lines = past.map(({ Action, id, agoMs, name = id }) => ({
      Action,
      timeNano: (NOW_MS - agoMs) * 1_000_000,
      Actor: { ID: id, Attributes: { name, signal: "15" } },
    }));
    return response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }).listen(socketPath);
  await once(server, "listening");
  t.after(() => server.close());
  const docker = new Docker({ socketPath });
  const events: EngineEvent[] = [];
  const onEvent = (event: EngineEvent) => void events.push(event);
  const { signal: stop } = new AbortController();
  assert.equal(await replayEvents({ docker, project: "p", self: SELF, onEvent, stop }, docker), NOW_MS);
  assert.equal(asked.at(-1)?.searchParams.get("until"), (NOW_MS / 1000).toFixed(3));
  return events;
}

test("a stop that nobody heard is told in order, as old as it is", async (t) => {
  const events = await told(t, [
    { Action: "kill", id: "one", agoMs: 3_000 },
    { Action: "die", id: "one", agoMs: 2_500 },
    { Action: "stop", id: "one", agoMs: 2_400 },
  ]);
  const one = (agoMs: number) => ({ instance: "one", engineMs: NOW_MS - agoMs, agoMs });
  assert.deepEqual(events, [
    { kind: "signalled", signal: "TERM", ...one(3_000) },
    { kind: "died", ...one(2_500) },
    { kind: "stopped", ...one(2_400) },
  ]);
});

test("a stop of a previous container was a watchdog's own, and no stop intent", async (t) => {
  assert.deepEqual(await told(t, [{ Action: "stop", id: "one", name: "p-server-1-1-aside", agoMs: 9 }]), [
    { kind: "changed" },
  ]);
});

test("where the watchdog itself was stopped too, the engine may have stopped all, and nothing is told", async (t) => {
  const events = await told(t, [
    { Action: "kill", id: "one", agoMs: 90 },
    { Action: "stop", id: "one", agoMs: 80 },
    { Action: "stop", id: SELF, agoMs: 70 },
    { Action: "start", id: SELF, agoMs: 60 },
  ]);
  assert.deepEqual(events, []);
});

test("a watchdog that was killed is no reason to doubt an operator's stop", async (t) => {
  const events = await told(t, [
    { Action: "die", id: SELF, agoMs: 90 },
    { Action: "stop", id: "one", agoMs: 80 },
    { Action: "start", id: SELF, agoMs: 60 },
  ]);
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["died", "stopped", "started"],
  );
});
