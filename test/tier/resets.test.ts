// Clients that send a request and reset their connection right behind it, as scanners and load tools do, in numbers: the system
// may not know their address any more when the request is read. Both tiers live through it, hold nothing of it against a member,
// and nothing of it stays.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, test } from "node:test";
import { ask } from "../tools/http/ask.ts";
import { gauge, idle } from "../tools/http/metrics.ts";
import { origin } from "../tools/http/origin.ts";
import { HOST } from "../tools/ports.ts";
import { startTwoTiers } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";

const CLIENTS = 600;
const AT_A_TIME = 50;
const head = (line: string, ...fields: string[]) => [`${line} HTTP/1.1`, "Host: test", ...fields, "", ""].join("\r\n");
const requests: readonly string[] = [
  head("GET /"),
  `${head("POST /", "Content-Length: 100")}${"x".repeat(100)}`,
  head("GET /", "Connection: Upgrade", "Upgrade: websocket"),
  head("OPTIONS /", "Max-Forwards: 0"),
  head("GET /").repeat(5),
  "GET / HT",
];

const server = await origin({ after }, (request, response) => {
  request.on("error", () => {});
  // Long enough for a client to be gone.
  request.resume().once("end", () => setTimeout(() => response.end("here"), 20));
});
const servers = [1, 2].map((number) => entry(`server-${number}`, server.port));

for (const LINK of ["yes", "no"]) {
  test(`${CLIENTS} clients that reset right behind a request leave nothing behind, LINK=${LINK}`, async (t) => {
    const { balancer, proxies } = await startTwoTiers(t, servers, {
      environment: { STOP_WITH_STDIN: "yes", LINK, TRUSTED_PROXIES: "10.0.0.0/8" },
    });
    for (let sent = 0; sent < CLIENTS; sent += AT_A_TIME) {
      await Promise.all(Array.from({ length: AT_A_TIME }, (_, index) => leave(balancer.port, sent + index)));
    }
    assert.equal((await ask(balancer.port)).body, "here");
    for (const { adminPort, events, child } of [balancer, ...proxies]) {
      await idle(adminPort);
      assert.deepEqual(
        events.filter(({ event }) => event === "member-failing"),
        [],
      );
      assert.equal(await gauge(adminPort, "evenkeel_upgrades_open"), 0);
      assert.equal(child.exitCode, null);
    }
  });
}

/** Some break off at once, some when the request has had time to get on its way. */
async function leave(port: number, number: number): Promise<void> {
  const socket = connect({ host: HOST, port }).on("error", () => {});
  await once(socket, "connect");
  const closed = once(socket, "close");
  socket.write(requests[number % requests.length] as string);
  if (number % 2 === 0) socket.resetAndDestroy();
  else setTimeout(() => socket.resetAndDestroy(), number % 10);
  await closed;
}
