// The registry over HTTP, from the watchdog's port to a tier that follows it: what is answered when, what a follower makes of every
// other answer, and that versions only grow for it, whichever watchdog answers.

import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { REGISTRY_BYTES_MAX, type Registry, type RegistryMember } from "../../services/registry/document.ts";
import { followRegistry } from "../../services/registry/follower.ts";
import { RegistryFeed } from "../../watchdog/act/registry-feed.ts";
import { RegistryWriter } from "../../watchdog/act/registry-writer.ts";
import { eventually, throughout } from "../tools/eventually.ts";
import { recordedLog } from "../tools/log.ts";
import { listening } from "../tools/ports.ts";
import { entry, registry, temporaryDirectory } from "../tools/registry.ts";
import { startApi } from "../tools/watchdog/api.ts";
import { serving } from "../tools/watchdog/slot-states.ts";

const one = [entry("server-1", 9001)];
const many = Array.from({ length: 200 }, (_, index) => entry(`server-${index + 1}`, 9001 + index));

/** A watchdog's port with a registry that the test sets. */
async function stage(t: TestContext, first: Registry = registry(0, [])) {
  let current = first;
  const heard: number[] = [];
  const feed = new RegistryFeed({ registry: () => current, onHeard: (version) => void heard.push(version) });
  const port = await startApi(t, { registry: feed.answer });
  t.after(() => feed.close());
  const url = `http://127.0.0.1:${port}/registry`;
  const publish = (version: number, members: readonly RegistryMember[] = one) => {
    current = registry(version, members);
    feed.published();
  };
  const ask = (query = "") => fetch(`${url}${query}`);
  return { url, feed, heard, publish, ask };
}

/** A tier's follower until the test is over, with nothing but a URL. */
async function follow(t: TestContext, url: string) {
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const { log, events } = recordedLog();
  const seen: Registry[] = [];
  const settings = {
    REGISTRY: undefined,
    REGISTRY_FILE: join(await temporaryDirectory(t), "never-written.json"),
    REGISTRY_URL: url,
  };
  const onChange = (document: Registry) => void seen.push(document);
  const begun = followRegistry({ settings, log, stop: stopping.signal, onChange });
  const reasons = () => events.filter(({ event }) => event === "registry-url-failing").map(({ reason }) => reason);
  return { begun, seen, last: () => seen.at(-1)?.version, reasons };
}

test("whoever has none, or an older one, is answered at once", async (t) => {
  const { publish, ask } = await stage(t);
  publish(7);
  for (const query of ["", "?after=6", "?after=0"]) {
    const response = await ask(query);
    assert.deepEqual([response.status, await response.json()], [200, registry(7, one)]);
    assert.equal(response.headers.get("cache-control"), "no-store");
  }
});

test("whoever has the newest waits for the next", async (t) => {
  const { publish, ask, feed } = await stage(t);
  publish(7);
  const next = ask("?after=7");
  await eventually("it waits", () => feed.waiting === 1);
  publish(8);
  assert.equal(((await (await next).json()) as Registry).version, 8);
  assert.equal(feed.waiting, 0);
});

test("whoever leaves waits no longer, and an end answers those who wait with nothing", async (t) => {
  const { ask, feed, url } = await stage(t);
  const leaving = new AbortController();
  const left = fetch(url, { signal: leaving.signal }).catch(() => "left");
  const stays = ask();
  await eventually("both wait", () => feed.waiting === 2);
  leaving.abort();
  assert.equal(await left, "left");
  await eventually("one waits", () => feed.waiting === 1);
  feed.close();
  assert.equal((await stays).status, 204);
});

test("whoever waits longer than an admin port gives a reader that stands still, is answered", {
  timeout: 40_000,
}, async (t) => {
  const { publish, ask, feed } = await stage(t);
  const next = ask();
  await eventually("it waits", () => feed.waiting === 1);
  await throughout(11_000, () => assert.equal(feed.waiting, 1));
  publish(1);
  assert.equal((await next).status, 200);
});

test("no more wait than may: the next is told to come back", async (t) => {
  const { url, feed } = await stage(t);
  const leaving = new AbortController();
  const { signal } = leaving;
  const all = Array.from({ length: 512 }, () => fetch(url, { signal }).catch(() => undefined));
  await eventually("all wait", () => feed.waiting === 512, 20_000);
  const response = await fetch(url);
  assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "1"]);
  assert.match(await response.text(), /^512 wait for the registry already\n$/);
  leaving.abort();
  await Promise.all(all);
});

test("what is no version is refused in one line", async (t) => {
  const { ask } = await stage(t);
  for (const query of [
    "?after=",
    "?after=-1",
    "?after=1.5",
    "?after=x",
    "?after=1&after=2",
    "?after=99999999999999999",
  ]) {
    const response = await ask(query);
    assert.deepEqual(
      [response.status, await response.text()],
      [400, "after is the version you have: a whole number\n"],
    );
  }
});

test("a large document is packed for whoever takes that", async (t) => {
  const { publish, ask, url } = await stage(t);
  publish(3, many);
  const packed = await ask();
  assert.equal(packed.headers.get("content-encoding"), "gzip");
  assert.deepEqual(await packed.json(), registry(3, many));
  const plain = await fetch(url, { headers: { "accept-encoding": "identity" } });
  assert.equal(plain.headers.get("content-encoding"), null);
  assert.deepEqual(await plain.json(), registry(3, many));
});

test("a tier has the first document before it serves, and each one after it", async (t) => {
  const { url, publish } = await stage(t);
  publish(1, many);
  const { begun, seen, last, reasons } = await follow(t, url);
  await begun;
  assert.deepEqual(seen, [registry(1, many)]);
  for (const version of [2, 3, 4]) {
    publish(version);
    await eventually(`version ${version}`, () => last() === version);
  }
  assert.deepEqual(reasons(), []);
});

test("a watchdog that goes and comes back is followed on, and its tiers keep what they have", async (t) => {
  const answering = (version: number) =>
    createServer((_, response) => void response.end(JSON.stringify(registry(version, one))));
  const first = answering(5);
  const port = await listening(t, first);
  const { begun, seen, last, reasons } = await follow(t, `http://127.0.0.1:${port}/registry`);
  await begun;
  first.close();
  first.closeAllConnections();
  await eventually("it is missed", () => reasons().length > 0);
  assert.equal(last(), 5);
  await listening(t, answering(6), port);
  await eventually("the next watchdog's", () => last() === 6);
  assert.deepEqual(seen, [registry(5, one), registry(6, one)]);
});

test("a tier that nobody answers begins without a registry after a while", { timeout: 20_000 }, async (t) => {
  const silent = createServer(() => {});
  const { begun, seen } = await follow(t, `http://127.0.0.1:${await listening(t, silent)}/registry`);
  await begun;
  assert.deepEqual(seen, []);
});

const gibberish: Readonly<Record<string, { answer: RequestListener; reason: RegExp }>> = {
  "an error with a line": {
    answer: (_, response) => response.writeHead(403).end("not this name\nand more"),
    reason: /^it answered 403: not this name$/,
  },
  "a redirect": {
    answer: (_, response) => response.writeHead(302, { location: "/elsewhere" }).end(),
    reason: /^it answered 302$/,
  },
  "no JSON": { answer: (_, response) => response.end("<html>"), reason: /^it is not JSON/ },
  "another document": { answer: (_, response) => response.end("{}"), reason: /^schema: / },
  "a body that is not packed as it says": {
    answer: (_, response) => response.setHeader("content-encoding", "gzip").end("plain"),
    reason: /^it cannot be unpacked \(Z_DATA_ERROR\)$/,
  },
  "a body without an end": {
    answer: (_, response) => {
      response.on("error", () => {});
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, " ")));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    },
    reason: /^it is larger than 4194304 bytes$/,
  },
  "a small body that unpacks without an end": {
    answer: (_, response) => {
      response.setHeader("content-encoding", "gzip").end(gzipSync(Buffer.alloc(REGISTRY_BYTES_MAX + 1, " ")));
    },
    reason: /^it is larger than 4194304 bytes$/,
  },
  "a connection that is cut": {
    answer: ({ socket }) => void socket.destroy(),
    reason: /^ECONNRESET$/,
  },
};

for (const [what, { answer, reason }] of Object.entries(gibberish)) {
  test(`${what} is said once, asked past, and takes nothing away`, async (t) => {
    let questions = 0;
    const server = createServer((request, response) => {
      questions += 1;
      if (questions === 1) response.end(JSON.stringify(registry(4, one)));
      else if (questions < 5) answer(request, response);
      else response.end(JSON.stringify(registry(6, one)));
    });
    const { begun, seen, last, reasons } = await follow(t, `http://127.0.0.1:${await listening(t, server)}/registry`);
    await begun;
    assert.equal(last(), 4);
    await eventually("the next good one", () => last() === 6, 10_000);
    assert.deepEqual(seen, [registry(4, one), registry(6, one)]);
    assert.equal(reasons().length, 1);
    assert.match(String(reasons()[0]), reason);
  });
}

test("a document with the version that is known is not asked for again and again", async (t) => {
  let questions = 0;
  const server = createServer((_, response) => {
    questions += 1;
    response.end(JSON.stringify(registry(4, one)));
  });
  const { begun } = await follow(t, `http://127.0.0.1:${await listening(t, server)}/registry`);
  await begun;
  await throughout(1_000, () => assert.ok(questions <= 7, String(questions)));
});

const round = { slotStates: [serving("server-1")], steps: [], generations: new Map([["server-1", 1]]) };

test("a watchdog that begins anew, without a file, overtakes what its tiers have", async (t) => {
  const file = join(await temporaryDirectory(t), "registry.json");
  const writer: RegistryWriter = new RegistryWriter(file, recordedLog().log, () => feed.published());
  const feed: RegistryFeed = new RegistryFeed({
    registry: () => writer.registry,
    onHeard: (version) => {
      if (writer.heard(version)) void writer.publish(round);
    },
  });
  const port = await startApi(t, { registry: feed.answer });
  t.after(() => feed.close());
  await writer.open(false);
  await writer.publish(round);
  assert.equal(writer.registry.version, 1);
  const former = 1_900_000_000;
  const next = await fetch(`http://127.0.0.1:${port}/registry?after=${former}`);
  assert.equal(((await next.json()) as Registry).version, former + 1);
});

test("a version that somebody made up leads nobody round the circle", async (t) => {
  const writer = new RegistryWriter(join(await temporaryDirectory(t), "registry.json"), recordedLog().log);
  await writer.open(false);
  assert.deepEqual(
    [2 ** 50, 0, 1_900_000_000, 5].map((version) => writer.heard(version)),
    [false, false, true, true],
  );
});
