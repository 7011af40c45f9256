// Rows 8-11 and 15: whom a request is for and what it asks of them.

import { head, passed, type Row, refused, request } from "../row.ts";

const ok = { status: 200, body: "ok" };

function hostRefused(fact: string, ...hosts: readonly string[]): Row {
  return refused([8, "9112 3.2", fact], head("GET / HTTP/1.1", ...hosts));
}

/** Absolute-form in, origin-form out, with the target's authority as Host. */
function absolute(fact: string, target: string, { path, host }: { path: string; host: string }): Row {
  const bytes = head(`GET ${target} HTTP/1.1`, "Host: other.test", "X-A: 1");
  return passed([9, "9112 3.2.2", fact], bytes, head(`GET ${path} HTTP/1.1`, `Host: ${host}`, "X-A: 1"));
}

function targetRefused(fact: string, target: string): Row {
  return refused([15, "9112 3.2", fact], request(`GET ${target}`));
}

const hosts: readonly Row[] = [
  hostRefused("a request without Host is refused"),
  hostRefused("two Hosts are refused", "Host: a.test", "Host: b.test"),
  hostRefused("two equal Hosts are refused", "Host: a.test", "host: a.test"),
  hostRefused("an empty Host is refused", "Host:"),
  ...[
    "a b/c",
    "a, b",
    "a,b",
    "user@a.test",
    "a.test/path",
    "a.test?q",
    "a.test#f",
    "a:port",
    "a:1:2",
    "[::1",
    "::1",
  ].map((host) => hostRefused(`Host: ${host} is refused`, `Host: ${host}`)),
  hostRefused("a Host with a byte past ASCII is refused", "Host: \xe9.test"),
  ...["a.test:8080", "a.test:", "[::1]:80", "127.0.0.1", "xn--e1afmkfd.test", "a_b.test"].map((host) =>
    passed([8, "9110 7.2", `Host: ${host} is passed on`], head("GET / HTTP/1.1", `Host: ${host}`)),
  ),
  {
    ...{ rule: 8, section: "9112 3.2", fact: "a repeated Host is refused in HTTP/1.0 too" },
    ...{ request: head("GET / HTTP/1.0", "Host: a", "Host: b"), answers: [400], after: "closed", upstream: [] },
  },
];

const absoluteForms: readonly Row[] = [
  absolute("an absolute target's authority replaces the Host", "http://x.test:81/p?q", {
    path: "/p?q",
    host: "x.test:81",
  }),
  absolute("an absolute target without a path asks for /", "http://x.test", { path: "/", host: "x.test" }),
  absolute("an absolute target with a query alone asks for /?", "http://x.test?q=1", { path: "/?q=1", host: "x.test" }),
  absolute("the scheme's case does not matter", "HTTP://x.test/", { path: "/", host: "x.test" }),
  absolute("an absolute target may name an IPv6 address", "http://[::1]:81/", { path: "/", host: "[::1]:81" }),
  ...[
    "http://user:word@x.test/",
    "ftp://x.test/",
    "http:///p",
    "http://",
    "http://x.test/#f",
    "http://x y/",
    "http:x",
  ].map((target) =>
    refused([9, "9112 3.2.2", `an absolute target such as ${target} is refused`], request(`GET ${target}`)),
  ),
  refused([9, "9112 3.2", "an absolute target does not excuse a missing Host"], head("GET http://x.test/ HTTP/1.1")),
];

const absoluteIn10: Row = {
  ...{ rule: 9, section: "9112 3.2.2", fact: "an absolute target's authority is the Host where HTTP/1.0 brings none" },
  ...{ request: head("GET http://x.test:81/p HTTP/1.0"), answers: [{ status: 200, body: "ok" }], after: "closed" },
  upstream: [head("GET /p HTTP/1.1", "Host: x.test:81")],
};

const asterisks: readonly Row[] = [
  passed([10, "9112 3.2.4", "OPTIONS * is passed on as *"], request("OPTIONS *", "X-A: 1")),
  passed(
    [10, "9112 3.2.4", "OPTIONS of an absolute target without a path becomes *"],
    head("OPTIONS http://x.test HTTP/1.1", "Host: a.test"),
    head("OPTIONS * HTTP/1.1", "Host: x.test"),
  ),
  {
    ...{ rule: 10, section: "9112 6", fact: "OPTIONS * with a body keeps it" },
    request: `${request("OPTIONS *", "Content-Length: 3")}abc`,
    answers: [ok],
    after: "open",
    upstream: [`${request("OPTIONS *", "Content-Length: 3")}abc`],
  },
  refused([10, "9112 3.2.4", "GET * is refused"], request("GET *")),
];

const connects: readonly Row[] = ["a.test:443", "/", "http://a.test/"].map((target) => ({
  ...{ rule: 11, section: "9110 9.3.6", fact: `CONNECT ${target} gets an answer, and no tunnel` },
  request: `${request(`CONNECT ${target}`)}${request("GET /smuggled")}`,
  answers: [{ status: [405, 400] }],
  after: "closed",
  upstream: [],
}));

const characters: readonly Row[] = [
  targetRefused("a fragment is refused", "/a#b"),
  targetRefused("a fragment alone is refused", "/#"),
  targetRefused("a space in a target is refused", "/a b"),
  targetRefused("a target that begins with no slash is refused", "a"),
  targetRefused("a target that begins with a question mark is refused", "?q"),
  targetRefused("a host as a target is refused", "a.test:80"),
  targetRefused("two dots as a target are refused", "../a"),
  ...[0x00, 0x01, 0x09, 0x0b, 0x0c, 0x0d, 0x1f, 0x7f].map((code) =>
    targetRefused(
      `the byte 0x${code.toString(16).padStart(2, "0")} in a target is refused`,
      `/a${String.fromCharCode(code)}b`,
    ),
  ),
  targetRefused("a byte past ASCII in a target is refused", "/\xe9"),
  targetRefused("UTF-8 in a target is refused", "/\xc3\xa9"),
  passed(
    [15, "9112 3", "a second space before the target is read as one"],
    head("GET  / HTTP/1.1", "Host: a.test"),
    request("GET /"),
  ),
  refused([15, "9112 3", "a tab before the target is refused"], head("GET\t/ HTTP/1.1", "Host: a.test")),
  refused([15, "9112 3", "a request line without a target is refused"], head("GET HTTP/1.1", "Host: a.test")),
  refused([15, "9110 9.1", "a method in lower case is none that is known"], request("get /")),
];

export const target: readonly Row[] = [
  ...hosts,
  ...absoluteForms,
  absoluteIn10,
  ...asterisks,
  ...connects,
  ...characters,
];
