// Rows 1-7: how long a request is. Two parsers that differ on this let one client's bytes become another's request.

import { head, passed, type Row, refused, request } from "../row.ts";

const chunked = "Transfer-Encoding: chunked";
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";
const hello = "5\r\nhello\r\n0\r\n\r\n";

/** A body whose fault shows only after the head has been judged: what has gone out must never become whole. */
function brokenBody(fact: string, chunks: string): Row {
  const row = refused([6, "9112 7.1", fact], request("POST /", chunked) + chunks);
  return { ...row, begun: "allowed" } as Row;
}

/** A body on a method that seldom has one, then a second request: the origin must see exactly these two. */
function keptApart(fact: string, first: string): Row {
  const second = request("GET /next");
  const ok = { status: 200, body: "ok" };
  const facts = { rule: 7, section: "9112 6", fact, answers: [ok, ok], after: "open" as const };
  return { ...facts, request: first + second, upstream: [first, second] };
}

export const framing: readonly Row[] = [
  refused(
    [1, "9112 6.1", "Content-Length before Transfer-Encoding is refused"],
    `${request("POST /", "Content-Length: 5", chunked)}0\r\n\r\n`,
  ),
  refused(
    [1, "9112 6.1", "Transfer-Encoding before Content-Length is refused"],
    `${request("POST /", chunked, "Content-Length: 4")}${hello}`,
  ),
  refused(
    [1, "9112 6.1", "Content-Length: 0 beside Transfer-Encoding is refused"],
    `${request("POST /", "Content-Length: 0", chunked)}${hello}`,
  ),
  refused(
    [1, "9112 6.1", "Transfer-Encoding written with a space before its colon hides from nobody"],
    `${request("POST /", "Content-Length: 5", "Transfer-Encoding : chunked")}${hello}`,
  ),
  refused(
    [1, "9112 6.1", "Transfer-Encoding behind a bare CR hides from nobody"],
    `${request("POST /", "Content-Length: 5", "X: y\rTransfer-Encoding: chunked")}${hello}`,
  ),

  refused(
    [2, "9112 6.3", "two equal lengths are refused"],
    `${request("POST /", "Content-Length: 2", "Content-Length: 2")}ab`,
  ),
  refused(
    [2, "9112 6.3", "two different lengths are refused"],
    `${request("POST /", "Content-Length: 2", "content-length: 5")}ab`,
  ),
  ...["2, 2", "2,5", "+2", "-2", "0x2", "2 3", "2.0", "2;", "two", "99999999999999999999", "18446744073709551618"].map(
    (length) =>
      refused(
        [2, "9112 6.3", `Content-Length: ${length} is refused`],
        `${request("POST /", `Content-Length: ${length}`)}ab`,
      ),
  ),
  refused([2, "9112 6.3", "an empty Content-Length is refused"], `${request("POST /", "Content-Length:")}ab`),
  passed(
    [2, "9112 6.3", "spaces around a length are none of it"],
    `${request("POST /", "Content-Length: \t 2 ")}ab`,
    `${request("POST /", "Content-Length: 2")}ab`,
  ),

  ...[
    "identity",
    "xchunked",
    "chunked, gzip",
    "chunked, identity",
    "\x0bchunked",
    "chunked;q=1",
    "gzip",
    "chunked chunked",
  ].map((coding) =>
    refused(
      [3, "9112 6.3", `Transfer-Encoding: ${JSON.stringify(coding)} is refused`],
      `${request("POST /", `Transfer-Encoding: ${coding}`)}${hello}`,
      [400, 501],
    ),
  ),
  refused(
    [3, "9112 6.3", "an empty Transfer-Encoding is refused"],
    `${request("POST /", "Transfer-Encoding:")}${hello}`,
    [400, 501],
  ),
  refused(
    [3, "9112 6.3", "two lines of codings that do not end in chunked are refused"],
    `${request("POST /", chunked, "Transfer-Encoding: identity")}${hello}`,
  ),
  refused(
    [3, "9112 7.1", "chunked twice is refused"],
    `${request("POST /", "Transfer-Encoding: chunked, chunked")}${hello}`,
    [400, 501],
  ),
  refused(
    [3, "9112 7.1", "chunked on two lines is refused"],
    `${request("POST /", chunked, chunked)}${hello}`,
    [400, 501],
  ),
  passed(
    [3, "9112 7", "a coding's case does not matter"],
    `${request("POST /", "Transfer-Encoding: ChUnKeD")}${hello}`,
    `${request("POST /", chunked)}${hello}`,
  ),

  refused(
    [4, "9112 6.1", "a coding we do not know is refused, not stripped"],
    `${request("POST /", "Transfer-Encoding: gzip, chunked")}${hello}`,
    501,
  ),
  refused(
    [4, "9112 6.1", "a coding we do not know is refused on a line of its own too"],
    `${request("POST /", "Transfer-Encoding: gzip", chunked)}${hello}`,
    501,
  ),

  refused(
    [5, "9112 6.1", "Transfer-Encoding in HTTP/1.0 is refused"],
    `${head("POST / HTTP/1.0", "Host: a.test", chunked)}${hello}`,
  ),
  refused(
    [5, "9112 6.1", "Transfer-Encoding and Content-Length in HTTP/1.0 are refused"],
    `${head("POST / HTTP/1.0", "Host: a.test", "Content-Length: 5", chunked)}${hello}`,
  ),

  passed(
    [6, "9112 7.1.1", "chunk extensions are read and dropped"],
    `${request("POST /", chunked)}3;x=y\r\nabc\r\n2;q="a;b";z\r\nde\r\n0;last\r\n\r\n`,
    `${request("POST /", chunked)}${hello.replace("hello", "abcde")}`,
  ),
  passed(
    [6, "9112 7.1", "a chunk size may have leading zeros and either case"],
    `${request("POST /", chunked)}00000A\r\n0123456789\r\n0b\r\n0123456789a\r\n000\r\n\r\n`,
    `${request("POST /", chunked)}15\r\n01234567890123456789a\r\n0\r\n\r\n`,
  ),
  brokenBody("a chunk line that ends in a bare LF is refused", "3\nabc\r\n0\r\n\r\n"),
  brokenBody("a chunk extension that ends in a bare LF is refused", "3;\nabc\r\n0\r\n\r\n"),
  brokenBody("a chunk extension with a bare CR is refused", "3;a\rb\r\nabc\r\n0\r\n\r\n"),
  brokenBody("a chunk size with 0x is refused", "0x3\r\nabc\r\n0\r\n\r\n"),
  brokenBody("a chunk size with a sign is refused", "+3\r\nabc\r\n0\r\n\r\n"),
  brokenBody("a negative chunk size is refused", "-3\r\nabc\r\n0\r\n\r\n"),
  brokenBody("a chunk size behind a space is refused", " 3\r\nabc\r\n0\r\n\r\n"),
  brokenBody("a chunk size before a space is refused", "3 \r\nabc\r\n0\r\n\r\n"),
  brokenBody("a chunk size past 64 bits is refused", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
  brokenBody("an empty chunk size is refused", "\r\nabc\r\n0\r\n\r\n"),
  brokenBody("a chunk without its CRLF is refused", "3\r\nabc0\r\n\r\n"),
  brokenBody("a chunk longer than its size is refused", "3\r\nabcde\r\n0\r\n\r\n"),
  brokenBody("a chunk with a bare LF behind it is refused", "3\r\nabc\n0\r\n\r\n"),
  brokenBody("a last chunk that ends in a bare LF is refused", "3\r\nabc\r\n0\n\n"),
  brokenBody("a trailer with a space before its colon is refused", "3\r\nabc\r\n0\r\nX : y\r\n\r\n"),

  ...["DELETE", "OPTIONS", "GET", "PROPFIND", "PATCH"].map((method) =>
    keptApart(
      `${method} with a chunked body is that and nothing more`,
      `${request(`${method} /`, chunked)}28\r\n${smuggled}\r\n0\r\n\r\n`,
    ),
  ),
  ...["DELETE", "OPTIONS", "GET"].map((method) =>
    keptApart(
      `${method} with a length is that and nothing more`,
      `${request(`${method} /`, `Content-Length: ${smuggled.length}`)}${smuggled}`,
    ),
  ),
  keptApart("POST without a body is one", request("POST /", "Content-Length: 0")),
];
