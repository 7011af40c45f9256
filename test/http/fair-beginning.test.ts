// How many requests are begun in one turn of the event loop, and in which order the others are.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerExchange } from "../../services/http/server/server-exchange.ts";
import { FairBeginning, TURN_BEGINNINGS } from "../../services/net/fair-beginning.ts";
import { eventually } from "../tools/eventually.ts";
import { request } from "../tools/rules/row.ts";
import { answer, serve } from "./serving.ts";

/** Begins of three at a time, and turns that end when the test says so. */
function turns() {
  const ends: (() => void)[] = [];
  const begun: string[] = [];
  const beginning = new FairBeginning(3, (then) => ends.push(then));
  const come = (...names: string[]) => {
    for (const name of names) if (beginning.mayBegin({ goOn: () => void begun.push(name) })) begun.push(name);
  };
  return { begun, come, ends, endTurn: () => ends.shift()?.() };
}

test("in one turn so many begin; the others follow in their order, turn by turn, and before those that come later", () => {
  const { begun, come, ends, endTurn } = turns();
  come("a", "b", "c", "d", "e", "f", "g");
  assert.deepEqual(begun, ["a", "b", "c"]);
  endTurn();
  come("h");
  assert.deepEqual(begun, ["a", "b", "c", "d", "e", "f"]);
  endTurn();
  come("i", "j");
  assert.deepEqual(begun.slice(6), ["g", "h", "i"]);
  endTurn();
  assert.deepEqual(begun.slice(9), ["j"]);
  endTurn();
  assert.deepEqual(ends, []);
});

test("where few come, none waits, whatever came before", () => {
  const { begun, come, endTurn } = turns();
  for (const name of ["a", "b", "c", "d"]) {
    come(name);
    assert.equal(begun.at(-1), name);
    endTurn();
  }
});

const CLIENTS = 4 * TURN_BEGINNINGS;

test("of many requests that come at once, what is under way is looked at before the last are begun", async (t) => {
  const open: ServerExchange[] = [];
  let early = 0;
  const { connect, http } = await serve(t, (exchange) => {
    if (open.push(exchange) === 1) setImmediate(() => (early = open.length));
  });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, connect));
  await eventually("all are connected", () => http.connections === CLIENTS);
  for (const [index, client] of clients.entries()) client.send(request(`GET /${index}`));
  await eventually("all have begun", () => open.length === CLIENTS);
  assert.ok(early > 0 && early < CLIENTS, `${early} of ${CLIENTS} had begun`);
  for (const exchange of open) answer(exchange, exchange.request.target);
  const bodies = await Promise.all(clients.map(async (client) => (await client.response()).body));
  assert.deepEqual(
    bodies,
    clients.map((_, index) => `/${index}`),
  );
});

test("a client that leaves while its request rests is begun no more, and others are", async (t) => {
  let begun = 0;
  let atTheEnd: number | undefined;
  const { connect, http } = await serve(t, (exchange) => {
    begun += 1;
    if (exchange.request.target === "/next") answer(exchange, "next");
    else if (begun === 1) setImmediate(leave);
  });
  const leave = () => {
    http.closeAll();
    atTheEnd = begun;
  };
  const clients = await Promise.all(Array.from({ length: CLIENTS }, connect));
  await eventually("all are connected", () => http.connections === CLIENTS);
  for (const client of clients) client.send(request("GET /"));
  await Promise.all(clients.map((client) => client.ending()));
  const next = await connect();
  next.send(request("GET /next"));
  assert.equal((await next.response()).body, "next");
  assert.ok((atTheEnd ?? CLIENTS) < CLIENTS, `${atTheEnd} of ${CLIENTS} had begun`);
  assert.equal(begun, (atTheEnd as number) + 1);
});
