// The load of chaos on a real origin that fails now and then: every request is counted with its outcome, and one that takes
// long holds up no other.

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { type TestContext, test } from "node:test";
import { Load } from "../../watchdog/chaos/load/load.ts";
import { eventually } from "../tools/eventually.ts";
import { origin } from "../tools/http/origin.ts";
import { freePort, HOST } from "../tools/ports.ts";

const RATE = 200;

/** Loads an origin until it has been asked so often, and says what the load counted. */
async function loaded(t: TestContext, requests: number, answer: RequestListener) {
  const { port, asked } = await origin(t, answer);
  const load = new Load(new URL(`http://${HOST}:${port}/path?a=1`), RATE);
  load.start();
  await eventually("requests", () => asked.length >= requests);
  return { asked, result: await load.finish() };
}

test("every request is a GET of the whole address, and is counted with its outcome", async (t) => {
  const own: Record<string, number> = { fine: 0, missing: 0, broken: 0, cut: 0, refused: 0 };
  let count = 0;
  const outcomes = Object.keys(own);
  const { asked, result } = await loaded(t, 100, (_request, response) => {
    const outcome = outcomes[count % outcomes.length] as string;
    count += 1;
    own[outcome] = (own[outcome] ?? 0) + 1;
    if (outcome === "missing") response.writeHead(404);
    if (outcome === "broken") response.writeHead(500);
    if (outcome === "refused") response.writeHead(400, { "X-LB-Error": "target-form" });
    if (outcome === "cut") response.writeHead(200, { "Content-Length": 9 }).write("half", () => response.destroy());
    else response.end("all of it");
  });
  assert.deepEqual([...new Set(asked.map(({ method, url }) => `${method} ${url}`))], ["GET /path?a=1"]);
  assert.equal(result.requests, asked.length);
  const { broken, cut, refused } = own;
  assert.deepEqual(result.failures, { "500": broken, UND_ERR_SOCKET: cut, "400 target-form": refused });
  assert.equal(result.failed, Number(broken) + Number(cut) + Number(refused));
});

test("the first failures are kept in full, with the request's id, and the latest one's time is known", async (t) => {
  const ids: unknown[] = [];
  const { port, asked } = await origin(t, ({ headers }, response) => {
    ids.push(headers["x-request-id"]);
    response.writeHead(502, { "X-LB-Error": "reset" }).end();
  });
  const load = new Load(new URL(`http://${HOST}:${port}/`), RATE);
  const begunMs = performance.now();
  load.start();
  await eventually("requests", () => asked.length >= 50);
  const { examples, failed } = await load.finish();
  assert.equal(failed, asked.length);
  assert.deepEqual([new Set(ids).size, examples.length], [asked.length, 20]);
  for (const { at, outcome, requestId } of examples) {
    assert.equal(outcome, "502 reset");
    assert.ok(ids.includes(requestId), requestId);
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000);
  }
  const { lastFailureMs = 0 } = load;
  assert.ok(lastFailureMs > begunMs && lastFailureMs <= performance.now());
});

test("requests that hang hold up no other, and their wait is in the latencies", async (t) => {
  const hanging: (() => void)[] = [];
  let answered = 0;
  const { result } = await loaded(t, 300, (_request, response) => {
    if (hanging.length < 100) hanging.push(() => response.end("late"));
    else {
      answered += 1;
      response.end("at once");
      if (answered === 200) for (const answer of hanging) answer();
    }
  });
  assert.equal(answered + hanging.length, result.requests);
  assert.equal(result.failed, 0);
  const { p50, max } = result.latencyMs;
  assert.ok(p50 < max && max >= 900, `p50 ${p50} ms, max ${max} ms: two hundred at ${RATE} a second take a second`);
});

test("where nobody listens every request is counted as refused", async () => {
  const load = new Load(new URL(`http://${HOST}:${await freePort()}/`), RATE);
  load.start();
  await eventually("a failure", () => load.lastFailureMs);
  const { requests, failed, failures, latencyMs } = await load.finish();
  assert.deepEqual(failures, { ECONNREFUSED: requests });
  assert.deepEqual([failed, latencyMs.max], [requests, 0]);
});
