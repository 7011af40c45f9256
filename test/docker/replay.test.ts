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

const stopOf = (id: string, agoMs: number): Past[] => [
  { Action: "kill", id, agoMs },
  { Action: "die", id, agoMs: agoMs - 2 },
  { Action: "stop", id, agoMs: agoMs - 3 },
];
const started = { Action: "start", id: SELF, agoMs: 10 };
const whoWasStopped = (events: readonly EngineEvent[]) =>
  events.flatMap((event) => (event.kind === "stopped" ? [event.instance] : []));

test("an engine that stops all that it finds after a crash, the watchdog too, means nobody", async (t) => {
  // A member takes longer to end than the watchdog.
  const burst = [{ Action: "kill", id: "one", agoMs: 91 }, ...stopOf(SELF, 90), ...stopOf("one", 80)];
  assert.deepEqual(whoWasStopped(await told(t, [...burst, started])), []);
});

test("what an operator stops later is told, on an engine that has stopped all after a crash", async (t) => {
  const burst = [{ Action: "kill", id: "one", agoMs: 91 }, ...stopOf(SELF, 90), ...stopOf("one", 80)];
  const later = [{ ...started, agoMs: 70 }, { Action: "start", id: "one", agoMs: 60 }, ...stopOf("one", 50)];
  assert.deepEqual(whoWasStopped(await told(t, [...burst, ...later])), ["one"]);
});

for (const [how, past] of [
  ["while the watchdog was stopped in good order", [...stopOf(SELF, 90), ...stopOf("one", 80), started]],
  ["with the watchdog and all others, by Compose", [...stopOf(SELF, 90), ...stopOf("one", 80), ...stopOf("two", 80)]],
] as const) {
  test(`an operator's stop ${how} is told`, async (t) => {
    const events = await told(t, [...past]);
    assert.ok(whoWasStopped(events).includes("one"));
  });
}

test("where the engine did anything before the watchdog's stop it has not just come back, and all stops are told", async (t) => {
  const checked = { Action: "exec_create: bash healthcheck.sh", id: "two", agoMs: 99 };
  const both = [{ Action: "kill", id: "one", agoMs: 91 }, ...stopOf(SELF, 90), ...stopOf("one", 80)];
  assert.deepEqual(whoWasStopped(await told(t, [checked, ...both, started])), [SELF, "one"]);
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
