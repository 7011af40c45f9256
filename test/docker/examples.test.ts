// Each of examples/ that is an app of somebody's own, as its README says, command by command on a real engine; and under counted load what
// it is there to show.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import WebSocket from "ws";
import { type Example, example } from "../tools/compose/example.ts";
import { dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { assertNoneFailed, loadOn } from "../tools/load/load.ts";

const WITHIN_MS = 60_000;
const ctl = (words: string) => `docker compose exec watchdog node watchdogctl.js ${words}`;

async function started(t: TestContext, name: string): Promise<Example> {
  const app = await example(t, name);
  await app.next("docker compose up --build");
  return app;
}

/** So many slots of the service serve, and no other is known. */
async function serve(app: Example, service: string, count: number): Promise<void> {
  const serving = async () => {
    const rows = [...(await app.rows()).values()].filter(({ slot }) => slot.startsWith(`${service}-`));
    return rows.length === count && rows.every(({ state, missed }) => state === "serving" && missed === 0);
  };
  await eventually(`${count} of ${service} serve`, serving, WITHIN_MS);
}

test("replicas: one is killed and healed, and all are rolled to version 2, without a failed GET", {
  skip,
}, async (t) => {
  const app = await started(t, "replicas");
  await serve(app, "app", 3);
  await app.next("curl");
  const load = loadOn(t, app.balancerPort, { get: { perSecond: 100 } });
  await load.more(50);
  await app.next("docker compose ps -q app");
  await app.next(ctl("incidents"));
  await serve(app, "app", 3);
  await app.next("VERSION=2 docker compose up");
  await app.next(ctl("roll"));
  await serve(app, "app", 3);
  const versions = Array.from({ length: 10 }, async () => JSON.parse((await ask(app.balancerPort)).body).version);
  assert.deepEqual([...new Set(await Promise.all(versions))], ["2"]);
  await assertNoneFailed(load);
  await app.down();
});

/** A visitor of the chat: what its cookies are, and which room it has. */
interface Visitor {
  readonly cookies: string;
  readonly room: string;
  /** All that was said so far, as it has heard it. */
  readonly lines: string[];
  readonly say: (line: string) => void;
  readonly leave: () => void;
}

/** @param cookies of an earlier visit */
async function visit(t: TestContext, port: number, cookies?: string): Promise<Visitor> {
  const { headers } = await ask(port, cookies === undefined ? {} : { headers: { Cookie: cookies } });
  const given = headers["set-cookie"]?.map((cookie) => cookie.split(";")[0]).join("; ");
  const shown = given ?? cookies ?? "";
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers: { Cookie: shown } });
  t.after(() => socket.terminate());
  const rooms: string[] = [];
  const lines: string[] = [];
  socket.on("message", (data) => {
    const message = JSON.parse(String(data)) as { room?: string; lines: string[] };
    if (message.room !== undefined) rooms.push(message.room);
    lines.push(...message.lines);
  });
  const room = await eventually("a room", () => rooms[0], WITHIN_MS);
  return { cookies: shown, room, lines, say: (line) => socket.send(line), leave: () => socket.close() };
}

const VISITORS_MAX = 20;

/** Visitors come until one has that room. */
async function visitorOf(t: TestContext, app: Example, slot: string): Promise<Visitor> {
  const instance = (await app.rows()).get(slot)?.instance ?? "none";
  for (let count = 0; count < VISITORS_MAX; count += 1) {
    const visitor = await visit(t, app.balancerPort);
    if (instance.startsWith(visitor.room)) return visitor;
    visitor.leave();
  }
  throw new Error(`${VISITORS_MAX} visitors, and none of them was sent to ${slot}`);
}

const heard = (visitor: Visitor, line: string) =>
  eventually(`"${line}"`, () => visitor.lines.includes(line), WITHIN_MS);

test("chat: who comes back has his room, and a replica on its way out waits for who is talking", {
  skip,
}, async (t) => {
  const app = await started(t, "chat");
  await serve(app, "chat", 2);
  const first = await visitorOf(t, app, "chat-1");
  first.say("hello");
  await heard(first, "hello");
  first.leave();
  for (const _ of [1, 2, 3, 4, 5]) {
    const again = await visit(t, app.balancerPort, first.cookies);
    assert.deepEqual([again.room, again.lines], [first.room, ["hello"]]);
    again.leave();
  }
  const other = await visitorOf(t, app, "chat-2");
  assert.notEqual(other.room, first.room);
  assert.deepEqual(other.lines, []);

  const talking = await visit(t, app.balancerPort, first.cookies);
  const row = async () => (await app.rows()).get("chat-1");
  const { generation } = (await row()) ?? {};
  await app.next(ctl("heal chat-1"));
  await eventually("chat-1 is on its way out", async () => (await row())?.state === "draining", WITHIN_MS);
  const roomOfNext = async () => {
    const visitor = await visit(t, app.balancerPort);
    visitor.leave();
    return visitor.room;
  };
  // The balancer hears of it a moment later; then of two in turn none has the room that is on its way out.
  const isOut = async () => (await roomOfNext()) === other.room && (await roomOfNext()) === other.room;
  await eventually("the balancer sends nobody to chat-1", isOut, WITHIN_MS);
  for (const _ of [1, 2, 3, 4, 5]) assert.equal(await roomOfNext(), other.room);
  talking.say("still here");
  await heard(talking, "still here");
  assert.equal((await row())?.generation, generation);
  talking.leave();
  await eventually("chat-1 is made anew", async () => (await row())?.generation !== generation, WITHIN_MS);
  await serve(app, "chat", 2);
  await app.down();
});

test("database: the app dies and is healed, and neither database nor migration is touched", { skip }, async (t) => {
  const app = await started(t, "database");
  await app.next("curl");
  await serve(app, "app", 2);
  const visits = async () => JSON.parse((await ask(app.balancerPort)).body) as { schema: number; visits: number };
  const before = await visits();
  assert.equal(before.schema, 2);
  const others = async () =>
    [await app.lives("db"), await app.lives("migrate")].map((lives) => lives.map(withoutChecks));
  const untouched = await others();
  await app.next("docker compose ps -q app");
  await app.next(ctl("incidents"));
  await serve(app, "app", 2);
  await app.next("docker compose logs");
  assert.deepEqual(await others(), untouched);
  const { schema, visits: after } = await visits();
  assert.deepEqual([schema, after > before.visits], [2, true]);
  await app.down();
});

/** Its checks go on; all else of its state is to stay. */
function withoutChecks(life: string): unknown {
  const [id, state = ""] = life.split(/ (.*)/s);
  const { Health, ...rest } = JSON.parse(state) as Record<string, unknown> & { Health?: { Status: string } };
  return { id, health: Health?.Status, ...rest };
}

const KILLED = "it was killed for lack of memory";

test("leak: one replica after another is killed for lack of memory, and no GET fails", { skip }, async (t) => {
  const app = await started(t, "leak");
  await serve(app, "app", 3);
  const load = loadOn(t, app.balancerPort, { get: { perSecond: 150 } });
  await app.next("docker compose exec balancer node client.js 7 --count 300");
  const killed = async () => {
    const { body } = await ask(app.watchdogPort, { path: "/api/incidents" });
    const { incidents } = JSON.parse(body) as { incidents: { cause: string; outcome: string }[] };
    return incidents.filter(({ cause, outcome }) => cause === KILLED && outcome === "healed").length;
  };
  await eventually("two were killed and healed", async () => (await killed()) >= 2, WITHIN_MS);
  await app.next(ctl("incidents"));
  await assertNoneFailed(load);
  // A `down` that meets a heal may have to be run again.
  await serve(app, "app", 3);
  await app.down();
});
