// Rows 24-26: what comes back is told right, whatever version and framing it has.

import assert from "node:assert/strict";
import { then } from "../../wire/endings.ts";
import { OK } from "../../wire/recording-origin.ts";
import { answered, type Expected, head, played, type Row, request } from "../row.ts";
import { check, fence } from "../run-row.ts";

const chunkedHead = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");
const chunkedOk = `${chunkedHead}2\r\nok\r\n0\r\n\r\n`;
const get10 = head("GET / HTTP/1.0", "Host: a.test");
const ok: Expected = { status: 200, body: "ok" };

const bodiless: readonly Row[] = [
  answered(
    [24, "9112 6.3", "a 304 with a length has no body, and is there at once"],
    head("HTTP/1.1 304 Not Modified", "ETag: x", "Content-Length: 10"),
    { status: 304, headers: ["ETag: x"], body: "" },
  ),
  answered(
    [24, "9112 6.3", "a 304 with a coding has no body"],
    head("HTTP/1.1 304 Not Modified", "Transfer-Encoding: chunked"),
    { status: 304, lacks: ["transfer-encoding"] },
  ),
  answered(
    [24, "9112 6.3", "a body behind a 304 is not the next answer"],
    `${head("HTTP/1.1 304 Not Modified", "Content-Length: 5")}hello`,
    304,
  ),
  answered(
    [24, "9112 6.3", "a response behind a 304 is not the next answer"],
    head("HTTP/1.1 304 Not Modified", `Content-Length: ${OK.length}`) + OK,
    304,
  ),
  ...["Content-Length: 10", "Transfer-Encoding: chunked", "X-A: 1"].map((header) =>
    answered(
      [24, "9112 6.3", `the answer to a HEAD has no body, though it has ${header}`],
      head("HTTP/1.1 200 OK", header),
      { status: 200, framing: "none", body: "" },
      { request: request("HEAD /"), method: "HEAD" },
    ),
  ),
  answered(
    [24, "9110 8.6", "the length of what a HEAD asks about goes on"],
    head("HTTP/1.1 200 OK", "Content-Length: 1234"),
    { status: 200, has: ["Content-Length: 1234"] },
    { request: request("HEAD /"), method: "HEAD" },
  ),
  answered([24, "9112 6.3", "a body behind the answer to a HEAD is not the next answer"], OK, 200, {
    request: request("HEAD /"),
    method: "HEAD",
  }),
  answered([25, "9110 8.6", "a 204 has no length"], head("HTTP/1.1 204 No Content", "Content-Length: 0", "X-A: 1"), {
    status: 204,
    lacks: ["content-length"],
    headers: ["X-A: 1"],
  }),
  answered([25, "9112 6.1", "a 204 has no coding"], head("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked"), {
    status: 204,
    lacks: ["transfer-encoding"],
  }),
  answered(
    [25, "9112 6.3", "a 204 has no body, though one comes"],
    `${head("HTTP/1.1 204 No Content", "Content-Length: 5")}hello`,
    { status: 204, lacks: ["content-length"] },
  ),
  answered([25, "9112 6.3", "an answer of length 0 is one"], head("HTTP/1.1 200 OK", "Content-Length: 0"), {
    status: 200,
    framing: "length",
    body: "",
  }),
];

const closed10 = { request: get10, upstream: [request("GET /")], after: "closed" as const };
const versions: readonly Row[] = [
  answered(
    [26, "9112 6.1", "an HTTP/1.0 client gets no chunks"],
    chunkedOk,
    { ...ok, lacks: ["transfer-encoding"], framing: "close" },
    closed10,
  ),
  answered(
    [26, "9112 2.3", "an HTTP/1.0 client gets an answer with a length as it is"],
    OK,
    { ...ok, framing: "length" },
    closed10,
  ),
  played(
    [26, "9112 9.3", "an HTTP/1.0 client that asks to go on may, when the answer's end is clear"],
    async ({ connect, script }) => {
      script(async (peer) => {
        await peer.whole;
        peer.send(OK);
      });
      const client = await connect();
      client.send(head("GET / HTTP/1.0", "Host: a.test", "Connection: keep-alive"));
      const first = await client.response();
      check(first, { ...ok, framing: "length" });
      const goesOn = first.headers.some(([name, value]) => /^connection$/i.test(name) && /keep-alive/i.test(value));
      if (goesOn) await fence(client);
      else assert.equal((await client.ending()).rest, "");
    },
  ),
  answered(
    [26, "9112 9.3", "an HTTP/1.0 client that asks to go on is closed when the answer has no length"],
    chunkedOk,
    { ...ok, framing: "close", lacks: ["transfer-encoding", "keep-alive"] },
    { ...closed10, request: head("GET / HTTP/1.0", "Host: a.test", "Connection: keep-alive") },
  ),
  answered(
    [26, "9112 6.3", "an HTTP/1.0 server's body goes on until its connection ends"],
    then("end", `${head("HTTP/1.0 200 OK", "X-A: 1")}ok`),
    { ...ok, headers: ["X-A: 1"], framing: "chunked" },
  ),
  answered(
    [26, "9112 6.3", "an HTTP/1.0 server's body reaches an HTTP/1.0 client"],
    then("end", `${head("HTTP/1.0 200 OK")}ok`),
    { ...ok, framing: "close" },
    closed10,
  ),
  answered([26, "9112 6.3", "an HTTP/1.0 server's body may have a length"], then("end", OK.replace("1.1", "1.0")), {
    ...ok,
    framing: "length",
  }),
  answered(
    [26, "9112 9.3", "an HTTP/1.0 server may go on"],
    `${head("HTTP/1.0 200 OK", "Connection: keep-alive", "Content-Length: 2")}ok`,
    ok,
  ),
  answered(
    [26, "9112 6.3", "an HTTP/1.1 server may end a body with its connection"],
    then("end", `${head("HTTP/1.1 200 OK", "Connection: close")}ok`),
    { ...ok, framing: "chunked" },
  ),
  answered(
    [26, "9112 2.3", "an HTTP/1.0 server's answer goes on as HTTP/1.1"],
    then("end", `${head("HTTP/1.0 200 OK", "Content-Length: 2")}ok`),
    ok,
  ),
];

export const responses: readonly Row[] = [...bodiless, ...versions];
