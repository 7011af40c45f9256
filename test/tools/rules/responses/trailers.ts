// Row 29: what comes behind a body.

import assert from "node:assert/strict";
import { then } from "../../wire/endings.ts";
import { OK } from "../../wire/recording-origin.ts";
import { answered, type Expected, head, played, type Row, request } from "../row.ts";
import { check, fence } from "../run-row.ts";
import { truncated } from "./broken-responses.ts";

const chunkedHead = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");
const ok: Expected = { status: 200, body: "ok" };

const withTrailers = `${head("HTTP/1.1 200 OK", "Trailer: X-T", "Transfer-Encoding: chunked")}2\r\nok\r\n0\r\nX-T: 1\r\nx-u: 2\r\n\r\n`;
const forbidden = ["Host: b.test", "Set-Cookie: a=1", "Authorization: x", "Content-Type: x/y", "Te: x"];

export const trailers: readonly Row[] = [
  answered(
    [29, "9110 6.5.1", "a client that asks for trailers gets them, as trailers"],
    withTrailers,
    { ...ok, trailers: ["X-T: 1", "x-u: 2"], lacks: ["x-t", "x-u"] },
    { request: request("GET /", "TE: trailers", "Connection: TE"), upstream: [request("GET /", "TE: trailers")] },
  ),
  answered(
    [29, "9110 6.5.1", "a client that asks for trailers among other things gets them"],
    withTrailers,
    { ...ok, trailers: ["X-T: 1", "x-u: 2"] },
    {
      request: request("GET /", "TE: deflate;q=0.5, Trailers", "Connection: TE"),
      upstream: [request("GET /", "TE: trailers")],
    },
  ),
  answered([29, "9110 6.5.1", "a client that does not ask gets no trailers, not even as headers"], withTrailers, {
    ...ok,
    trailers: [],
    lacks: ["x-t", "x-u", "trailer"],
  }),
  answered(
    [29, "9110 6.5.1", "an HTTP/1.0 client gets no trailers"],
    withTrailers,
    { ...ok, lacks: ["x-t", "x-u"] },
    {
      after: "closed",
      request: head("GET / HTTP/1.0", "Host: a.test", "TE: trailers"),
      upstream: [request("GET /", "TE: trailers")],
    },
  ),
  answered(
    [29, "9110 6.5.1", "a trailer never says how to read the message"],
    `${chunkedHead}2\r\nok\r\n0\r\n${forbidden.join("\r\n")}\r\nX-T: 1\r\n\r\n`,
    { ...ok, trailers: ["X-T: 1"] },
    { request: request("GET /", "TE: trailers", "Connection: TE"), upstream: [request("GET /", "TE: trailers")] },
  ),
  {
    ...truncated(
      "a trailer that names another length breaks the answer off",
      then("end", `${chunkedHead}2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n`),
    ),
    rule: 29,
    section: "9110 6.5.1",
  },
  played([29, "9112 7.1.2", "a request's trailers are never taken for headers"], async ({ connect, script }) => {
    const recording = script(async (peer) => {
      await peer.whole;
      peer.send(OK);
    });
    const client = await connect();
    client.send(
      `${request("POST /", "Transfer-Encoding: chunked")}2\r\nab\r\n0\r\nX-T: 1\r\nHost: evil.test\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n`,
    );
    check(await client.response(), ok);
    await fence(client);
    assert.deepEqual(
      recording.whole.map(({ body }) => body),
      ["ab"],
    );
    const heads = JSON.stringify(recording.whole.map(({ headers }) => headers));
    assert.ok(!heads.includes("X-T") && !heads.includes("evil") && !heads.includes("6.6.6.6"));
  }),
];
