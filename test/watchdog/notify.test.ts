// The webhook, told over real sockets: each notice arrives, once and in order, whatever its receiver does in between, and a
// receiver that does nothing holds nobody up. The waits between two tries are counted instead of waited.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import type { Notice } from "../../watchdog/incidents/recorder.ts";
import type { NoticeBody } from "../../watchdog/notices/notice.ts";
import { Notifier, type NotifierOptions } from "../../watchdog/notices/notifier.ts";
import { eventually, within } from "../tools/eventually.ts";
import { rawOrigin } from "../tools/http/origin.ts";
import { type LogEvent, recordedLog } from "../tools/log.ts";
import { freePort, HOST, listening } from "../tools/ports.ts";
import { incidentAfter, wholeCourse } from "../tools/watchdog/incidents.ts";

interface Told {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: NoticeBody;
}

interface Receiver {
  readonly port: number;
  readonly told: readonly Told[];
  readonly reasons: () => string[];
}

/** @param answer gets how many requests there were before this one */
async function receiver(
  t: TestContext,
  answer: (response: ServerResponse, before: number) => void = (response) => void response.end(),
  port = 0,
): Promise<Receiver> {
  const told: Told[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request)) as NoticeBody;
    told.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, body });
    answer(response, told.length - 1);
  });
  const reasons = () => told.map(({ body }) => body.reason);
  return { port: await listening(t, server, port), told, reasons };
}

function withStatus(status: (before: number) => number) {
  return (response: ServerResponse, before: number) => {
    response.statusCode = status(before);
    response.end("thank you");
  };
}

interface Sender {
  readonly notifier: Notifier;
  readonly events: readonly LogEvent[];
  /** The names of what was logged, with the reasons. */
  readonly logged: () => string[];
  /** The waits that were asked for so far, in ms. */
  readonly pauses: readonly number[];
}

/** A notifier whose waits are over at once. */
function sender(t: TestContext, to: number | string, changes: Partial<NotifierOptions> = {}): Sender {
  const { log, events } = recordedLog();
  const pauses: number[] = [];
  const pause = async (ms: number) => void pauses.push(ms);
  const url = typeof to === "string" ? to : `http://${HOST}:${to}/hook`;
  const notifier = new Notifier({ url, log, pause, ...changes });
  t.after(() => notifier.close());
  const logged = () => events.map(({ event, reason }) => (reason === undefined ? event : `${event}: ${reason}`));
  return { notifier, events, logged, pauses };
}

const noticeOf = (reason: string | number): Notice => ({
  event: "heal",
  slot: "server-4",
  role: "server",
  reason: String(reason),
});
const count = (length: number, from = 0) => Array.from({ length }, (_, index) => String(from + index));

function sendAll(notifier: Notifier, reasons: readonly string[]): void {
  for (const reason of reasons) notifier.send(noticeOf(reason));
}

async function hasBeenTold({ told, reasons }: Receiver, requests: number): Promise<string[]> {
  await eventually(
    () => `${requests} requests, but ${told.length}`,
    () => told.length >= requests,
  );
  return reasons();
}

test("a notice is posted as JSON, with who sends it, its time, project and incident", async (t) => {
  const to = await receiver(t);
  const { notifier } = sender(t, to.port, { project: "evenkeel" });
  const before = Date.now();
  const incident = incidentAfter(wholeCourse);
  notifier.send({ ...noticeOf("it exited with code 1"), event: "recovery", incident });
  await hasBeenTold(to, 1);
  const [{ method, path, headers, body }] = to.told as [Told];
  assert.deepEqual([method, path], ["POST", "/hook"]);
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["user-agent"], "evenkeel-watchdog");
  const { log: _, ...summary } = incident;
  const { at, ...rest } = body;
  assert.deepEqual(rest, {
    event: "recovery",
    slot: "server-4",
    role: "server",
    reason: "it exited with code 1",
    project: "evenkeel",
    incident: summary,
  });
  assert.ok(Date.parse(at) >= before && Date.parse(at) <= Date.now(), at);
});

test("notices arrive in order, one at a time", async (t) => {
  let underWay = 0;
  let most = 0;
  const to = await receiver(t, (response) => {
    underWay += 1;
    most = Math.max(most, underWay);
    setImmediate(() => {
      underWay -= 1;
      response.end();
    });
  });
  const { notifier, events } = sender(t, to.port);
  sendAll(notifier, count(50));
  assert.deepEqual(await hasBeenTold(to, 50), count(50));
  assert.equal(most, 1);
  assert.deepEqual(events, []);
});

test("a notice that comes when all before it have been told is told too", async (t) => {
  const to = await receiver(t);
  const { notifier } = sender(t, to.port);
  for (const reason of count(5)) {
    notifier.send(noticeOf(reason));
    await hasBeenTold(to, Number(reason) + 1);
  }
  assert.deepEqual(to.reasons(), count(5));
});

test("what a receiver fails at is told again after half a second, a second and so on, and then the next is", async (t) => {
  const to = await receiver(
    t,
    withStatus((before) => [500, 503, 429, 408][before] ?? 204),
  );
  const { notifier, pauses, logged } = sender(t, to.port);
  sendAll(notifier, ["a", "b"]);
  assert.deepEqual(await hasBeenTold(to, 6), ["a", "a", "a", "a", "a", "b"]);
  const wholes = [500, 1_000, 2_000, 4_000];
  assert.equal(pauses.length, wholes.length);
  for (const [index, ms] of pauses.entries()) {
    const whole = wholes[index] as number;
    assert.ok(ms >= Math.floor(whole * 0.75) && ms <= whole, `${ms} ms`);
  }
  assert.deepEqual(logged(), [
    "notices-failing: it answered 500",
    "notices-failing: it answered 503",
    "notices-failing: it answered 429",
    "notices-failing: it answered 408",
    "notices-recovered",
  ]);
});

test("a webhook that is down is told when it is up, in order, and the trouble is logged once", async (t) => {
  const port = await freePort();
  const up: Promise<Receiver>[] = [];
  let pauses = 0;
  const pause = async () => {
    pauses += 1;
    if (pauses === 5) up.push(receiver(t, undefined, port));
    await up[0];
  };
  const { notifier, logged } = sender(t, port, { pause });
  sendAll(notifier, count(4));
  const to = await eventually("a receiver", () => up[0]);
  assert.deepEqual(await hasBeenTold(to, 4), count(4));
  assert.deepEqual(logged(), ["notices-failing: ECONNREFUSED", "notices-recovered"]);
});

test("an answer that breaks off before its head is a failure", async (t) => {
  const to = await receiver(t, (response, before) => void (before === 0 ? response.destroy() : response.end()));
  const { notifier, logged } = sender(t, to.port);
  notifier.send(noticeOf("a"));
  assert.deepEqual(await hasBeenTold(to, 2), ["a", "a"]);
  assert.match(logged()[0] ?? "", /^notices-failing: (UND_ERR_SOCKET|ECONNRESET)$/);
});

test("what answers with no HTTP is a failure", async (t) => {
  const to = await rawOrigin(t, (socket) => void socket.end("220 mail.example.com ESMTP\r\n"));
  const { notifier, logged } = sender(t, to.port);
  notifier.send(noticeOf("a"));
  await eventually("a complaint", () => logged().length > 0);
  assert.match(logged()[0] ?? "", /^notices-failing: Response does not match the HTTP/);
});

for (const status of [400, 404, 410, 301, 308]) {
  test(`a notice that is answered ${status} is dropped, and the next is told at once`, async (t) => {
    const other = await receiver(t);
    const to = await receiver(t, (response, before) => {
      response.writeHead(before === 0 ? status : 200, { location: `http://${HOST}:${other.port}/` }).end();
    });
    const { notifier, pauses, logged, events } = sender(t, to.port);
    sendAll(notifier, ["a", "b"]);
    assert.deepEqual(await hasBeenTold(to, 2), ["a", "b"]);
    await eventually("works again", () => logged().includes("notices-recovered"));
    assert.deepEqual([pauses, other.told], [[], []]);
    assert.equal(events.at(-1)?.lost, 1);
  });
}

test("after twenty failures a notice is given up, and the next has twenty of its own", async (t) => {
  const to = await receiver(
    t,
    withStatus((before) => (before < 39 ? 500 : 200)),
  );
  const { notifier, pauses } = sender(t, to.port);
  sendAll(notifier, ["a", "b", "c"]);
  const reasons = await hasBeenTold(to, 41);
  assert.deepEqual(reasons, [...Array(20).fill("a"), ...Array(20).fill("b"), "c"]);
  // The webhook is left alone between two notices as well.
  assert.equal(pauses.length, 39);
  assert.ok((pauses[20] as number) >= 22_500);
});

test("a hundred notices wait, and of more the oldest are dropped, with one line in the log", async (t) => {
  const held: ServerResponse[] = [];
  const to = await receiver(t, (response, before) => void (before === 0 ? held.push(response) : response.end()));
  const { notifier, events } = sender(t, to.port);
  notifier.send(noticeOf("first"));
  await hasBeenTold(to, 1);
  sendAll(notifier, count(150));
  held[0]?.end();
  assert.deepEqual(await hasBeenTold(to, 101), ["first", ...count(100, 50)]);
  assert.deepEqual(
    events.map(({ event, lost }) => [event, lost]),
    [
      ["notices-failing", undefined],
      ["notices-recovered", 50],
    ],
  );
});

test("a receiver that never answers holds nobody up, and costs each try no more than its time limit", async (t) => {
  const to = await receiver(t, () => {});
  const { notifier, logged } = sender(t, to.port, { attemptMs: 250 });
  const begunMs = performance.now();
  sendAll(notifier, count(1_000));
  assert.ok(performance.now() - begunMs < 1_000);
  assert.deepEqual(new Set(await hasBeenTold(to, 3)), new Set(["0"]));
  await eventually("a complaint", () => logged().includes("notices-failing: no answer within 250 ms"));
});

test("an answer whose end never comes counts by its status", async (t) => {
  const to = await receiver(t, (response) => void response.write("thank"));
  const { notifier, pauses } = sender(t, to.port, { attemptMs: 1_000 });
  sendAll(notifier, ["a", "b"]);
  assert.deepEqual(await hasBeenTold(to, 2), ["a", "b"]);
  assert.deepEqual(pauses, []);
});

test("close tells what is still waiting", async (t) => {
  const to = await receiver(t);
  const { notifier, events } = sender(t, to.port);
  sendAll(notifier, count(10));
  await notifier.close();
  assert.deepEqual(to.reasons(), count(10));
  assert.deepEqual(events, []);
});

test("close ends a wait and tries once more, and each that fails then is lost", async (t) => {
  const to = await receiver(
    t,
    withStatus((before) => (before === 1 ? 200 : 500)),
  );
  let waits = false;
  const pause = async (_ms: number, hurry: AbortSignal) => {
    waits = true;
    await once(hurry, "abort");
  };
  const { notifier, logged, events } = sender(t, to.port, { pause });
  sendAll(notifier, ["a", "b", "c"]);
  await eventually("a wait", () => waits);
  await notifier.close();
  assert.deepEqual(to.reasons(), ["a", "a", "b", "c"]);
  assert.deepEqual(logged().slice(1), ["notices-recovered", "notices-failing: it answered 500", "notices-lost"]);
  assert.equal(events.at(-1)?.lost, 2);
});

test("close waits about a second for a receiver that never answers, and counts what is lost", async (t) => {
  const to = await receiver(t, () => {});
  const { notifier, events, logged } = sender(t, to.port);
  sendAll(notifier, count(10));
  await hasBeenTold(to, 1);
  await within(4_000, "close", notifier.close());
  assert.deepEqual(to.reasons(), ["0"]);
  assert.deepEqual(logged(), ["notices-lost"]);
  assert.equal(events[0]?.lost, 10);
});

test("the wait of a notifier that is closed is over at once, with the clock of production", async (t) => {
  const { log, events } = recordedLog();
  const notifier = new Notifier({ url: `http://${HOST}:${await freePort()}`, log });
  t.after(() => notifier.close());
  sendAll(notifier, ["a", "b"]);
  await eventually("a failure", () => events.length > 0);
  await within(4_000, "close", notifier.close());
  assert.equal(events.at(-1)?.lost, 2);
});

test("with the clock of production a failure is made good within seconds", async (t) => {
  const to = await receiver(
    t,
    withStatus((before) => (before === 0 ? 500 : 200)),
  );
  const notifier = new Notifier({ url: `http://${HOST}:${to.port}`, log: recordedLog().log });
  t.after(() => notifier.close());
  notifier.send(noticeOf("a"));
  assert.deepEqual(await hasBeenTold(to, 2), ["a", "a"]);
});

test("what is sent after close goes nowhere", async (t) => {
  const to = await receiver(t);
  const { notifier } = sender(t, to.port);
  await notifier.close();
  notifier.send(noticeOf("late"));
  await notifier.close();
  assert.deepEqual(to.told, []);
});

test("without an address nothing is told, and nothing waits", async (t) => {
  const { log, events } = recordedLog();
  const notifier = new Notifier({ url: undefined, log });
  t.after(() => notifier.close());
  sendAll(notifier, count(200));
  await notifier.close();
  assert.deepEqual(events, []);
});

test("the address's credentials become a header, and no line of the log holds them, its path or its query", async (t) => {
  const to = await receiver(
    t,
    withStatus((before) => [500, 404][before] ?? 200),
  );
  const url = `http://us%20er:p%40ss%zz@${HOST}:${to.port}/secret-path?token=secret-query#secret-end`;
  const { notifier, events, logged } = sender(t, url);
  sendAll(notifier, ["a", "b"]);
  await eventually("works again", () => logged().includes("notices-recovered"));
  const [{ path, headers }] = to.told as [Told];
  assert.equal(path, "/secret-path?token=secret-query");
  assert.equal(headers.authorization, `Basic ${Buffer.from("us er:p@ss%zz").toString("base64")}`);
  assert.equal(events.length, 3);
  for (const event of events) {
    assert.equal(event.to, `http://${HOST}:${to.port}`);
    assert.doesNotMatch(JSON.stringify(event), /secret|us.*er|p@ss/);
  }
});
