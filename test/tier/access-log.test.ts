// The access log of a tier: which requests have a line, and what it says of attempts, member, times and trace, and what it never says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask, inTurn, rawClient } from "../tools/http/ask.ts";
import { named, origin } from "../tools/http/origin.ts";
import { freePort } from "../tools/ports.ts";
import type { MemberEvent } from "../tools/process/run.ts";
import { startTier, startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";

const lines = ({ events }: TierProcess): MemberEvent[] => events.filter(({ event }) => event === "access");

/** Waits for so many, and for a request behind them that would have been told of too. */
async function linesOf(tier: TierProcess, count: number): Promise<MemberEvent[]> {
  await eventually(
    () => `${count} lines, and there are ${lines(tier).length}`,
    () => lines(tier).length >= count,
  );
  return lines(tier);
}

test("by default no request has a line", async (t) => {
  const member = await named(t, "a");
  const tier = await startTier(t, [entry("proxy-1", member.port)]);
  await inTurn(20, () => ask(tier.port));
  tier.child.kill("SIGTERM");
  await tier.event("stopped");
  assert.deepEqual(lines(tier), []);
});

test("all: each request has one line, with member, attempts, times, and the ids that its member got", async (t) => {
  const member = await named(t, "a");
  const tier = await startTier(t, [entry("proxy-1", member.port)], { ACCESS_LOG: "all" });
  await ask(tier.port, {
    path: "/orders/7?token=secret-of-a-query",
    headers: { Host: "shop.example", Authorization: "Bearer secret-of-a-header" },
  });
  const [line] = await linesOf(tier, 1);
  const { ms, headMs, requestId, traceId, method, host, path, status, attempts, failed } = line as Record<
    string,
    unknown
  >;
  assert.deepEqual(
    [method, host, path, status, line?.member, attempts, failed],
    ["GET", "shop.example", "/orders/7", 200, "proxy-1", 1, undefined],
  );
  assert.ok((headMs as number) >= 0 && (ms as number) >= (headMs as number), JSON.stringify(line));
  const { rawHeaders = [] } = member.asked[0] ?? {};
  const got = (name: string) => rawHeaders[rawHeaders.findIndex((each) => each.toLowerCase() === name) + 1];
  assert.equal(requestId, got("x-request-id"));
  assert.equal(traceId, got("traceparent")?.split("-")[1]);
  tier.child.kill("SIGTERM");
  const { stdout, stderr } = await tier.ended;
  assert.doesNotMatch(stdout + stderr, /secret-of/);
});

test("what is no request has a line too, with the rule that it breaks and nothing of its text", async (t) => {
  const member = await named(t, "a");
  const tier = await startTier(t, [entry("proxy-1", member.port)], { ACCESS_LOG: "all" });
  const client = await rawClient(t, tier.port);
  client.send("GET /secret-of-a-path HTTP/1.1\r\nHost: a\r\nno colon: \u0001\r\n\r\n");
  await client.until(/^HTTP\/1\.1 400 /);
  const [line] = await linesOf(tier, 1);
  const { status, rule, method, path, ms } = line as Record<string, unknown>;
  assert.deepEqual([status, rule, method, path, ms], [400, "syntax", undefined, undefined, undefined]);
  await ask(tier.port);
  const [, next] = await linesOf(tier, 2);
  assert.equal(next?.status, 200);
  tier.child.kill("SIGTERM");
  assert.doesNotMatch((await tier.ended).stdout, /secret-of/);
});

test("a trace that a client brings is the line's, at both tiers", async (t) => {
  const server = await named(t, "a");
  const { balancer, proxies } = await startTwoTiers(t, [entry("server-1", server.port)], {
    environment: { ACCESS_LOG: "all" },
  });
  const trace = "0af7651916cd43dd8448eb211c80319c";
  await ask(balancer.port, { headers: { traceparent: `00-${trace}-b7ad6b7169203331-01`, "X-Request-Id": "mine" } });
  for (const [tier, member] of [
    [balancer, "proxy-1"],
    [proxies[0] as TierProcess, "server-1"],
  ] as const) {
    const [line] = await linesOf(tier, 1);
    assert.deepEqual([line?.traceId, line?.requestId, line?.member], [trace, "mine", member]);
  }
});

test("errors: a 5xx has a line, and what was answered at its second attempt, with the first; a 200 and a 404 have none", async (t) => {
  const member = await origin(t, ({ url }, response) => {
    response.writeHead(url === "/broken" ? 500 : url === "/missing" ? 404 : 200).end();
  });
  const tier = await startTier(t, [entry("proxy-1", member.port)], { ACCESS_LOG: "errors" });
  for (const path of ["/", "/missing", "/broken"]) await ask(tier.port, { path });
  const [broken] = await linesOf(tier, 1);
  assert.deepEqual([broken?.path, broken?.status, broken?.member, broken?.attempts], ["/broken", 500, "proxy-1", 1]);
  await tier.publish([entry("proxy-2", await freePort()), entry("proxy-1", member.port)]);
  await inTurn(4, () => ask(tier.port, { path: "/again" }));
  const told = await linesOf(tier, 2);
  const again = told[1];
  assert.deepEqual(
    [again?.path, again?.status, again?.member, again?.attempts, again?.failed],
    ["/again", 200, "proxy-1", 2, [{ member: "proxy-2", failure: "refused" }]],
  );
  assert.ok(told.every(({ path }) => path !== "/" && path !== "/missing"));
});

test("sampled: one of so many has a line, and every error", async (t) => {
  const member = await origin(t, ({ url }, response) => void response.writeHead(url === "/broken" ? 503 : 200).end());
  const tier = await startTier(t, [entry("proxy-1", member.port)], { ACCESS_LOG: "sampled", ACCESS_LOG_EVERY: "10" });
  await inTurn(50, () => ask(tier.port));
  await inTurn(3, () => ask(tier.port, { path: "/broken" }));
  const told = await linesOf(tier, 8);
  assert.deepEqual([told.length, told.filter(({ status }) => status === 503).length], [8, 3]);
});

test("a request that nobody was asked for has a line with the tier's own answer", async (t) => {
  const tier = await startTier(t, [], { ACCESS_LOG: "all" });
  await ask(tier.port);
  const client = await rawClient(t, tier.port);
  client.send("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n");
  await client.until(/^HTTP\/1\.1 [45]/);
  const other = await rawClient(t, tier.port);
  other.send("GET http://user:secret@a.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n");
  const [nobody, refused, absolute] = await linesOf(tier, 3);
  assert.equal(absolute?.path, "http://a.example/x");
  assert.deepEqual([nobody?.status, nobody?.member, nobody?.attempts], [503, undefined, 0]);
  assert.deepEqual([refused?.method, refused?.member, refused?.attempts], ["CONNECT", undefined, 0]);
});

test("what cannot be a path of anybody is cut, and stays one line", async (t) => {
  const member = await named(t, "a");
  const tier = await startTier(t, [entry("proxy-1", member.port)], { ACCESS_LOG: "all" });
  await ask(tier.port, { path: `/${"x".repeat(4_000)}` });
  const [line] = await linesOf(tier, 1);
  assert.equal(String(line?.path).length, 256);
});
