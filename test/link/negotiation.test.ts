// The upgrade to the link as text: the request, and every kind of answer, however it is cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ANSWER_BYTES_MAX, asksForLink, linkRequest, readAnswer, SWITCHING } from "../../services/link/negotiation.ts";

test("the request is one of HTTP/1.1 for the server itself, and says the link", () => {
  assert.equal(
    linkRequest("proxy-1:8081"),
    "OPTIONS * HTTP/1.1\r\nHost: proxy-1:8081\r\nConnection: Upgrade\r\nUpgrade: evenkeel-link/1\r\n\r\n",
  );
});

test("a request asks for the link by its Upgrade header, in any case, and by nothing else in it", () => {
  for (const yes of ["evenkeel-link/1", "Evenkeel-Link/1", " evenkeel-link/1 "]) assert.ok(asksForLink(yes), yes);
  for (const no of [undefined, "", "websocket", "evenkeel-link/2", "evenkeel-link/1, h2c", "xevenkeel-link/1"]) {
    assert.ok(!asksForLink(no), no);
  }
});

const SPOKEN = { kind: "spoken", end: SWITCHING.length };
const NO_HTTP = { kind: "no-http" };

const answers: readonly (readonly [fact: string, text: string, answer: object])[] = [
  ["what the other side writes", SWITCHING, SPOKEN],
  ["the same with frames behind it", `${SWITCHING}\0\0\0\r`, SPOKEN],
  ["nothing", "", { kind: "incomplete" }],
  ["the beginning of it", SWITCHING.slice(0, -1), { kind: "incomplete" }],
  ["a 404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", { kind: "not-spoken", status: 404 }],
  ["a 200 that claims to switch", SWITCHING.replace("101", "200"), { kind: "not-spoken", status: 200 }],
  ["a status without a reason", "HTTP/1.1 400\r\n\r\n", { kind: "not-spoken", status: 400 }],
  ["a 101 to something else", SWITCHING.replace("-link/1", "-link/2"), { kind: "not-spoken", status: 101 }],
  ["a 101 to nothing", "HTTP/1.1 101 Yes\r\n\r\n", { kind: "not-spoken", status: 101 }],
  [
    "a 101 with the protocol behind its head",
    "HTTP/1.1 101 Yes\r\n\r\nUpgrade: evenkeel-link/1\r\n\r\n",
    { kind: "not-spoken", status: 101 },
  ],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", NO_HTTP],
  ["no status", "HTTP/1.1 OK\r\n\r\n", NO_HTTP],
  ["a status of four digits", "HTTP/1.1 1010 Yes\r\n\r\n", NO_HTTP],
  ["something that is not HTTP", "SSH-2.0-OpenSSH\r\n", NO_HTTP],
  ["a head without an end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(ANSWER_BYTES_MAX)}`, NO_HTTP],
];

for (const [fact, text, answer] of answers) {
  test(`${fact} is answered: ${JSON.stringify(answer)}`, () => {
    assert.deepEqual(readAnswer(Buffer.from(text, "latin1")), answer);
  });
}

test("an answer is the same however it is cut", () => {
  for (const [fact, text, answer] of answers) {
    if (text.length > 1000) continue;
    let last: object = {};
    for (let length = 0; length <= text.length; length += 1) {
      last = readAnswer(Buffer.from(text.slice(0, length), "latin1"));
      if ("kind" in last && last.kind !== "incomplete") break;
    }
    assert.deepEqual(last, answer, fact);
  }
});
