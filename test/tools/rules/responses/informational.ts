// Row 21: what comes before an answer.

import assert from "node:assert/strict";
import { statusOf } from "../../wire/http-bytes.ts";
import { answering, OK } from "../../wire/recording-origin.ts";
import { gate } from "../../wire/waiting.ts";
import { answered, head, played, type Row, request } from "../row.ts";
import { check } from "../run-row.ts";

const CONTINUE = head("HTTP/1.1 100 Continue");

export const informational: readonly Row[] = [
  answered(
    [21, "9110 15.2", "a 103 goes on before the answer"],
    head("HTTP/1.1 103 Early Hints", "Link: </a>; rel=preload", "link: </b>", "X-A: 1") + OK,
    [{ status: 103, headers: ["Link: </a>; rel=preload", "link: </b>", "X-A: 1"] }, 200],
  ),
  answered(
    [21, "9110 15.2", "every 1xx goes on, in order, whatever it is"],
    head("HTTP/1.1 102 Processing") + head("HTTP/1.1 103 Early Hints", "Link: </a>") + head("HTTP/1.1 199 Odd") + OK,
    [102, 103, 199, { status: 200, body: "ok" }],
  ),
  played([21, "9110 15.2", "a 1xx goes on at once, not with the answer"], async ({ connect, script }) => {
    const seen = gate();
    script(async (peer) => {
      peer.send(head("HTTP/1.1 103 Early Hints"));
      await seen.opened;
      peer.send(OK);
    });
    const client = await connect();
    client.send(request("GET /"));
    assert.equal(statusOf(await client.response()), 103);
    seen.open();
    assert.equal(statusOf(await client.response()), 200);
  }),
  answered(
    [21, "9110 15.2", "an HTTP/1.0 client gets no 1xx"],
    head("HTTP/1.1 102 Processing") + head("HTTP/1.1 103 Early Hints") + OK,
    { status: 200, body: "ok" },
    { request: head("GET / HTTP/1.0", "Host: a.test"), upstream: [request("GET /")], after: "closed" },
  ),
  answered(
    [25, "9110 8.6", "a 1xx has no length and no coding"],
    head("HTTP/1.1 103 Early Hints", "Content-Length: 3", "Link: </a>") + OK,
    [{ status: 103, headers: ["Link: </a>"], lacks: ["content-length", "transfer-encoding"] }, 200],
  ),
  ...["POST", "PUT", "GET"].map((method) => unasked(method, "x")),
  unasked("GET", ""),
];

/** Six requests to an origin that nobody has met yet, which sends a 100 ahead of each answer. */
function unasked(method: string, body: string): Row {
  const fact = `a 100 that nobody waits for does a ${method} with ${body === "" ? "no" : "a"} body no harm`;
  return played([21, "9110 15.2.1", fact], async ({ at, connect, script }) => {
    await at.restore();
    const recording = script(answering(CONTINUE + OK));
    const client = await connect();
    for (let round = 1; round <= 6; round += 1) {
      client.send(`${request(`${method} /`, ...(body === "" ? [] : [`Content-Length: ${body.length}`]))}${body}`);
      check(await client.final(), { status: 200, body: "ok" });
    }
    assert.equal(recording.whole.length, 6);
    await at.restore();
  });
}
