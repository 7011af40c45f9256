// Routes: which pool a request is for, as a table and through both tiers on real sockets, with what a pool says of its own requests.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { RegistryMember, RegistryPool } from "../../services/registry/document.ts";
import { type Route, RouteTable, withoutPrefix } from "../../services/tier/rules/routes.ts";
import { ask, rawClient } from "../tools/http/ask.ts";
import { type Origin, origin } from "../tools/http/origin.ts";
import { startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const routes: readonly (readonly [Route, string])[] = [
  [{ path: "/" }, "any"],
  [{ path: "/api" }, "api of any"],
  [{ host: "a.org", path: "/api" }, "api of a"],
  [{ host: "a.org", path: "/api/v2" }, "v2 of a"],
  [{ host: "*.b.org", path: "/" }, "below b"],
  [{ host: "*.c.b.org", path: "/" }, "below c"],
  [{ host: "b.org", path: "/" }, "b"],
  [{ host: "[::1]", path: "/" }, "loopback"],
];

const requests: readonly [host: string | undefined, path: string, wanted: string][] = [
  ["a.org", "/api", "api of a"],
  ["A.ORG:8080", "/api?x=/api/v2", "api of a"],
  ["a.org.", "/api/v2/x", "v2 of a"],
  ["a.org", "/api/v20", "api of a"],
  ["a.org", "/apis", "any"],
  ["x.b.org", "/api", "below b"],
  ["y.c.b.org", "/", "below c"],
  ["c.b.org", "/", "below b"],
  ["b.org", "/", "b"],
  ["xb.org", "/api/x", "api of any"],
  ["[::1]:8080", "/", "loopback"],
  [undefined, "*", "any"],
];

test("the most exact host wins, then the longest path, which ends where a segment does", () => {
  const table = new RouteTable(routes);
  for (const [host, path, wanted] of requests) assert.equal(table.find({ host, path }), wanted, `${host} ${path}`);
});

test("where no route leads there is none; one that takes everything asks nothing", () => {
  assert.equal(new RouteTable([[{ host: "a.org", path: "/" }, 1]]).find({ host: "b.org", path: "/" }), undefined);
  assert.equal(new RouteTable([[{ path: "/" }, 1]]).find({ host: undefined, path: "*" }), 1);
});

test("a prefix comes off where it ends a segment, and what is left is a path", () => {
  const cases = [
    ["/api/x?y", "/api", "/x?y"],
    ["/api", "/api", "/"],
    ["/api?y", "/api", "/?y"],
    ["/apis", "/api", "/apis"],
    ["/api/x", "/api/", "/x"],
    ["/x", "/", "/x"],
    ["/api//evil.org", "/api", "//evil.org"],
  ] as const;
  for (const [path, prefix, wanted] of cases) assert.equal(withoutPrefix(path, prefix), wanted);
});

const scope = fileScope();
let web: Origin;
let api: Origin;
let balancer: TierProcess;
let proxies: TierProcess[];
let members: RegistryMember[];
const pools: readonly RegistryPool[] = [
  { name: "web", routes: [{ host: "a.org", path: "/" }] },
  { name: "api", routes: [{ path: "/api" }], sticky: "sid", timeoutMs: 300, bodyBytesMax: 10 },
];

before(async () => {
  web = await origin(scope, ({ url }, response) => void response.end(`web ${url}`));
  api = await origin(scope, ({ url }, response) => {
    if (url !== "/slow") response.end(`api ${url}`);
  });
  ({ balancer, proxies } = await startTwoTiers(scope, [], { proxies: 2 }));
  const tiers = proxies.map(({ port, adminPort }, index) => {
    return entry(`proxy-${index + 1}`, port, { adminPort, link: 1, group: String(index + 1) });
  });
  members = [
    ...tiers,
    entry("web-1", web.port, { pool: "web", group: "1" }),
    // Of two proxies one alone has it: the other is not asked for it.
    entry("api-1", api.port, { pool: "api", group: "2", strip: "/api" }),
  ];
  for (const proxy of proxies) await proxy.publish(members, pools);
  await balancer.publish(members, pools);
});

const said = async (path: string, host: string) => {
  const { status, body } = await ask(balancer.port, { path, headers: { host } });
  return `${status} ${body.trim()}`;
};

test("each pool gets its own requests, by host and by path, without the prefix where that is said", async () => {
  assert.equal(await said("/x", "a.org"), "200 web /x");
  assert.equal(await said("/api/x?y=1", "b.org"), "200 api /x?y=1");
  assert.equal(await said("/api", "a.org"), "200 web /api");
  for (let count = 0; count < 10; count += 1) assert.equal(await said("/api", "b.org"), "200 api /");
});

test("where no route leads the answer is 404, and says so", async () => {
  const { status, headers } = await ask(balancer.port, { headers: { host: "b.org" } });
  assert.deepEqual([status, headers["x-lb-error"]], [404, "no-route"]);
});

test("a pool's time-out, largest body and cookie are its own", async () => {
  assert.equal(await said("/api/slow", "b.org"), "504 504: response-timeout");
  const post = (size: number, host: string, path: string) =>
    ask(balancer.port, { method: "POST", path, headers: { host }, body: "x".repeat(size) });
  assert.deepEqual([(await post(10, "b.org", "/api")).status, (await post(11, "b.org", "/api")).status], [200, 413]);
  assert.equal((await post(100, "a.org", "/")).status, 200);
  const cookies = async (host: string, path: string) =>
    (await ask(balancer.port, { path, headers: { host } })).headers["set-cookie"];
  assert.match(String(await cookies("b.org", "/api")), /^sid-server=api-1; .*sid-proxy=proxy-2; /s);
  assert.equal(await cookies("a.org", "/"), undefined);
});

test("a body without a length is cut off where it is larger than its pool takes", async (t) => {
  const client = await rawClient(t, balancer.port);
  client.send("POST /api HTTP/1.1\r\nHost: b.org\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n");
  client.send(`6\r\n123456\r\n`);
  await client.until(/^HTTP\/1\.1 413 /);
  await client.closed;
});

test("who has lost its pool is not asked any more, and routes that change hold from then on", async () => {
  const moved: readonly RegistryPool[] = [{ name: "web", routes: [{ path: "/" }] }];
  const left = members.filter(({ id }) => id !== "api-1");
  await balancer.publish(left, moved);
  for (const proxy of proxies) await proxy.publish(left, moved);
  assert.equal(await said("/api/x", "b.org"), "200 web /api/x");
  await balancer.publish(left);
  for (const proxy of proxies) await proxy.publish(left);
  assert.equal(await said("/y", "c.org"), "200 web /y");
});
