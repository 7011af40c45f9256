// Bodies of a known length that come slowly, on real sockets: a member sees the head before the body is there, but no more of its
// capacity than a share goes to those.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask, rawClient } from "../tools/http/ask.ts";
import { type Origin, origin } from "../tools/http/origin.ts";
import { startTier, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const scope = fileScope();
let server: Origin;
let tier: TierProcess;

before(async () => {
  server = await origin(scope, (request, response) => {
    if (request.url === "/refused") response.writeHead(401).end("no");
    else request.pipe(response);
  });
  const limits = { MEMBER_REQUESTS_MAX: "4" };
  tier = await startTier(scope, [entry("server-1", server.port)], { ROLE: "proxy", ID: "proxy-1", ...limits });
});

const post = (path: string, length: number) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;

test("a client that waits in the middle of its body gets an answer that needs none of it", async (t) => {
  const client = await rawClient(t, tier.port);
  client.send(`${post("/refused", 1_000_000)}abc`);
  await client.until(/^HTTP\/1\.1 401 [\s\S]*no/);
});

test("a body of a known length may be one half of a conversation", async (t) => {
  const client = await rawClient(t, tier.port);
  client.send(post("/echo", 1_000));
  for (let turn = 0; turn < 5; turn += 1) {
    client.send(`[${turn}]`);
    await client.until(new RegExp(`\\[${turn}\\]`));
  }
});

test("one of four may start before its body is there; the next waits for it, and takes nobody's place", async (t) => {
  const asked = server.asked.length;
  const [first, second] = [await rawClient(t, tier.port), await rawClient(t, tier.port)];
  first.send(`${post("/first", 10)}abc`);
  await eventually("the first is there", () => server.asked.length === asked + 1);
  second.send(`${post("/second", 10)}abc`);
  const begunMs = performance.now();
  await eventually("a second has passed", () => performance.now() - begunMs > 1_000);
  assert.equal(server.asked.length, asked + 1);
  assert.equal((await ask(tier.port, { method: "POST", body: "whole" })).body, "whole");
  first.send("defghij");
  await first.until(/defghij/);
  await eventually("the second is there", () => server.asked.at(-1)?.url === "/second");
  second.send("defghij");
  await second.until(/defghij/);
});
