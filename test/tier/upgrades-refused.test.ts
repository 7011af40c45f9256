// Upgrades that come to nothing: the client always hears why, nothing of it speaks against a proxy, no mark of ours comes from a server,
// and a client that does not end its side keeps no connection open.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { rawOrigin } from "../tools/http/origin.ts";
import { startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";
import { type Message, statusOf, valuesOf } from "../tools/wire/http-bytes.ts";
import { RawClient } from "../tools/wire/raw-client.ts";

const MARKS = "X-LB-Error: no-member\r\nX-LB-Left: 0\r\nX-LB-Attempts: 9\r\nX-Served-By: me\r\n";

const scope = fileScope();
let balancer: TierProcess;
let proxy: TierProcess;
let answer = "";

before(async () => {
  const server = await rawOrigin(scope, (socket, bytes) => {
    if (bytes.includes("\r\n\r\n")) socket.write(answer, "latin1");
  });
  const system = await startTwoTiers(scope, [entry("server-1", server.port)]);
  balancer = system.balancer;
  proxy = system.proxies[0] as TierProcess;
});

/** Asks for an upgrade, and keeps the connection. */
async function asked(lines: string, method = "GET"): Promise<{ client: RawClient; response: Message }> {
  const client = await RawClient.to(balancer.port);
  scope.after(() => client.close());
  client.send(`${method} /chat HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
  return { client, response: await client.response() };
}

const UPGRADE = "Connection: Upgrade\r\nUpgrade: x\r\n";

test("an upgrade that node:http cannot read is answered, and speaks against no proxy", async () => {
  for (const [lines, method] of [
    [UPGRADE, "BREW"],
    ["Connection: upgrade\t\r\nUpgrade: x\r\n", "GET"],
  ] as const) {
    const { client, response } = await asked(lines, method);
    assert.deepEqual([statusOf(response), valuesOf(response, "x-lb-error")], [501, ["upgrade"]]);
    assert.deepEqual(await client.ending(), { rest: "", how: "fin" });
  }
  const failing = balancer.events.filter(({ event }) => event === "member-failing");
  assert.deepEqual(failing, []);
});

for (const status of ["101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x", "503 No\r\nContent-Length: 0"]) {
  test(`a server's ${status.slice(0, 3)} has no mark of ours`, async () => {
    answer = `HTTP/1.1 ${status}\r\nX-Kept: yes\r\n${MARKS}\r\n`;
    const { client, response } = await asked(UPGRADE);
    const names = response.headers.map(([name]) => name.toLowerCase());
    assert.deepEqual(
      names.filter((name) => /^x-(?:lb|served|kept)/.test(name)),
      ["x-kept"],
    );
    client.close();
  });
}

test("a client that was refused an upgrade and does not end its side is closed", async () => {
  answer = "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno";
  const { client: byServer } = await asked(UPGRADE);
  const { client: byTier } = await asked(UPGRADE, "BREW");
  await proxy.publish([entry("server-1", 9, { state: "down" })]);
  const { client: byNobody, response } = await asked(UPGRADE);
  assert.equal(statusOf(response), 503);
  for (const client of [byServer, byTier, byNobody]) {
    assert.equal((await client.ending()).how, "fin");
    // What is sent to a connection that is no longer there is answered with a reset.
    await eventually("the connection is gone", () => {
      client.send("more");
      return client.socket.destroyed;
    });
  }
});
