// What settings change of a tier, on real sockets: how it chooses, how much it takes and for how long, and whose word on the
// client's address it believes. The table of settings itself is in config.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, within } from "../tools/eventually.ts";
import { ask, inTurn, rawClient } from "../tools/http/ask.ts";
import { series, steady } from "../tools/http/metrics.ts";
import { named, type Origin, origin, rawOrigin } from "../tools/http/origin.ts";
import { startTier, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import type { Scope } from "../tools/scope.ts";

const CLOSED_MS_MAX = 10_000;
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const proxy = { ROLE: "proxy", ID: "proxy-1" };

/** How many of so many requests each server answered. */
async function shares(tier: TierProcess, requests: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  await inTurn(requests, async () => {
    const { body } = await ask(tier.port);
    counts[body] = (counts[body] ?? 0) + 1;
  });
  return counts;
}

test("POLICY=round-robin makes a proxy ask its servers in turn", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  const members = [entry("server-1", a.port), entry("server-2", b.port)];
  const tier = await startTier(t, members, { ...proxy, POLICY: "round-robin" });
  assert.deepEqual(await shares(tier, 10), { a: 5, b: 5 });
});

test("POLICY=least-requests sends nothing more to a server that is busy while another is not", async (t) => {
  const busy = await origin(t, () => {});
  const idle = await named(t, "idle");
  const members = [entry("proxy-1", busy.port), entry("proxy-2", idle.port)];
  const tier = await startTier(t, members, { POLICY: "least-requests" });
  // The first of all may go to either.
  await eventually("the busy one is", () => {
    void ask(tier.port).catch(() => {});
    return busy.asked.length > 0;
  });
  const held = await steady("what it holds", () => busy.asked.length);
  assert.deepEqual(await shares(tier, 20), { idle: 20 });
  assert.equal(busy.asked.length, held);
});

/** A server that answers nobody, once a request is with it, and one that answers at once, behind a proxy. */
async function busyAndIdle(
  t: Scope,
  pool: { readonly pool?: string },
  environment: Readonly<Record<string, string>> = {},
) {
  const busy = await origin(t, () => {});
  const idle = await named(t, "idle");
  const members = [entry("server-1", busy.port, pool), entry("server-2", idle.port, pool)];
  const tier = await startTier(t, members, { ...proxy, ...environment });
  await eventually("the busy one is", () => {
    void ask(tier.port).catch(() => {});
    return busy.asked.length > 0;
  });
  return { tier, busy, held: await steady("what it holds", () => busy.asked.length) };
}

test("an app's servers are chosen by least requests unless POLICY or its label says otherwise", async (t) => {
  const { tier, busy, held } = await busyAndIdle(t, { pool: "app" });
  assert.deepEqual(await shares(tier, 20), { idle: 20 });
  assert.equal(busy.asked.length, held);
});

test("samples are chosen at random, busy or not, and so are an app's servers where POLICY says so", async (t) => {
  for (const [pool, environment] of [
    [{}, {}],
    [{ pool: "app" }, { POLICY: "random" }],
  ] as const) {
    const { tier, busy, held } = await busyAndIdle(t, pool, environment);
    // Were nothing sent there once in a thousand million times, it would be chance.
    for (let count = 0; count < 30; count += 1) void ask(tier.port).catch(() => {});
    await eventually("the busy one has more", () => busy.asked.length > held);
  }
});

for (const POLICY of ["round-robin", "random"]) {
  test(`a member's weight sets its share under ${POLICY}`, async (t) => {
    const [heavy, light] = [await named(t, "heavy"), await named(t, "light")];
    const members = [entry("proxy-1", heavy.port, { weight: 9 }), entry("proxy-2", light.port)];
    const counts = await shares(await startTier(t, members, { POLICY }), 100);
    // Nine in ten; for random, five standard deviations either way.
    const wanted = POLICY === "random" ? [75, 100] : [88, 92];
    const share = counts.heavy ?? 0;
    assert.ok(share >= (wanted[0] as number) && share <= (wanted[1] as number), JSON.stringify(counts));
  });
}

test("past CONNECTIONS_MAX a connection is closed at once, and one that leaves makes room", async (t) => {
  const { port } = await named(t, "here");
  const tier = await startTier(t, [entry("proxy-1", port)], {
    ...{ CONNECTIONS_MAX: "2", CONNECTIONS_PER_CLIENT_MAX: "2" },
  });
  const [first, second] = [await rawClient(t, tier.port), await rawClient(t, tier.port)];
  for (const client of [first, second]) {
    client.send(GET);
    await client.until(/here/);
  }
  await within(CLOSED_MS_MAX, "the end of the third", (await rawClient(t, tier.port)).closed);
  first.socket.destroy();
  const answer = async () => (await ask(tier.port).catch(() => undefined))?.body;
  assert.equal(await eventually("there is room", answer), "here");
});

test("past HEADERS_MAX and HEADER_BYTES_MAX a request is a 431, up to them it is none", async (t) => {
  const { port } = await named(t, "here");
  const tier = await startTier(t, [entry("proxy-1", port)], { HEADERS_MAX: "10", HEADER_BYTES_MAX: "1024" });
  // Beside these come Host and Connection.
  const statuses = await inTurn(3, async (more) => {
    const headers = Object.fromEntries(Array.from({ length: 7 + more }, (_, index) => [`X-${index}`, "1"]));
    return (await ask(tier.port, { headers })).status;
  });
  assert.deepEqual(statuses, [200, 200, 431]);
  assert.equal((await ask(tier.port, { headers: { X: "a".repeat(2_000) } })).status, 431);
});

test("a request that waits for a place longer than QUEUE_TIMEOUT_MS is a 503, and whoever has the place keeps it", async (t) => {
  let answer = () => {};
  const slow = await origin(t, (_request, response) => {
    answer = () => response.end("slow");
  });
  const limits = { MEMBER_REQUESTS_MAX: "1", QUEUE_TIMEOUT_MS: "300" };
  const tier = await startTier(t, [entry("proxy-1", slow.port)], limits);
  const first = ask(tier.port);
  await eventually("the first has the place", () => slow.asked.length === 1);
  const { status, headers } = await ask(tier.port);
  assert.deepEqual([status, headers["x-lb-error"], headers["retry-after"]], [503, "overloaded", "1"]);
  answer();
  assert.equal((await first).body, "slow");
});

/** What the last request said of its client. */
function clientOf({ asked }: Origin): string | undefined {
  const { rawHeaders = [] } = asked.at(-1) ?? {};
  return rawHeaders[rawHeaders.indexOf("X-Forwarded-For") + 1];
}

const TRUSTED = { TRUSTED_PROXIES: "127.0.0.2,127.0.1.0/24" };
const claims = { "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.test" };

for (const [from, trusted] of [
  ["127.0.0.2", true],
  ["127.0.1.77", true],
  ["127.0.0.3", false],
] as const) {
  test(`what ${from} says of a client is ${trusted ? "kept and added to" : "overwritten"}`, async (t) => {
    const server = await named(t, "here");
    const tier = await startTier(t, [entry("proxy-1", server.port)], TRUSTED);
    await ask(tier.port, { from, headers: claims });
    const { rawHeaders = [] } = server.asked[0] ?? {};
    const value = (name: string) => rawHeaders[rawHeaders.indexOf(name) + 1];
    const told = Object.keys(claims).map(value);
    if (trusted) assert.deepEqual(told, [`192.0.2.7, ${from}`, "https", "shop.test"]);
    else assert.deepEqual(told, [from, "http", `127.0.0.1:${tier.port}`]);
  });
}

async function behindBalancer(
  t: Scope,
): Promise<{ server: Origin; connect: (from: string) => ReturnType<typeof rawClient> }> {
  const server = await named(t, "here");
  const tier = await startTier(t, [entry("proxy-1", server.port)], { ...TRUSTED, PROXY_PROTOCOL: "yes" });
  return { server, connect: (from) => rawClient(t, tier.port, from) };
}

const VERSION_2 = Buffer.from("0d0a0d0a000d0a515549540a2111000cc0000207c63364011f900050", "hex").toString("latin1");
const headers = { "version 1": "PROXY TCP4 192.0.2.7 198.51.100.1 8080 80\r\n", "version 2": VERSION_2 };

for (const [version, header] of Object.entries(headers)) {
  test(`a PROXY header of ${version} from a trusted peer says who the client is, for the whole connection`, async (t) => {
    const { server, connect } = await behindBalancer(t);
    const client = await connect("127.0.0.2");
    client.send(header + GET);
    await client.until(/here/);
    assert.equal(clientOf(server), "192.0.2.7");
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nContent-Length: 2\r\n\r\nab`);
    await client.until(/here[\s\S]*here/);
    assert.equal(clientOf(server), "192.0.2.7");
  });

  test(`a PROXY header of ${version} may come in pieces, apart from its request`, async (t) => {
    const { server, connect } = await behindBalancer(t);
    const client = await connect("127.0.0.2");
    client.socket.setNoDelay(true);
    for (const byte of header) {
      client.send(byte);
      await new Promise(setImmediate);
    }
    client.send(GET);
    await client.until(/here/);
    assert.equal(clientOf(server), "192.0.2.7");
  });
}

test("a trusted peer without a PROXY header is hung up on, and one that leaves in its middle does no harm", async (t) => {
  const { server, connect } = await behindBalancer(t);
  const without = await connect("127.0.0.2");
  without.send(GET);
  await within(CLOSED_MS_MAX, "the end", without.closed);
  const leaving = await connect("127.0.0.2");
  leaving.send("PROXY TCP4 192");
  leaving.socket.resetAndDestroy();
  await within(CLOSED_MS_MAX, "the end", leaving.closed);
  const client = await connect("127.0.0.2");
  client.send(headers["version 1"] + GET);
  await client.until(/here/);
  assert.equal(server.asked.length, 1);
});

test("an untrusted peer's PROXY header is no HTTP, and its requests are its own", async (t) => {
  const { server, connect } = await behindBalancer(t);
  const lying = await connect("127.0.0.3");
  lying.send(headers["version 1"] + GET);
  await lying.until(/^HTTP\/1\.1 400 /);
  const client = await connect("127.0.0.3");
  client.send(GET);
  await client.until(/here/);
  assert.deepEqual([clientOf(server), server.asked.length], ["127.0.0.3", 1]);
});

test("a tier that may have too few files open for CONNECTIONS_MAX says so, and what to do", async (t) => {
  const few = await startTier(t, [], { CONNECTIONS_MAX: "1000000" });
  const { limit, needed } = await few.event("descriptors-few");
  assert.ok(Number(limit) < Number(needed) && Number(needed) > 1_000_000);
  const enough = await startTier(t, [], { CONNECTIONS_MAX: "100" });
  assert.ok(!enough.events.some(({ event }) => event === "descriptors-few"));
});

test("CONNECTIONS_PER_CLIENT_MAX bounds a client's connections to the balancer, but not a trusted proxy's", async (t) => {
  const server = await named(t, "server");
  const environment = { CONNECTIONS_PER_CLIENT_MAX: "2", TRUSTED_PROXIES: "127.0.0.3" };
  const tier = await startTier(t, [entry("proxy-1", server.port)], environment);
  const connect = async (from: string) => {
    const client = await rawClient(t, tier.port, from);
    client.send(GET);
    return Promise.race([client.closed.then(() => "closed"), client.until(/200 OK/).then(() => "answered")]);
  };
  const each = async (from: string) => [await connect(from), await connect(from), await connect(from)];
  assert.deepEqual(await each("127.0.0.2"), ["answered", "answered", "closed"]);
  assert.deepEqual(await each("127.0.0.3"), ["answered", "answered", "answered"]);
  assert.equal((await series(tier.adminPort)).get('evenkeel_connections_refused_total{limit="client"}'), 1);
});

test("an upgraded connection is still one of its client's, until it ends", async (t) => {
  const server = await rawOrigin(
    t,
    (socket) => void socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"),
  );
  const tier = await startTier(t, [entry("proxy-1", server.port)], { CONNECTIONS_PER_CLIENT_MAX: "1" });
  const upgrade = async () => {
    const client = await rawClient(t, tier.port, "127.0.0.2");
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    const became = await Promise.race([
      client.closed.then(() => "closed"),
      client.until(/^HTTP\/1\.1 101 /).then(() => "upgraded"),
    ]);
    return { client, became };
  };
  const { client, became } = await upgrade();
  assert.deepEqual([became, (await upgrade()).became], ["upgraded", "closed"]);
  client.socket.destroy();
  await eventually("its place is free", async () => (await upgrade()).became === "upgraded");
});
