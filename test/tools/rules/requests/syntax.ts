// Rows 12-14 and 31: how a message is written, and that what is legal stays as it is, byte for byte.

import { head, passed, type Row, refused, request } from "../row.ts";

const length = "Content-Length: 5";

function lineRefused(fact: string, line: string): Row {
  return refused([13, "9112 5", fact], head("GET / HTTP/1.1", "Host: a.test", line));
}

function byteRefused(fact: string, bytes: string): Row {
  return refused([14, "9112 2.2", fact], bytes);
}

const versions: readonly Row[] = [
  ...["HTTP/2.0", "HTTP/1.2", "HTTP/1.9", "HTTP/3.0", "HTTP/0.9"].map((version) =>
    refused([12, "9112 2.3", `${version} is refused`], head(`GET / ${version}`, "Host: a.test"), [400, 505]),
  ),
  ...["HTTP/1", "HTTP/1.10", "HTTP/01.1", "HTTP/1.", "http/1.1", "HTTP 1.1", "HTTPS/1.1", "HTTP/+1.1", "ICE/1.0"].map(
    (version) => refused([12, "9112 2.3", `${version} is no version`], head(`GET / ${version}`, "Host: a.test")),
  ),
  refused([12, "9112 2.3", "HTTP/0.9 is refused"], "GET /x\r\n\r\n"),
  refused(
    [12, "9112 2.3", "HTTP/0.9 with headers and a body is no way round the rules (llhttp#877)"],
    `GET /x\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello${request("GET /smuggled")}`,
  ),
  refused([12, "9113 3.4", "the preface of HTTP/2 is refused"], "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400, 505]),
  {
    ...{ rule: 12, section: "9112 2.3", fact: "what an HTTP/1.0 client asks goes on as HTTP/1.1" },
    request: head("GET /a HTTP/1.0", "Host: a.test", "X-A: 1"),
    answers: [{ status: 200, body: "ok" }],
    after: "closed",
    upstream: [request("GET /a", "X-A: 1")],
  },
];

const whitespace: readonly Row[] = [
  lineRefused("a space before the colon is refused", "X : 1"),
  lineRefused("a tab before the colon is refused", "X\t: 1"),
  lineRefused("a name with a space in it is refused", "X Y: 1"),
  lineRefused("a folded line is refused", "X: 1\r\n 2"),
  lineRefused("a line folded with a tab is refused", "X: 1\r\n\t2"),
  lineRefused("a folded empty header is refused", "X:\r\n 2"),
  lineRefused("a line without a colon is refused", "X"),
  lineRefused("a line without a name is refused", ": 1"),
  ...["(", '"', "/", "[", "@", "\\", "{", "\xe9", "\x7f"].map((character) =>
    lineRefused(`a name with ${JSON.stringify(character)} is refused`, `X${character}Y: 1`),
  ),
  refused([13, "9112 2.2", "a space before the first header is refused"], head("GET / HTTP/1.1", " Host: a.test")),
  refused([13, "9112 2.2", "a folded first header is refused"], head("GET / HTTP/1.1", " X: 1", "Host: a.test")),
  refused([13, "9112 5.2", "a folded length is refused"], `${request("POST /", "Content-Length:\r\n 5")}hello`),
  refused(
    [13, "9112 5.2", "a folded coding is refused"],
    `${request("POST /", "Transfer-Encoding:\r\n chunked")}5\r\nhello\r\n0\r\n\r\n`,
  ),
  passed(
    [13, "9112 5.1", "spaces and tabs around a value are none of it"],
    request("GET /", "X-A: \t a b\t ", "X-B:c"),
    request("GET /", "X-A: a b", "X-B: c"),
  ),
  passed([13, "9112 5", "an empty value stays"], request("GET /", "X-A:", "X-B: 1")),
];

const bytes: readonly Row[] = [
  byteRefused("a bare CR in a value is refused", head("GET / HTTP/1.1", "Host: a.test", "X: a\rb")),
  byteRefused("a bare CR before a name is refused", head("GET / HTTP/1.1", "Host: a.test", "\rX: a")),
  byteRefused("a bare CR as the end of a line is refused", "GET / HTTP/1.1\rHost: a.test\r\r"),
  byteRefused("two CRs at the end of a line are refused", "GET / HTTP/1.1\r\nHost: a.test\r\r\n\r\n"),
  byteRefused("NUL in a value is refused", head("GET / HTTP/1.1", "Host: a.test", "X: a\0b")),
  byteRefused("NUL in a name is refused", head("GET / HTTP/1.1", "Host: a.test", "X\0: a")),
  byteRefused("NUL in a Host is refused", head("GET / HTTP/1.1", "Host: a\0.test")),
  byteRefused("DEL in a value is refused", head("GET / HTTP/1.1", "Host: a.test", "X: a\x7fb")),
  byteRefused("a control character in a value is refused", head("GET / HTTP/1.1", "Host: a.test", "X: a\x01b")),
  byteRefused("lines that end in a bare LF are refused", "GET / HTTP/1.1\nHost: a.test\n\n"),
  byteRefused("a bare LF behind one header is refused", `GET / HTTP/1.1\r\nHost: a.test\nX: 1\r\n\r\n`),
  byteRefused("a bare LF behind a length is refused", `POST / HTTP/1.1\r\nHost: a.test\r\n${length}\n\r\nhello`),
  byteRefused("a bare LF at the end of the head is refused", `POST / HTTP/1.1\r\nHost: a.test\r\n${length}\r\n\nhello`),
  byteRefused("a request line that ends in CR alone is refused", "GET / HTTP/1.1\rX: 1\r\nHost: a.test\r\n\r\n"),
  passed(
    [14, "9112 2.2", "empty lines before a request line are skipped"],
    `\r\n\r\n${request("GET /")}`,
    request("GET /"),
  ),
  passed([14, "9110 5.5", "bytes past ASCII in a value stay"], request("GET /", "X-A: caf\xc3\xa9 \xe9")),
];

const untouched: readonly Row[] = [
  passed([31, "9110 16.1", "a method that nobody knows is passed on"], request("FROBNICATE /")),
  ...[
    "//a//b/../%2e?x=%zz&y",
    "/%",
    "/%00",
    "/a/./b/../../c/",
    "/a;p=1,2/b",
    "/?",
    "/??#".slice(0, 3),
    "/a%2Fb%2fc",
    "//",
    "/a+b=c&d",
  ].map((path) => passed([31, "9110 7.7", `${path} stays as it is`], request(`GET ${path}`))),
  ...['/"', "/<a>", "/a|b", "/a\\b", "/{a}", "/a^b", "/a`b", "/?q=[1]&r='x'"].map((path) =>
    passed([31, "9110 7.7", `${path} stays as it is, though no URI may have it`], request(`GET ${path}`)),
  ),
  passed([31, "9110 7.7", "a query with a URL in it stays as it is"], request("GET /go?to=http://b.test/%3f?x")),
  passed(
    [31, "9110 11", "Authorization stays as it is"],
    request("GET /", "Authorization: Basic  dTpw", "Cookie: a=1;b=2"),
  ),
];

export const syntax: readonly Row[] = [...versions, ...whitespace, ...bytes, ...untouched];
