// A server that closes an idle connection just as it is used again has seen nothing of the request: the only server there is gets it once
// more on a new connection, where it may be repeated.

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask, inTurn } from "../tools/http/ask.ts";
import { rawOrigin } from "../tools/http/origin.ts";
import { startTier } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const EARLY = "HTTP/1.1 103 Early Hints\r\n\r\n";

test("an idempotent request on a connection that its only server has just closed is answered, with its body", async (t) => {
  let dropped = 0;
  const used = new WeakSet<object>();
  const server = await rawOrigin(t, (socket) => {
    if (used.has(socket)) {
      dropped += 1;
      socket.destroy();
    } else socket.write(OK);
    used.add(socket);
  });
  const tier = await startTier(t, [entry("server-1", server.port)], { ROLE: "proxy", ID: "proxy-1" });
  for (const question of [{}, { method: "PUT", body: "hello" }]) {
    await ask(tier.port, question);
    await eventually("an answer in spite of a connection that was closed", async () => {
      const before = dropped;
      const { status } = await ask(tier.port, question);
      return status === 200 && dropped > before;
    });
  }
  assert.equal(server.received().match(/\r\n\r\nhello/g)?.length, server.received().match(/PUT /g)?.length);
});

test("what may have been carried out, or has brought anything of an answer, is sent once", async (t) => {
  let drops = "";
  const used = new WeakSet<object>();
  const server = await rawOrigin(t, (socket) => {
    if (used.has(socket)) socket.end(drops);
    else socket.write(OK);
    used.add(socket);
  });
  const tier = await startTier(t, [entry("server-1", server.port)], { ROLE: "proxy", ID: "proxy-1" });
  for (const [method, said] of [
    ["POST", ""],
    ["GET", EARLY],
    ["GET", "HTTP/1.1 2"],
  ] as const) {
    drops = said;
    const statuses = (await inTurn(6, () => ask(tier.port, { method, path: `/${said.length}` }))).map(
      ({ status }) => status,
    );
    assert.equal(server.received().split(`${method} /${said.length} `).length - 1, 6, said);
    assert.ok(statuses.includes(502), String(statuses));
  }
});
