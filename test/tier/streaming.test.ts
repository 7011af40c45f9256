// Bodies on their way through both tiers, as real processes: one that leaves ends the other's work, one that dies is seen to
// have died, events pass one by one, and whoever is slow holds the other back instead of filling the tiers' memory.

import assert from "node:assert/strict";
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, request as send } from "node:http";
import { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { after, test } from "node:test";
import { eventually, within } from "../tools/eventually.ts";
import { ask, begin, rawClient } from "../tools/http/ask.ts";
import { gauge, idle, rssBytes, steady } from "../tools/http/metrics.ts";
import { origin } from "../tools/http/origin.ts";
import { HOST } from "../tools/ports.ts";
import { startTwoTiers } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";

const MEBI = 1024 * 1024;
/** From the moment that a client leaves to the end of the server's work for it. */
const ABORT_MS_MAX = 3_000;
const ARRIVAL_MS_MAX = 10_000;
/** The setting's default: what a member works on at a time. */
const MEMBER_REQUESTS_MAX = 256;
const DOWNLOAD_BYTES = 2 * 1024 * MEBI;
const UPLOAD_BYTES = 64 * MEBI;
const ECHO_BYTES = 256 * MEBI;
const ECHO_LOOK_BYTES = 16 * MEBI;
/** Three connections' worth of kernel buffers, a few MiB each, and the streams between them. */
const HELD_BYTES_MAX = 40 * MEBI;
const RSS_GROWTH_MAX = 48 * MEBI;

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

/** What the server behind both tiers does with its next request; each test sets its own. */
let serve: Serve = (_request, response) => void response.end();
const server = await origin({ after }, (request, response) => serve(request, response));
const { balancer, proxies } = await startTwoTiers({ after }, [entry("server-1", server.port)], {
  environment: { STOP_WITH_STDIN: "yes" },
});
const tiers = [balancer, ...proxies];

/** The next request at the server, as soon as its head is there. */
function arrival(answer: Serve): Promise<{ request: IncomingMessage; response: ServerResponse }> {
  const arrived = new Promise<{ request: IncomingMessage; response: ServerResponse }>((resolve) => {
    serve = (request, response) => {
      request.on("error", () => {});
      response.on("error", () => {});
      answer(request, response);
      resolve({ request, response });
    };
  });
  return within(ARRIVAL_MS_MAX, "the request arrives at the server", arrived);
}

async function allIdle(): Promise<void> {
  await Promise.all(tiers.map(({ adminPort }) => idle(adminPort)));
}

const zeros = Buffer.alloc(64 * 1024);

/** Made only as it is read; `made` says how much that is so far. */
function lazily(bytes: number): { readonly body: Readable; readonly made: () => number } {
  let made = 0;
  function* chunks(): Generator<Buffer> {
    for (; made < bytes; made += zeros.length) yield zeros;
  }
  return { body: Readable.from(chunks(), { highWaterMark: 1 }), made: () => made };
}

test("a client that leaves while the server works ends that work at once", async () => {
  const arrived = arrival(() => {});
  const request = send({ host: HOST, port: balancer.port, agent: false }).on("error", () => {});
  request.end();
  const { response } = await arrived;
  request.destroy();
  await within(ABORT_MS_MAX, "the server hears of it", once(response, "close"));
  assert.equal(response.writableFinished, false);
  await allIdle();
});

test("a client that leaves in the middle of an answer ends the server's work at once", async () => {
  const arrived = arrival((_request, response) => void response.write("the first of many"));
  const answer = await begin(balancer.port);
  await once(answer, "data");
  const { response } = await arrived;
  answer.on("error", () => {}).destroy();
  await within(ABORT_MS_MAX, "the server hears of it", once(response, "close"));
  await allIdle();
});

test("a client that leaves in the middle of its upload ends the server's work at once", async () => {
  const arrived = arrival((request) => void request.resume());
  const headers = { "Content-Length": String(MEBI) };
  const upload = send({ host: HOST, port: balancer.port, method: "POST", headers, agent: false }).on("error", () => {});
  upload.write(zeros);
  const { request } = await arrived;
  upload.destroy();
  await within(
    ABORT_MS_MAX,
    "the server hears of it",
    finished(request).catch(() => {}),
  );
  assert.equal(request.complete, false);
  await allIdle();
});

const halves = {
  "Content-Length": "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it",
  "chunked coding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf of it\r\n",
};
for (const [framing, half] of Object.entries(halves)) {
  test(`an answer with ${framing} whose server dies in the middle is broken off, never ended`, async (t) => {
    const arrived = arrival((request) => void request.socket.write(half));
    const client = await rawClient(t, balancer.port);
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    await client.until(/half of it/);
    (await arrived).request.socket.resetAndDestroy();
    await within(ABORT_MS_MAX, "the connection ends", client.closed);
    assert.match(client.received(), /^HTTP\/1.1 200 .*\r\n\r\n(?:a\r\n)?half of it(?:\r\n)?$/s);
  });

  test(`a client that counts on ${framing} has an error for an answer that broke off`, async () => {
    const arrived = arrival((request) => void request.socket.write(half));
    const answer = await begin(balancer.port);
    await once(answer, "data");
    (await arrived).request.socket.resetAndDestroy();
    await assert.rejects(within(ABORT_MS_MAX, "the error", finished(answer.resume())), { code: "ECONNRESET" });
  });
}

test("the head of an answer arrives before any of its body is there", async () => {
  const arrived = arrival((_request, response) => void response.writeHead(200, { "X-Head": "here" }).flushHeaders());
  const answer = await within(ABORT_MS_MAX, "the head arrives", begin(balancer.port));
  assert.equal(answer.headers["x-head"], "here");
  (await arrived).response.end("and the body");
  assert.equal(String((await once(answer, "data"))[0]), "and the body");
});

test("server-sent events arrive one by one, each before the next is sent", async () => {
  const arrived = arrival((_request, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
  });
  const answer = await begin(balancer.port);
  const { response } = await arrived;
  for (let number = 1; number <= 50; number += 1) {
    const event = once(answer, "data");
    response.write(`data: ${number}\n\n`);
    const [chunk] = await within(ABORT_MS_MAX, `event ${number}`, event);
    assert.equal(String(chunk), `data: ${number}\n\n`);
  }
  response.end();
  answer.resume();
  await once(answer, "end");
});

test("listeners at a stream without end keep no place from other requests", async (t) => {
  serve = ({ url }, response) => (url === "/events" ? response.flushHeaders() : response.end("a place"));
  const listeners = await Promise.all(
    Array.from({ length: MEMBER_REQUESTS_MAX + 50 }, () => begin(balancer.port, { path: "/events" })),
  );
  t.after(async () => {
    for (const listener of listeners) listener.on("error", () => {}).destroy();
    await allIdle();
  });
  const { status, body } = await within(ABORT_MS_MAX, "an answer", ask(balancer.port));
  assert.deepEqual([status, body], [200, "a place"]);
});

test("uploads that have only begun keep no place from other requests", async (t) => {
  serve = (request, response) => void request.resume().once("end", () => response.end("a place"));
  const uploads = await Promise.all(
    Array.from({ length: MEMBER_REQUESTS_MAX + 50 }, () => rawClient(t, balancer.port)),
  );
  for (const upload of uploads)
    upload.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nthe first of a hundred");
  const begun = async () => (await gauge(balancer.adminPort, "evenkeel_requests_in_flight")) === uploads.length;
  await eventually("all uploads have begun", begun);
  const { status, body } = await within(ABORT_MS_MAX, "an answer", ask(balancer.port));
  assert.deepEqual([status, body], [200, "a place"]);
  for (const upload of uploads) upload.send("x".repeat(78));
  await Promise.all(uploads.map(({ until }) => until(/a place/)));
});

test("a reader that stalls on 2 GiB stops the server, fills nobody's memory, and frees all when it leaves", async (t) => {
  const { body, made } = lazily(DOWNLOAD_BYTES);
  const before = await Promise.all(tiers.map(({ adminPort }) => rssBytes(adminPort)));
  const arrived = arrival((_request, response) => void pipeline(body, response).catch(() => {}));
  const answer = await begin(balancer.port);
  await once(answer, "readable");
  const { response } = await arrived;
  const held = await steady("what the server has written", made);
  assert.ok(held < HELD_BYTES_MAX, `${held} bytes were written to a reader that read none`);
  const grown = await growth(before);
  t.diagnostic(`held ${mebi(held)} MiB, the tiers' memory grew by ${grown.map(mebi).join(" and ")} MiB`);
  assert.ok(Math.max(...grown) < RSS_GROWTH_MAX);
  answer.on("error", () => {}).destroy();
  await within(ABORT_MS_MAX, "the server hears that the reader has left", once(response, "close"));
  assert.ok(made() < HELD_BYTES_MAX);
  await allIdle();
});

test("an upload of 64 MiB waits for a slow server and arrives whole", async (t) => {
  const { body, made } = lazily(UPLOAD_BYTES);
  const before = await Promise.all(tiers.map(({ adminPort }) => rssBytes(adminPort)));
  const arrived = arrival(() => {});
  const headers = { "Content-Length": String(UPLOAD_BYTES) };
  const upload = send({ host: HOST, port: balancer.port, method: "PUT", headers, agent: false });
  const answered = once(upload, "response");
  const sent = pipeline(body, upload);
  const { request, response } = await arrived;
  const held = await steady("what the client has sent", made);
  assert.ok(held < HELD_BYTES_MAX, `${held} bytes were sent to a server that read none`);
  const grown = await growth(before);
  t.diagnostic(`held ${mebi(held)} MiB, the tiers' memory grew by ${grown.map(mebi).join(" and ")} MiB`);
  assert.ok(Math.max(...grown) < RSS_GROWTH_MAX);
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) bytes += chunk.length;
  response.end();
  await sent;
  const [answer] = (await answered) as [IncomingMessage];
  answer.resume();
  assert.deepEqual([answer.statusCode, bytes], [200, UPLOAD_BYTES]);
  await allIdle();
});

test("256 MiB go through both tiers and back as they were, at memory that stays flat", async (t) => {
  serve = (request, response) => void pipeline(request, response).catch(() => {});
  const before = await Promise.all(tiers.map(({ adminPort }) => rssBytes(adminPort)));
  const [gone, come] = [createHash("sha1"), createHash("sha1")];
  const upload = send({ host: HOST, port: balancer.port, method: "PUT", agent: false });
  const answered = once(upload, "response");
  const sent = pipeline(numbered(ECHO_BYTES, gone), upload);
  const [answer] = (await answered) as [IncomingMessage];
  let [bytes, grown] = [0, 0];
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    come.update(chunk);
    const looked = Math.floor(bytes / ECHO_LOOK_BYTES);
    bytes += chunk.length;
    if (Math.floor(bytes / ECHO_LOOK_BYTES) > looked) grown = Math.max(grown, ...(await growth(before)));
  }
  await sent;
  t.diagnostic(`the tiers' memory grew by ${mebi(grown)} MiB at most`);
  assert.deepEqual([bytes, come.digest("hex")], [ECHO_BYTES, gone.digest("hex")]);
  assert.ok(grown < RSS_GROWTH_MAX, `${mebi(grown)} MiB`);
  await allIdle();
});

/** Bytes of which no two pieces are the same. */
function numbered(bytes: number, hash: Hash): Readable {
  function* chunks(): Generator<Buffer> {
    for (let at = 0; at < bytes; at += zeros.length) {
      const chunk = Buffer.alloc(zeros.length, `${at} `);
      hash.update(chunk);
      yield chunk;
    }
  }
  return Readable.from(chunks(), { highWaterMark: 1 });
}

async function growth(before: readonly number[]): Promise<number[]> {
  const now = await Promise.all(tiers.map(({ adminPort }) => rssBytes(adminPort)));
  return now.map((bytes, index) => bytes - (before[index] as number));
}

const mebi = (bytes: number) => Math.round(bytes / MEBI);

test("after all that both tiers answer as before", async () => {
  serve = (_request, response) => void response.end("as before");
  const { status, body } = await ask(balancer.port);
  assert.deepEqual([status, body], [200, "as before"]);
});
