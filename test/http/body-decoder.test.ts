import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Framing } from "../../services/http/message/framing.ts";
import { BodyDecoder } from "../../services/http/parsing/body-decoder.ts";
import { cursorOf, LIMITS, splitsOf } from "./reading.ts";

const CHUNKED: Framing = { kind: "chunked" };

/** Each piece stands in the middle of other bytes, and is overwritten behind the read. */
function decode(framing: Framing, pieces: readonly string[], bodyBytesMax = 0): string {
  const decoder = new BodyDecoder(framing, { ...LIMITS, bodyBytesMax });
  let body = "";
  let rest = "";
  for (const piece of pieces) {
    const cursor = cursorOf(piece);
    while (cursor.left > 0 && !decoder.done && decoder.fault === undefined) {
      decoder.read(cursor);
      if (decoder.fault === undefined) body += cursor.bytes.toString("latin1", decoder.dataFrom, decoder.dataTo);
    }
    if (decoder.fault !== undefined) return `${decoder.fault.status} ${decoder.fault.reason}`;
    rest += cursor.bytes.toString("latin1", cursor.at, cursor.end);
    cursor.bytes.fill(0);
  }
  if (!decoder.done) return `more after ${body}`;
  return [body, ...decoder.trailers].join("|") + (rest === "" ? "" : ` then ${rest}`);
}

const whole: readonly (readonly [fact: string, bytes: string, body: string])[] = [
  ["one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"],
  ["no chunk", "0\r\n\r\n", ""],
  ["two chunks", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"],
  [
    "digits in both cases and zeros ahead",
    "00000A\r\n0123456789\r\n0b\r\n0123456789a\r\n000\r\n\r\n",
    "01234567890123456789a",
  ],
  ["extensions", '3;x=y\r\nabc\r\n2;q="a;b";z\r\nde\r\n0;last\r\n\r\n', "abcde"],
  ["CRs and LFs as data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"],
  ["trailers", "2\r\nok\r\n0\r\nX-T: 1\r\nx-u:\t2 \r\n\r\n", "ok|X-T|1|x-u|2"],
  ["trailers named like headers", "0\r\nHost: b\r\nSet-Cookie: a=1\r\n\r\n", "|Host|b|Set-Cookie|a=1"],
  ["bytes behind the body", "0\r\n\r\nGET / HTTP/1.1\r\n\r\n", " then GET / HTTP/1.1\r\n\r\n"],
];

for (const [fact, bytes, body] of whole) {
  test(`a body with ${fact} is read, however it is cut`, () => {
    assert.equal(decode(CHUNKED, [bytes]), body);
    assert.equal(decode(CHUNKED, bytes.split("")), body);
    for (const pieces of splitsOf(bytes)) assert.equal(decode(CHUNKED, pieces), body, JSON.stringify(pieces));
  });
}

const broken: readonly (readonly [fact: string, bytes: string])[] = [
  ["a size behind a bare LF", "3\nabc\r\n0\r\n\r\n"],
  ["an extension that ends in a bare LF", "3;\nabc\r\n0\r\n\r\n"],
  ["a bare CR in an extension", "3;a\rb\r\nabc\r\n0\r\n\r\n"],
  ["NUL in an extension", "3;a\0b\r\nabc\r\n0\r\n\r\n"],
  ["0x before a size", "0x3\r\nabc\r\n0\r\n\r\n"],
  ["a sign before a size", "+3\r\nabc\r\n0\r\n\r\n"],
  ["a negative size", "-3\r\nabc\r\n0\r\n\r\n"],
  ["a space before a size", " 3\r\nabc\r\n0\r\n\r\n"],
  ["a space behind a size", "3 \r\nabc\r\n0\r\n\r\n"],
  ["a size past 64 bits", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"],
  ["a size past 53 bits", "fffffffffffffff\r\nabc\r\n0\r\n\r\n"],
  ["seventeen zeros", "00000000000000000\r\n\r\n"],
  ["an empty size", "\r\nabc\r\n0\r\n\r\n"],
  ["an extension without a size", ";x\r\n"],
  ["a chunk without its CRLF", "3\r\nabc0\r\n\r\n"],
  ["a chunk longer than its size", "3\r\nabcde\r\n0\r\n\r\n"],
  ["a bare LF behind a chunk", "3\r\nabc\n0\r\n\r\n"],
  ["a CR and no LF behind a chunk", "3\r\nabc\rX0\r\n\r\n"],
  ["a last chunk that ends in a bare LF", "3\r\nabc\r\n0\n\n"],
  ["a bare LF as the empty line", "0\r\n\n"],
  ["a trailer with a space before its colon", "0\r\nX : y\r\n\r\n"],
  ["a trailer with NUL", "0\r\nX: \0\r\n\r\n"],
  ["a trailer that is a length", "0\r\nContent-Length: 9\r\n\r\n"],
  ["a trailer that is a coding", "0\r\nX: y\r\ntransfer-encoding: x\r\n\r\n"],
  ["101 trailers", `0\r\n${"X: y\r\n".repeat(101)}\r\n`],
  ["17 KB of trailers", `0\r\nX: ${"y".repeat(17_000)}\r\n\r\n`],
  ["17 KB of extensions", `1;${"x".repeat(17_000)}\r\n`],
  ["17 KB of extensions in all", `1;${"x".repeat(1_000)}\r\na\r\n`.repeat(17)],
];

for (const [fact, bytes] of broken) {
  test(`a body with ${fact} is none, however it is cut`, () => {
    const fault = decode(CHUNKED, [bytes]);
    assert.match(fault, /^4\d\d /);
    const splits = bytes.length < 1_000 ? splitsOf(bytes) : [bytes.split("")];
    for (const pieces of splits) assert.equal(decode(CHUNKED, pieces), fault, JSON.stringify(pieces).slice(0, 200));
  });
}

test("a body of a known length is that, and what follows is not", () => {
  const framing: Framing = { kind: "length", length: 5 };
  assert.equal(decode(framing, ["hello"]), "hello");
  assert.equal(decode(framing, ["he", "llo", "GET"]), "hello then GET");
  assert.equal(decode(framing, ["hell"]), "more after hell");
});

test("a body without a length goes on", () => {
  assert.equal(decode({ kind: "until-close" }, ["hello", "0\r\n\r\n"]), "more after hello0\r\n\r\n");
});

test("no body is whole at once", () => {
  assert.equal(new BodyDecoder({ kind: "none" }, { ...LIMITS, bodyBytesMax: 0 }).done, true);
  assert.equal(new BodyDecoder({ kind: "length", length: 0 }, { ...LIMITS, bodyBytesMax: 0 }).done, true);
});

test("a body larger than may be is refused when it has become so", () => {
  assert.match(decode(CHUNKED, ["3\r\nabc\r\n", "3\r\nabc\r\n0\r\n\r\n"], 5), /^413 /);
  assert.equal(decode(CHUNKED, ["3\r\nabc\r\n", "2\r\nab\r\n0\r\n\r\n"], 5), "abcab");
});

test("whatever is cut into chunks comes out as it was, however the bytes come", () => {
  const piece = fc.string({ minLength: 1, maxLength: 20 }).map((text) => Buffer.from(text).toString("latin1"));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.nat(), (chunks, cut) => {
      const bytes = `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("")}0\r\n\r\n`;
      const at = 1 + (cut % (bytes.length - 1));
      assert.equal(decode(CHUNKED, [bytes.slice(0, at), bytes.slice(at)]), chunks.join(""));
    }),
    { numRuns: 1_000 },
  );
});
