// What becomes of a request that waits at a member when the registry gives that member up, on real sockets: it moves on where
// it may be repeated and somebody else serves, and waits on where not.

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { before, test } from "node:test";
import type { RegistryMember } from "../../services/registry/document.ts";
import { eventually } from "../tools/eventually.ts";
import { ask, begin, type Question } from "../tools/http/ask.ts";
import { named, type Origin, origin } from "../tools/http/origin.ts";
import { startTier, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope, type Scope } from "../tools/scope.ts";

/** One proxy for the whole file; each test has servers of its own, under ids of their own. */
const scope = fileScope();
let tier: TierProcess;

before(async () => {
  tier = await startTier(scope, [], { ROLE: "proxy", ID: "proxy-1", RESPONSE_TIMEOUT_MS: "60000" });
});

interface Silent extends Origin {
  readonly id: string;
  /** The answers that it owes. */
  readonly owed: readonly ServerResponse[];
}

let count = 0;

/** A server that takes requests and says nothing, as one that is paused, and hangs at the test's will. */
async function silent(t: Scope): Promise<Silent> {
  const owed: ServerResponse[] = [];
  count += 1;
  return { ...(await origin(t, (_request, response) => void owed.push(response))), owed, id: `server-${count}` };
}

/** A request that is at the silent server, which is then given up, and `other` put in its place or beside it. */
async function asked(server: Silent, question: Question = {}) {
  await tier.publish([entry(server.id, server.port)]);
  const reply = ask(tier.port, question);
  await eventually("it is at the silent server", () => server.owed.length === 1);
  return { reply };
}

const down = ({ id, port }: Silent) => entry(id, port, { state: "down" });

const lost: readonly [what: string, after: (server: Silent) => RegistryMember[]][] = [
  ["called down", (server) => [down(server)]],
  ["gone from the registry", () => []],
  ["filled anew", (server) => [entry(server.id, server.port, { state: "starting", generation: 2 })]],
];

for (const [what, after] of lost) {
  for (const method of ["GET", "PUT"]) {
    test(`a ${method} that waits at a server that is ${what} is answered by another`, async (t) => {
      const [server, other] = [await silent(t), await origin(t, (_request, response) => response.end("other"))];
      const { reply } = await asked(server, method === "PUT" ? { method, body: "whole" } : {});
      await tier.publish([...after(server), entry(`${server.id}-other`, other.port)]);
      const { status, body, headers } = await reply;
      assert.deepEqual([status, body, headers["x-lb-attempts"]], [200, "other", "2"]);
      assert.deepEqual([server.asked.length, other.asked.length], [1, 1]);
      // It is not the server's fault that we no longer wait for it.
      assert.ok(!tier.events.some(({ event, member }) => event === "member-failing" && member === server.id));
    });
  }
}

test("the server's work on a request that has moved on is aborted", async (t) => {
  const [server, other] = [await silent(t), await named(t, "other")];
  const { reply } = await asked(server);
  await tier.publish([down(server), entry("server-other", other.port)]);
  assert.equal((await reply).body, "other");
  await eventually("the server is told", () => server.owed[0]?.destroyed);
});

const waitsOn: readonly [what: string, question: Question][] = [
  ["a POST, which may have been executed,", { method: "POST", body: "once" }],
  ["a PUT whose body is no longer kept", { method: "PUT", body: "x".repeat(100_000) }],
];

for (const [what, question] of waitsOn) {
  test(`${what} waits on at a server that is called down, and nobody else gets it`, async (t) => {
    const [server, other] = [await silent(t), await named(t, "other")];
    const { reply } = await asked(server, question);
    await tier.publish([down(server), entry("server-other", other.port)]);
    assert.equal((await ask(tier.port)).body, "other");
    server.owed[0]?.end("answered after all");
    assert.equal((await reply).body, "answered after all");
    assert.equal(other.asked.length, 1);
  });
}

test("a GET waits on where nobody else serves, until somebody does", async (t) => {
  const [server, other] = [await silent(t), await named(t, "other")];
  const { reply } = await asked(server);
  await tier.publish([down(server)]);
  assert.equal((await ask(tier.port)).status, 503);
  await tier.publish([down(server), entry("server-other", other.port)]);
  assert.equal((await reply).body, "other");
});

test("a GET waits on at a server that drains", async (t) => {
  const [server, other] = [await silent(t), await named(t, "other")];
  const { reply } = await asked(server);
  await tier.publish([entry(server.id, server.port, { state: "draining" }), entry("server-other", other.port)]);
  assert.equal((await ask(tier.port)).body, "other");
  server.owed[0]?.end("drained");
  assert.equal((await reply).body, "drained");
});

test("an answer that has begun goes on to its end, whatever the registry says of its server", async (t) => {
  const [server, other] = [await silent(t), await named(t, "other")];
  await tier.publish([entry(server.id, server.port)]);
  const beginning = begin(tier.port);
  await eventually("it is at the server", () => server.owed.length === 1);
  server.owed[0]?.write("begun, ");
  const response = await beginning;
  await tier.publish([down(server), entry("server-other", other.port)]);
  assert.equal((await ask(tier.port)).body, "other");
  server.owed[0]?.end("ended");
  assert.equal((await response.setEncoding("utf8").toArray()).join(""), "begun, ended");
  assert.equal(other.asked.length, 1);
});

test("a whole crowd that waits at a server moves on at once", async (t) => {
  const [server, other] = [await silent(t), await named(t, "other")];
  await tier.publish([entry(server.id, server.port)]);
  const crowd = Promise.all(Array.from({ length: 200 }, () => ask(tier.port)));
  await eventually("all are at the server", () => server.owed.length === 200);
  await tier.publish([down(server), entry("server-other", other.port)]);
  const bodies = new Set((await crowd).map(({ body }) => body));
  assert.deepEqual([[...bodies], other.asked.length], [["other"], 200]);
});
