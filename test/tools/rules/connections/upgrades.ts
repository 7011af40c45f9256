// Row 32: upgrades that come to nothing, because the origin, a tier or the message itself declines them.

import assert from "node:assert/strict";
import { valuesOf } from "../../wire/http-bytes.ts";
import { OK } from "../../wire/recording-origin.ts";
import { head, passed, type Row, refused, request } from "../row.ts";
import { check } from "../run-row.ts";
import { fact, handshake } from "./tunnels.ts";

/** Answered as a request like any other, and so is what comes behind it. */
function declined(name: string, bytes: string, upstream: string): Row {
  const facts = {
    rule: 32,
    section: "9110 7.8",
    fact: name,
    answers: [
      { status: 200, body: "ok" },
      { status: 200, body: "ok" },
    ],
    after: "open" as const,
  };
  return { ...facts, request: `${bytes}${request("GET /next")}`, upstream: [upstream, request("GET /next")] };
}

/** Again and again, for whether the tier speaks before or after it hears of the reset is chance. */
function resetBehind(name: string, bytes: string): Row {
  return fact(name, async ({ connect, script }) => {
    script((peer) => void peer.whole.then(() => peer.send(OK)));
    for (let round = 0; round < 20; round += 1) {
      const client = await connect();
      client.send(bytes);
      client.socket.resetAndDestroy();
    }
  });
}

export const upgrades: readonly Row[] = [
  fact(
    "an upgrade behind an answered request, whose member breaks, is answered with 502",
    async ({ connect, script }) => {
      script((peer) => (peer.head.line.includes("/chat") ? peer.reset() : peer.send(OK)));
      const client = await connect();
      client.send(request("GET /first"));
      check(await client.response(), { status: 200, body: "ok" });
      client.send(handshake());
      check(await client.response(), { status: 502 });
    },
  ),
  resetBehind("a client that breaks off behind its CONNECT does no harm", request("CONNECT a.test:443")),
  resetBehind("a client that breaks off behind its handshake does no harm", handshake()),
  resetBehind(
    "a client that breaks off behind a handshake that waits does no harm",
    request("GET /slow") + handshake(),
  ),
  resetBehind("a client that breaks off behind what is no HTTP does no harm", "junk\r\n\r\n"),

  fact("a refused upgrade reaches the client with its body", async ({ connect, script }) => {
    script((peer) => peer.send(`${head("HTTP/1.1 403 Forbidden", "X-A: 1", "Content-Length: 6")}no way`));
    const client = await connect();
    client.send(handshake());
    check(await client.response(), { status: 403, has: ["x-a: 1"], body: "no way" });
  }),
  fact("a refused upgrade brings nothing of the hop along", async ({ connect, script }) => {
    const lines = [
      "Connection: keep-alive, X-Secret",
      "X-Secret: 1",
      "Keep-Alive: timeout=5",
      "Proxy-Authenticate: Basic",
    ];
    script((peer) =>
      peer.send(
        `${head("HTTP/1.1 403 Forbidden", ...lines, "Set-Cookie: a=1", "Set-Cookie: b=2", "Content-Length: 2")}no`,
      ),
    );
    const client = await connect();
    client.send(handshake());
    const answer = await client.response();
    check(answer, { status: 403, body: "no", lacks: ["x-secret", "keep-alive", "proxy-authenticate"] });
    assert.deepEqual(valuesOf(answer, "set-cookie"), ["a=1", "b=2"]);
  }),
  fact("a refused upgrade may come in chunks", async ({ connect, script }) => {
    script((peer) =>
      peer.send(`${head("HTTP/1.1 426 Upgrade Required", "Transfer-Encoding: chunked")}2\r\nno\r\n0\r\n\r\n`),
    );
    const client = await connect();
    client.send(handshake());
    check(await client.response(), { status: 426, body: "no" });
  }),
  fact("an upgrade may be answered as if it were none", async ({ connect, script }) => {
    script((peer) => peer.send(OK));
    const client = await connect();
    client.send(handshake());
    check(await client.response(), { status: 200, body: "ok" });
  }),
  fact("an upgrade whose member breaks is answered with 502", async ({ connect, script }) => {
    script((peer) => peer.reset());
    const client = await connect();
    client.send(handshake());
    check(await client.response(), { status: 502 });
    await client.ending();
  }),
  passed(
    [32, "9110 7.8", "Upgrade without Connection: Upgrade is none"],
    request("GET /", "Upgrade: websocket"),
    request("GET /"),
  ),
  passed(
    [32, "9110 7.8", "Connection: Upgrade without Upgrade is none"],
    request("GET /", "Connection: Upgrade"),
    request("GET /"),
  ),
  {
    ...{ rule: 32, section: "9110 7.8", fact: "an upgrade in HTTP/1.0 is ignored" },
    request: head("GET / HTTP/1.0", "Host: a.test", "Connection: Upgrade", "Upgrade: websocket"),
    ...{ answers: [{ status: 200, body: "ok" }], after: "closed", upstream: [request("GET /")] },
  },
  refused([32, "9112 3.2", "an upgrade with two Hosts is refused"], handshake("Host: b.test")),
  refused([32, "9112 3.2", "an upgrade with a fragment is refused"], handshake().replace("/chat", "/chat#x")),
  refused(
    [32, "9112 6.3", "an upgrade with two framings is refused"],
    `${handshake("Content-Length: 0", "Transfer-Encoding: chunked")}0\r\n\r\n`,
  ),
  refused(
    [32, "9110 7.6.3", "an upgrade that has been here twice is in a loop"],
    handshake("Via: 1.1 lb, 1.1 proxy-1, 1.1 lb, 1.1 proxy-1"),
    508,
  ),
  {
    ...{ rule: 32, section: "9112 9.3", fact: "a declined upgrade behind another request waits for its turn" },
    request: `${request("GET /first")}${request("GET /", "Connection: Upgrade", "Upgrade: h2c")}`,
    ...{
      answers: [
        { status: 200, body: "ok" },
        { status: 200, body: "ok" },
      ],
      after: "open",
    },
    upstream: [request("GET /first"), request("GET /")],
  },
  declined(
    "h2c is declined by ignoring it, as curl --http2 expects",
    request("GET /", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"),
    request("GET /"),
  ),
  declined(
    "TLS and other versions of HTTP are declined",
    request("GET /", "Connection: Upgrade", "Upgrade: TLS/1.2, HTTP/2.0"),
    request("GET /"),
  ),
  declined(
    "a request with a body keeps it, and is no upgrade",
    `${request("POST /", "Connection: Upgrade", "Upgrade: tcp", "Content-Length: 5")}hello`,
    `${request("POST /", "Content-Length: 5")}hello`,
  ),
  declined(
    "a chunked request keeps its body, and is no upgrade",
    `${request("POST /", "Connection: Upgrade", "Upgrade: tcp", "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`,
    `${request("POST /", "Transfer-Encoding: chunked")}5\r\nhello\r\n0\r\n\r\n`,
  ),
];
