import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RequestHead } from "../../services/http/parsing/request-parser.ts";
import { framing } from "../tools/rules/requests/framing.ts";
import { syntax } from "../tools/rules/requests/syntax.ts";
import { target } from "../tools/rules/requests/target.ts";
import { outcomeOf, readRequest, splitsOf } from "./reading.ts";

const head = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const get = (...headers: string[]) => head("GET / HTTP/1.1", "Host: a.test", ...headers);
const post = (...headers: string[]) => head("POST / HTTP/1.1", "Host: a.test", ...headers);

/** What is read of a head: the facts that are named, and no other. */
const read: readonly (readonly [fact: string, bytes: string, is: Partial<RequestHead>])[] = [
  ["a GET", get(), { method: "GET", target: "/", minor: 1, keepAlive: true, framing: { kind: "none" } }],
  ["a method that nobody knows", head("FROBNICATE / HTTP/1.1", "Host: a"), { method: "FROBNICATE" }],
  ["a method of odd characters", head("M-SEARCH* / HTTP/1.1", "Host: a"), { method: "M-SEARCH*" }],
  ["a method in lower case that is no known one", head("foo / HTTP/1.1", "Host: a"), { method: "foo" }],
  ["a target in absolute form", head("GET http://b:1/?q HTTP/1.1", "Host: a"), { target: "http://b:1/?q" }],
  ["a target in authority form", head("CONNECT a:443 HTTP/1.1", "Host: a"), { target: "a:443", upgrade: true }],
  ["an asterisk", head("OPTIONS * HTTP/1.1", "Host: a"), { target: "*" }],
  ["a target that no URI may have", head('GET /"<>\\^`{|} HTTP/1.1', "Host: a"), { target: '/"<>\\^`{|}' }],
  ["spaces before the target", head("GET   / HTTP/1.1", "Host: a"), { target: "/" }],
  ["empty lines before the request", `\r\n\r\n${get()}`, { method: "GET", target: "/" }],
  ["HTTP/1.0 without Host", head("GET / HTTP/1.0"), { minor: 0, keepAlive: false }],
  ["HTTP/1.0 that goes on", head("GET / HTTP/1.0", "Connection: Keep-Alive"), { keepAlive: true }],
  ["HTTP/1.1 that ends", get("Connection: close"), { keepAlive: false }],
  ["close among other words", get("Connection: foo ,\tCLOSE, keep-alive"), { keepAlive: false }],
  ["close on a second line", get("Connection: keep-alive", "connection: close"), { keepAlive: false }],
  ["a word that only begins like close", get("Connection: closed"), { keepAlive: true }],
  ["a length", post("Content-Length: 5"), { framing: { kind: "length", length: 5 } }],
  ["a length with zeros ahead", post("Content-Length: 005"), { framing: { kind: "length", length: 5 } }],
  [
    "the largest length",
    post("Content-Length: 999999999999999"),
    { framing: { kind: "length", length: 999999999999999 } },
  ],
  ["chunks", post("Transfer-Encoding: chunked"), { framing: { kind: "chunked" } }],
  ["chunks in any case", post("transfer-ENCODING: \t ChUnKeD "), { framing: { kind: "chunked" } }],
  ["an expectation", post("Expect: 100-Continue", "Content-Length: 1"), { expectsContinue: true }],
  ["an expectation of something else", post("Expect: 100-continue, x"), { expectsContinue: false }],
  ["an expectation in HTTP/1.0", head("POST / HTTP/1.0", "Expect: 100-continue"), { expectsContinue: false }],
  ["an upgrade", get("Connection: keep-alive, Upgrade", "Upgrade: websocket"), { upgrade: true, keepAlive: true }],
  ["an upgrade without its header", get("Connection: Upgrade"), { upgrade: false }],
  ["an upgrade without Connection", get("Upgrade: websocket"), { upgrade: false }],
  ["an upgrade in HTTP/1.0", head("GET / HTTP/1.0", "Connection: upgrade", "Upgrade: x"), { upgrade: false }],
  ["an upgrade of length 0", post("Connection: upgrade", "Upgrade: x", "Content-Length: 0"), { upgrade: true }],
  ["an upgrade with a body", post("Connection: upgrade", "Upgrade: x", "Content-Length: 1"), { upgrade: false }],
];

for (const [fact, bytes, is] of read) {
  test(`${fact} is read`, () => {
    const { head: seen, fault } = readRequest([bytes]);
    assert.equal(fault, undefined);
    for (const [name, value] of Object.entries(is)) assert.deepEqual(seen?.[name as keyof RequestHead], value, name);
  });
}

/** h11's and llhttp's tables ask most of these; which rule is broken stands beside the status. */
const refused: readonly (readonly [fact: string, bytes: string, fault: string])[] = [
  ["a bare LF behind the request line", "GET / HTTP/1.1\nHost: a\n\n", "400 syntax"],
  ["a bare LF behind a header", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "400 syntax"],
  ["a bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", "400 syntax"],
  ["a bare CR in a value", get("X: a\rb"), "400 syntax"],
  ["two CRs at the end of a line", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", "400 syntax"],
  ["a bare CR as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n", "400 syntax"],
  ["NUL in a value", get("X: a\0b"), "400 syntax"],
  ["NUL in a name", get("X\0: a"), "400 syntax"],
  ["DEL in a value", get("X: \x7f"), "400 syntax"],
  ["a control character in a value", get("X: \x01"), "400 syntax"],
  ["a vertical tab in a value", get("X: \x0b"), "400 syntax"],
  ["a folded line", get("X: a", " b"), "400 syntax"],
  ["a folded first line", head("GET / HTTP/1.1", " Host: a"), "400 syntax"],
  ["a space before the colon", get("X : a"), "400 syntax"],
  ["a tab before the colon", get("X\t: a"), "400 syntax"],
  ["a line without a colon", get("Foo"), "400 syntax"],
  ["a line without a name", get(": x"), "400 syntax"],
  ["a name past ASCII", get("\xe9: x"), "400 syntax"],
  ["a request line without a method", head(" / HTTP/1.1", "Host: a"), "400 syntax"],
  ["a method with a colon", head("GET: / HTTP/1.1", "Host: a"), "400 syntax"],
  ["a tab behind the method", head("GET\t/ HTTP/1.1", "Host: a"), "400 syntax"],
  ["a tab behind the target", head("GET /\tHTTP/1.1", "Host: a"), "400 target"],
  ["two spaces behind the target", head("GET /  HTTP/1.1", "Host: a"), "400 syntax"],
  ["a space behind the version", head("GET / HTTP/1.1 ", "Host: a"), "400 syntax"],
  ["a space in the target", head("GET /a b HTTP/1.1", "Host: a"), "400 syntax"],
  ["a fragment", head("GET /#x HTTP/1.1", "Host: a"), "400 target"],
  ["a control character in the target", head("GET /\x01 HTTP/1.1", "Host: a"), "400 target"],
  ["a byte past ASCII in the target", head("GET /\xe9 HTTP/1.1", "Host: a"), "400 target"],
  ["a known method in another case", head("get / HTTP/1.1", "Host: a"), "400 syntax"],
  ["Trace", head("Trace / HTTP/1.1", "Host: a"), "400 syntax"],
  ["HTTP/0.9", "GET /\r\n\r\n", "400 http-version-unreadable"],
  ["HTTP/0.9 with headers", "GET /\r\nHost: a\r\n\r\n", "400 http-version-unreadable"],
  ["HTTP/0.9 by name", head("GET / HTTP/0.9", "Host: a"), "400 http-version-unreadable"],
  ["HTTP/1.2", head("GET / HTTP/1.2", "Host: a"), "505 http-version"],
  ["HTTP/2.0", head("GET / HTTP/2.0", "Host: a"), "505 http-version"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 http-version"],
  ...["http/1.1", "HTTP/1", "HTTP/1.", "HTTP/1.10", "HTTP/01.1", "HTTP/+1.1", "HTTPS/1.1", "ICE/1.0", "HTTP/1,1"].map(
    (version) => [version, head(`GET / ${version}`, "Host: a"), "400 syntax"] as const,
  ),
  ["TLS", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", "400 syntax"],
  ["no Host", head("GET / HTTP/1.1"), "400 host-missing"],
  ["two Hosts", get("host: a.test"), "400 host-repeated"],
  ["two Hosts in HTTP/1.0", head("GET / HTTP/1.0", "Host: a", "Host: a"), "400 host-repeated"],
  ...["", "a b", "a, b", "u@a", "a/b", "a?b", "a:x", "a:1:2", "[::1", "::1", "\xe9"].map(
    (host) => [`Host: ${host}`, head("GET / HTTP/1.1", `Host: ${host}`), "400 host-invalid"] as const,
  ),
  ["a length beside a coding", post("Content-Length: 3", "Transfer-Encoding: chunked"), "400 syntax"],
  ["two lengths", post("Content-Length: 3", "content-length: 3"), "400 syntax"],
  ...["+3", "-3", "0x3", "3, 3", "3 3", "", "3.0", "3;", "9".repeat(16), "\u0663"].map(
    (length) => [`Content-Length: ${length}`, post(`Content-Length: ${length}`), "400 syntax"] as const,
  ),
  ...["identity", "xchunked", "chunked, gzip", "chunked;q=1", "", "chunked chunked", "\x0bchunked", "gzip"].map(
    (coding) => [`Transfer-Encoding: ${coding}`, post(`Transfer-Encoding: ${coding}`), "400 syntax"] as const,
  ),
  ["a coding before chunked", post("Transfer-Encoding: gzip, chunked"), "501 transfer-coding"],
  ["a coding on a line before", post("Transfer-Encoding: gzip", "Transfer-Encoding: chunked"), "501 transfer-coding"],
  ["chunked twice", post("Transfer-Encoding: chunked, chunked"), "501 transfer-coding"],
  ["a coding behind chunked", post("Transfer-Encoding: chunked", "Transfer-Encoding: x"), "400 syntax"],
  ["a coding in HTTP/1.0", head("POST / HTTP/1.0", "Transfer-Encoding: chunked"), "400 transfer-encoding-in-1.0"],
  ["101 headers", get(...Array.from({ length: 100 }, (_, index) => `X-${index}: 1`)), "431 headers"],
  ["17 KB of headers", get(`X: ${"a".repeat(17_000)}`), "431 headers"],
  ["17 KB of target", head(`GET /${"a".repeat(17_000)} HTTP/1.1`, "Host: a"), "414 target-too-long"],
  ["17 KB of empty lines", "\r\n".repeat(8_500), "414 target-too-long"],
];

for (const [fact, bytes, fault] of refused) {
  test(`${JSON.stringify(fact.slice(0, 60))} is refused`, () => {
    assert.ok(outcomeOf(readRequest([bytes])).startsWith(`${fault}:`), outcomeOf(readRequest([bytes])));
  });
}

test("a head may be cut anywhere", () => {
  for (const bytes of [...read, ...refused].map(([, bytes]) => bytes).filter(({ length }) => length < 1_000)) {
    const whole = outcomeOf(readRequest([bytes]));
    for (const pieces of splitsOf(bytes)) assert.equal(outcomeOf(readRequest(pieces)), whole, JSON.stringify(pieces));
    assert.equal(outcomeOf(readRequest(bytes.split(""))), whole, `byte by byte: ${JSON.stringify(bytes)}`);
  }
});

test("what is only begun is no fault yet", () => {
  for (const [, bytes] of read) {
    for (const [first] of splitsOf(bytes)) assert.equal(outcomeOf(readRequest([first])), "incomplete", first);
  }
});

test("a head of the largest size is read, and one more byte is too much, however they come", () => {
  const bytes = get("X: y");
  const exact = { headBytesMax: bytes.length, fieldsMax: 100 };
  const short = { headBytesMax: bytes.length - 1, fieldsMax: 100 };
  for (const pieces of [[`${bytes}next`], [bytes.slice(0, 20), bytes.slice(20), "next"], bytes.split("")]) {
    assert.equal(readRequest(pieces, exact).fault, undefined);
    assert.equal(readRequest(pieces, short).fault?.status, 431);
  }
});

test("what is behind a head stays where it is", () => {
  const body = `hello${get()}`;
  assert.equal(readRequest([post("Content-Length: 5") + body]).rest, body);
  for (const pieces of splitsOf(post() + body)) assert.equal(readRequest(pieces).rest, body);
});

/** The rows of the tiers' table whose whole outcome the parser decides. */
const rows = [...syntax, ...target, ...framing].filter((row) => "request" in row);
/** Judged behind the parser: bodies, and what a target may be. */
const DECIDED_ELSEWHERE = /chunk|trailer|target (?:such|that|as)|as a target|GET \*|CONNECT|many headers/;

test("the rows of the tiers' table hold as far as a head goes", () => {
  let count = 0;
  for (const row of rows) {
    if (!("request" in row) || DECIDED_ELSEWHERE.test(row.fact)) continue;
    const { head: seen, fault } = readRequest([row.request]);
    const [answer] = row.answers;
    const statuses = [typeof answer === "object" ? answer.status : answer].flat();
    if (statuses[0] === 200) assert.ok(seen, `${row.fact}: ${fault?.reason}`);
    else if (row.fact !== "101 headers are too many") assert.ok(fault && statuses.includes(fault.status), row.fact);
    count += 1;
  }
  assert.ok(count > 100, `${count} rows`);
});

test("no bytes make it throw, and no cut changes what it says", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom("GET", " ", "/", "HTTP/1.1", "\r\n", "\r", "\n", "Host: a", ":", "\0", "\t", "Content-Length: 1"),
      fc.constantFrom("Transfer-Encoding: chunked", "Connection: close", "HTTP/1.0", "POST", "\x7f", "\xff", ","),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 14 },
  );
  fc.assert(
    fc.property(pieces, fc.nat(), (words, cut) => {
      const bytes = `${words.join("")}\r\n\r\n`;
      const at = 1 + (cut % (bytes.length - 1));
      const whole = outcomeOf(readRequest([bytes]));
      const inTwo = outcomeOf(readRequest([bytes.slice(0, at), bytes.slice(at)]));
      assert.equal(inTwo, whole);
    }),
    { numRuns: 3_000 },
  );
});
