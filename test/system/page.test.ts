// The status page's stream of events on a whole system of processes: what it tells as things happen, and what a browser that has lost it
// hears when it comes back.

import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { before, test } from "node:test";
import type { StateShown } from "../../watchdog/page/document/document.ts";
import type { TrafficShown } from "../../watchdog/traffic/figures.ts";
import { eventually } from "../tools/eventually.ts";
import { fewClients, loadOn } from "../tools/load/load.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { fileScope, type Scope } from "../tools/scope.ts";

const scope = fileScope();
let system: ProcessSystem;

before(async () => {
  system = await startSystem(scope);
});

interface ServerSentEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

interface Stream {
  readonly events: ServerSentEvent[];
  readonly response: IncomingMessage;
  /** The last of these, parsed. */
  latest<T>(event: string): T | undefined;
}

async function openStream(scope: Scope, lastEventId?: string): Promise<Stream> {
  const headers = lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId };
  const request = get({ port: system.watchdogPort, path: "/page/events", agent: false, headers });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.on("error", () => {});
  scope.after(() => void response.destroy());
  const events: ServerSentEvent[] = [];
  let text = "";
  response.setEncoding("utf8").on("data", (chunk: string) => {
    const whole = (text + chunk).split("\n\n");
    text = whole.pop() ?? "";
    for (const block of whole) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
      const event = field("event");
      if (event !== undefined) events.push({ id: field("id"), event, data: field("data") ?? "" });
    }
  });
  const latest = <T>(event: string) => {
    const last = events.findLast((one) => one.event === event);
    return last === undefined ? undefined : (JSON.parse(last.data) as T);
  };
  return { events, response, latest };
}

const statusIn = (stream: Stream, id: string) =>
  stream.latest<StateShown>("state")?.members.find((member) => member.id === id)?.severity;

test("who opens the stream hears all there is, and then the time every two seconds", async (t) => {
  const stream = await openStream(t);
  assert.equal(stream.response.headers["content-type"], "text/event-stream; charset=utf-8");
  await eventually("two times are told", () => stream.events.filter(({ event }) => event === "clock").length > 1);
  const first = [...new Set(stream.events.map(({ event }) => event))];
  assert.deepEqual(first, ["state", "probes", "incidents", "traffic", "clock"]);
  assert.equal(stream.latest<StateShown>("state")?.overview.word, "serving");
  const parts = stream.events.filter(({ event }) => event === "state" || event === "incidents").length;
  assert.ok(parts < 8, `what stays the same is told again: ${parts} times`);
});

test("a killed server turns, its incident comes with its phases, and both are as the API has them", async (t) => {
  const stream = await openStream(t);
  await eventually("the state is there", () => statusIn(stream, "server-4") === "good");
  await system.healsAfter("SIGKILL", "server-4");
  const turned = () =>
    stream.events.some(({ event, data }) => event === "state" && memberIn(data, "server-4") !== "good");
  await eventually("it turned", turned);
  await eventually("it serves again", () => statusIn(stream, "server-4") === "good");
  const [incident] = await eventually("the heal is over", () => {
    const all = stream.latest<{ slot: string; outcome: string; times: object }[]>("incidents") ?? [];
    return all[0]?.outcome === "healed" ? all : undefined;
  });
  assert.equal(incident?.slot, "server-4");
  assert.deepEqual(Object.keys(incident?.times ?? {}), [
    "detectedMs",
    "decidedMs",
    "createdMs",
    "startedMs",
    "readyMs",
    "inTrafficMs",
  ]);
});

function memberIn(data: string, id: string): string | undefined {
  return (JSON.parse(data) as StateShown).members.find((member) => member.id === id)?.severity;
}

test("who comes back with the last id hears what is new and nothing else; with another watchdog's id, all", async (t) => {
  const first = await openStream(t);
  const states = await eventually("all is told", () => {
    const parts = first.events.filter(({ id }) => id !== undefined);
    return parts.length >= 3 ? parts : undefined;
  });
  const last = states.at(-1)?.id as string;
  first.response.destroy();
  const again = await openStream(t, last);
  await eventually("the time is told", () => again.events.some(({ event }) => event === "clock"));
  const [run, change] = last.split("-");
  for (const { id, event } of again.events.filter((one) => one.id !== undefined)) {
    assert.equal(id?.split("-")[0], run);
    assert.ok(Number(id?.split("-")[1]) > Number(change), `${event} ${id} was told before`);
  }
  for (const foreign of ["0-1", "rubbish", `${run}-${"9".repeat(40)}`, "-"]) {
    const other = await openStream(t, foreign);
    await eventually(
      `all is told to ${foreign}`,
      () => other.latest("state") !== undefined && other.latest("incidents") !== undefined,
    );
    other.response.destroy();
  }
});

test("rates are those of the requests that pass, on the way in", async (t) => {
  const stream = await openStream(t);
  const load = loadOn(t, system.balancerPort, fewClients);
  const rate = () => stream.latest<TrafficShown | null>("traffic")?.total?.perSecond ?? 0;
  await eventually("requests a second are shown", () => rate() > 1, 20_000);
  const { total } = stream.latest<TrafficShown>("traffic") ?? assert.fail();
  assert.ok((total?.p99Ms ?? 0) >= (total?.p50Ms ?? 0) && (total?.p50Ms ?? 0) > 0, JSON.stringify(total));
  await load.finish();
  await eventually("nothing passes any more", () => rate() === 0, 30_000);
});

test("of more streams than it has room for the watchdog refuses the last, in a word, and goes on", async (t) => {
  const streams = await Promise.all(Array.from({ length: 24 }, () => openStream(t)));
  const refused = await openStream(t);
  assert.equal(refused.response.statusCode, 503);
  for (const { response } of streams) response.destroy();
  await eventually("there is room again", async () => {
    const next = await openStream(t);
    next.response.destroy();
    return next.response.statusCode === 200;
  });
});

test("the next watchdog's events are told from those of the one before", async (t) => {
  const stream = await openStream(t);
  const last = await eventually("a part is told", () => stream.events.findLast(({ id }) => id !== undefined)?.id);
  await system.respawnsAfter(() => process.kill(system.pid("watchdog"), "SIGKILL"));
  const next = await openStream(t, last);
  await eventually(
    "all is told anew",
    () => next.latest("state") !== undefined && next.latest("incidents") !== undefined,
  );
  const incidents = next.latest<{ slot: string }[]>("incidents") ?? [];
  assert.equal(incidents.at(-1)?.slot, "server-4");
});
