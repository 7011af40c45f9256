// What clients can do to the tiers' opinion of their members: nothing. A proxy is not taken out of traffic for what its servers answer,
// or do not answer, or for what it refuses.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ask, inTurn, type Question } from "../tools/http/ask.ts";
import { origin } from "../tools/http/origin.ts";
import { startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const scope = fileScope();
let balancer: TierProcess;

before(async () => {
  const server = await origin(scope, (request, response) => {
    if (request.url === "/fails") response.writeHead(500).end("broken");
    else if (request.url !== "/hangs") response.end("here");
  });
  const environment = { RESPONSE_TIMEOUT_MS: "1000", CONNECT_TIMEOUT_MS: "1000" };
  ({ balancer } = await startTwoTiers(scope, [entry("server-1", server.port)], { environment }));
});

const rows: readonly [what: string, question: Question, status: number][] = [
  ["a page that fails", { path: "/fails" }, 500],
  ["a page that does not come", { path: "/hangs" }, 504],
  ["requests that have come past the proxy before", { headers: { Via: "1.1 proxy-1, 1.1 proxy-1" } }, 508],
];

for (const [what, question, status] of rows) {
  test(`${what}, asked for over and over, takes no proxy out of traffic`, async () => {
    const replies = await Promise.all(Array.from({ length: 12 }, () => ask(balancer.port, question)));
    assert.deepEqual(new Set(replies.map((reply) => reply.status)), new Set([status]));
    const failing = balancer.events.filter(({ event }) => event === "member-failing");
    assert.deepEqual(failing, []);
    assert.deepEqual(
      (await inTurn(2, () => ask(balancer.port))).map(({ body }) => body),
      ["here", "here"],
    );
  });
}
