import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { responseFraming } from "../../services/http/message/framing.ts";
import type { ResponseHead } from "../../services/http/parsing/response-parser.ts";
import { outcomeOf, readResponse, splitsOf } from "./reading.ts";

const head = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;
const ok = (...headers: string[]) => head("HTTP/1.1 200 OK", ...headers);

const read: readonly (readonly [fact: string, bytes: string, is: Partial<ResponseHead>])[] = [
  ["a 200", ok(), { status: 200, reason: "OK", minor: 1, keepAlive: true }],
  ["a reason of many words", head("HTTP/1.1 404 Not \t Found"), { status: 404, reason: "Not \t Found" }],
  ["a reason past ASCII", head("HTTP/1.1 200 \xc3\xa9"), { reason: "\xc3\xa9" }],
  ["a reason of nothing", head("HTTP/1.1 200 "), { reason: "" }],
  ["no space behind the status", head("HTTP/1.1 200"), { status: 200, reason: "" }],
  ["the lowest status", head("HTTP/1.1 100 Continue"), { status: 100 }],
  ["the highest status", head("HTTP/1.1 999 Odd"), { status: 999 }],
  ["HTTP/1.0", head("HTTP/1.0 200 OK"), { minor: 0, keepAlive: false }],
  ["HTTP/1.0 that goes on", head("HTTP/1.0 200 OK", "Connection: keep-alive"), { keepAlive: true }],
  ["HTTP/1.1 that ends", ok("Connection: close"), { keepAlive: false }],
  ["no header at all", ok(), { count: 0 } as Partial<ResponseHead>],
];

for (const [fact, bytes, is] of read) {
  test(`${fact} is read`, () => {
    const { head: seen, fault } = readResponse([bytes]);
    assert.equal(fault, undefined);
    for (const [name, value] of Object.entries(is)) assert.deepEqual(seen?.[name as keyof ResponseHead], value, name);
  });
}

const refused: readonly (readonly [fact: string, bytes: string])[] = [
  ...[0, 1, 7, 8, 10, 11, 12, 13, 14, 27, 31, 127].flatMap((code) => {
    const byte = String.fromCharCode(code);
    const name = `the byte 0x${code.toString(16)}`;
    return [
      [`${name} in a reason`, head(`HTTP/1.1 200 O${byte}K`)],
      [`${name} in a value`, ok(`X: a${byte}b`)],
      [`${name} in a name`, ok(`X${byte}A: b`)],
    ] as const;
  }),
  ["a tab in a name", ok("X\tA: b")],
  ["a folded line", ok("X: 1", " 2")],
  ["a space before a colon", ok("X : 1")],
  ["bare LFs", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
  ...["abc", "20", "2000", "099", "000", "-20", "20x", "2 0"].map(
    (status) => [`a status ${status}`, head(`HTTP/1.1 ${status} OK`)] as const,
  ),
  ...["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1", "ICY", "SSH-2.0-x"].map(
    (version) => [`the version ${version}`, head(`${version} 200 OK`)] as const,
  ),
  ["two spaces before the status", head("HTTP/1.1  200 OK")],
  ["an empty line ahead", `\r\n${ok()}`],
  ["a page without a head", "<html>hello</html>\r\n\r\n"],
  ["101 headers", ok(...Array.from({ length: 101 }, (_, index) => `X-${index}: 1`))],
  ["17 KB of headers", ok(`X: ${"a".repeat(17_000)}`)],
];

for (const [fact, bytes] of refused) {
  test(`a response with ${fact} is none`, () =>
    assert.ok(readResponse([bytes]).fault, outcomeOf(readResponse([bytes]))));
}

test("a response's head may be cut anywhere", () => {
  for (const bytes of [...read, ...refused].map(([, bytes]) => bytes).filter(({ length }) => length < 1_000)) {
    const whole = outcomeOf(readResponse([bytes]));
    for (const pieces of splitsOf(bytes)) assert.equal(outcomeOf(readResponse(pieces)), whole, JSON.stringify(pieces));
    assert.equal(outcomeOf(readResponse(bytes.split(""))), whole, `byte by byte: ${JSON.stringify(bytes)}`);
  }
});

/** What body a response has, by its status, the request's method, and its headers. */
const framings: readonly (readonly [bytes: string, method: string, framing: string])[] = [
  [ok(), "GET", "until-close"],
  [ok("Connection: keep-alive"), "GET", "until-close"],
  [ok("Content-Length: 0"), "GET", "length 0"],
  [ok("Content-Length: 5"), "GET", "length 5"],
  [ok("Content-Length: 5"), "HEAD", "none"],
  [ok("Transfer-Encoding: chunked"), "GET", "chunked"],
  [ok("Transfer-Encoding: chunked"), "HEAD", "none"],
  [head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked"), "GET", "chunked"],
  [head("HTTP/1.1 204 No", "Content-Length: 5"), "GET", "none"],
  [head("HTTP/1.1 304 No", "Content-Length: 5"), "GET", "none"],
  [head("HTTP/1.1 304 No", "Transfer-Encoding: chunked"), "GET", "none"],
  [head("HTTP/1.1 103 Hints", "Content-Length: 5"), "GET", "none"],
  [ok("Content-Length: 5", "Transfer-Encoding: chunked"), "GET", "fault"],
  [ok("Content-Length: 5", "Content-Length: 5"), "GET", "fault"],
  ...["2, 5", "+2", "-2", "0x2", "2 3", "", "9".repeat(16)].map(
    (length) => [ok(`Content-Length: ${length}`), "GET", "fault"] as const,
  ),
  [ok("Transfer-Encoding: gzip, chunked"), "GET", "fault"],
  [ok("Transfer-Encoding: gzip"), "GET", "fault"],
];

for (const [bytes, method, framing] of framings) {
  test(`the body of ${JSON.stringify(bytes.slice(9, -4))} to a ${method} is ${framing}`, () => {
    const { head: seen } = readResponse([bytes]);
    assert.ok(seen);
    const framed = responseFraming(seen, method, seen.status);
    if (framed.kind === "fault") assert.equal("fault", framing);
    else assert.equal(Object.values(framed).join(" "), framing);
  });
}

test("no bytes of a server make the parser throw, and no cut changes what it says", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "HTTP/1.1",
      " ",
      "200",
      "OK",
      "\r\n",
      "\r",
      "\n",
      "X: a",
      ":",
      "\0",
      "\t",
      "HTTP/1.0",
      "\x7f",
      "\xff",
    ),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), fc.nat(), (words, cut) => {
      const bytes = `${words.join("")}\r\n\r\n`;
      const at = 1 + (cut % (bytes.length - 1));
      const whole = outcomeOf(readResponse([bytes]));
      assert.equal(outcomeOf(readResponse([bytes.slice(0, at), bytes.slice(at)])), whole);
    }),
    { numRuns: 3_000 },
  );
});
