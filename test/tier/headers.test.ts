// What a tier changes in the headers that pass it, and that it changes nothing else: facts for each rule, and random header
// lists in which no name of the hop may pass and everything else must, in its order and its case.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MessageHead } from "../../services/http/message/message-head.ts";
import { readFieldLines, Scan } from "../../services/http/parsing/field-lines.ts";
import { RequestHead } from "../../services/http/parsing/request-parser.ts";
import { ResponseHead } from "../../services/http/parsing/response-parser.ts";
import * as rules from "../../services/tier/rules/headers.ts";

const linesOf = (flat: readonly string[]) =>
  flat.flatMap((name, at) => (at % 2 ? [] : [`${name}: ${flat[at + 1]}\r\n`]));
const flatOf = (lines: string) =>
  lines
    .split("\r\n")
    .flatMap((line) => (line === "" ? [] : [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));

interface Hop extends rules.RequestHop {
  readonly method: string;
  readonly httpVersion: string;
}

/** Fills a head with these lines, be they such that the parser would refuse the message. */
function filled<Head extends MessageHead>(head: Head, flat: readonly string[]): Head {
  const bytes = Buffer.from(`${linesOf(flat).join("")}\r\n`, "latin1");
  const scan = Object.assign(new Scan(), { bytes, end: bytes.length, fieldsMax: 1_000 });
  assert.equal(readFieldLines(scan, head), "whole");
  head.text = bytes.toString("latin1");
  return head;
}

function requestHead(
  flat: readonly string[],
  { method, httpVersion }: Pick<Hop, "method" | "httpVersion">,
): RequestHead {
  const head = Object.assign(new RequestHead(), { method, minor: Number(httpVersion.slice(2)) });
  return filled(head, flat);
}

function responseHead(flat: readonly string[], status: number): ResponseHead {
  return filled(Object.assign(new ResponseHead(), { status }), flat);
}

const requestHeaders = (flat: readonly string[], hop: Hop) =>
  flatOf(rules.requestFields(requestHead(flat, hop), hop).text);
const responseHeaders = (
  flat: readonly string[],
  { status, ...hop }: rules.ResponseHop & { readonly status: number },
) => flatOf(rules.responseFields(responseHead(flat, status), hop).text);
const trailersFor = (request: readonly string[], trailers: readonly string[]) => {
  const passed = rules.trailersFor(requestHead(["Host", "a", ...request], facts), trailers);
  return passed.flatMap((name, at) => (at % 2 ? [] : [[name, passed[at + 1]]]));
};

const facts: Hop = {
  forwarded: "overwrite",
  pseudonym: "lb",
  peer: "203.0.113.7",
  host: "shop.example",
  method: "GET",
  httpVersion: "1.1",
  requestId: () => "made-id",
  traceparent: () => "made-trace",
};
const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const behind: Hop = { ...facts, forwarded: "keep", pseudonym: "proxy-1", peer: "10.0.0.2" };
const DATE = "Thu, 26 Nov 2026 02:40:00 GMT";
const answer = {
  pseudonym: "proxy-1",
  servedBy: "server-4",
  status: 200,
  attempts: 1,
  cookie: undefined,
  date: () => DATE,
};

const HOP = [
  "Connection",
  "Keep-Alive",
  "Proxy-Connection",
  "Proxy-Authenticate",
  "Proxy-Authorization",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade",
  "HTTP2-Settings",
];

/** All values of one header. */
function valuesOf(flat: readonly string[], name: string): string[] {
  return pairs(flat).flatMap(([each, value]) => (each.toLowerCase() === name.toLowerCase() ? [value] : []));
}

function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] as string]] : [])) as [
    string,
    string,
  ][];
}

for (const name of HOP) {
  test(`${name} stays on its hop, in a request and in a response`, () => {
    const raw = ["Host", "a", name.toLowerCase(), "x", name.toUpperCase(), "y"];
    for (const flat of [requestHeaders(raw, facts), requestHeaders(raw, behind), responseHeaders(raw, answer)]) {
      assert.deepEqual(valuesOf(flat, name), []);
    }
  });
}

test("what Connection names stays on its hop too: odd case, empty elements, several lines", () => {
  const raw = [
    "connection",
    "close,, X-Secret ",
    "Connection",
    "x-OTHER",
    "X-Secret",
    "1",
    "x-other",
    "2",
    "X-Kept",
    "3",
  ];
  for (const flat of [requestHeaders(raw, facts), responseHeaders(raw, answer)]) {
    assert.deepEqual([valuesOf(flat, "X-Secret"), valuesOf(flat, "X-Other")], [[], []]);
    assert.deepEqual(valuesOf(flat, "X-Kept"), ["3"]);
  }
});

test("a client cannot strike what the edge writes by naming it in Connection", () => {
  const raw = ["Host", "shop.example", "Connection", "X-Forwarded-For, Forwarded, Via, X-Request-Id, traceparent"];
  const flat = requestHeaders(raw, facts);
  assert.deepEqual(valuesOf(flat, "X-Forwarded-For"), ["203.0.113.7"]);
  assert.deepEqual(valuesOf(flat, "Via"), ["1.1 lb"]);
  assert.deepEqual(valuesOf(flat, "X-Request-Id"), ["made-id"]);
  assert.equal(valuesOf(flat, "Forwarded").length, 1);
});

test("a client cannot strike the Host, so that the server would see another one", () => {
  const raw = ["Host", "shop.example", "Connection", "Host, close"];
  for (const flat of [requestHeaders(raw, facts), requestHeaders(raw, behind)]) {
    assert.deepEqual(valuesOf(flat, "Host"), ["shop.example"]);
  }
});

test("the edge overwrites what a client says of where it comes from", () => {
  const forwarded = ["X-Forwarded-For", "1.2.3.4", "x-forwarded-for", "5.6.7.8", "X-Forwarded-Proto", "https"];
  const more = ["X-Forwarded-Host", "evil.example", "Forwarded", "for=1.2.3.4"];
  const flat = requestHeaders(["Host", "shop.example", ...forwarded, ...more], facts);
  assert.deepEqual(valuesOf(flat, "X-Forwarded-For"), ["203.0.113.7"]);
  assert.deepEqual(valuesOf(flat, "X-Forwarded-Proto"), ["http"]);
  assert.deepEqual(valuesOf(flat, "X-Forwarded-Host"), ["shop.example"]);
  assert.deepEqual(valuesOf(flat, "Forwarded"), ['for=203.0.113.7;host="shop.example";proto=http']);
});

test("a trusted balancer's word is kept: its own address joins the list, and the first host and protocol stand", () => {
  const said = [
    "x-forwarded-for",
    "198.51.100.1, 10.0.0.9",
    "X-Forwarded-Proto",
    "https",
    "Forwarded",
    "for=198.51.100.1",
  ];
  const flat = requestHeaders(["Host", "inner", ...said], { ...facts, forwarded: "append", peer: "10.0.0.8" });
  assert.deepEqual(valuesOf(flat, "X-Forwarded-For"), ["198.51.100.1, 10.0.0.9, 10.0.0.8"]);
  assert.deepEqual(valuesOf(flat, "X-Forwarded-Proto"), ["https"]);
  assert.deepEqual(valuesOf(flat, "X-Forwarded-Host"), ["shop.example"]);
  assert.deepEqual(valuesOf(flat, "Forwarded"), ['for=198.51.100.1, for=10.0.0.8;host="shop.example";proto=http']);
});

test("the tier behind it passes on what the edge wrote, and adds nothing", () => {
  const written = [
    "X-Forwarded-For",
    "203.0.113.7",
    "Forwarded",
    "for=203.0.113.7",
    "X-Forwarded-Host",
    "shop.example",
  ];
  const flat = requestHeaders(["Host", "shop.example", ...written], behind);
  assert.deepEqual(flat.slice(2, 2 + written.length), written);
  assert.deepEqual(valuesOf(flat, "X-Forwarded-Proto"), []);
});

test("an IPv6 client is written as each header wants it", () => {
  const flat = requestHeaders(["Host", "a"], { ...facts, peer: "2001:db8::1" });
  assert.deepEqual(valuesOf(flat, "X-Forwarded-For"), ["2001:db8::1"]);
  assert.deepEqual(valuesOf(flat, "Forwarded"), ['for="[2001:db8::1]";host="shop.example";proto=http']);
});

const BELIEVED = [
  ...["X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Real-IP"],
  ...["X-Forwarded-Ssl", "x-forwarded-protocol", "X-FORWARDED-Whatever", "X_Forwarded_Ssl", "x-forwarded_by"],
];

test("what frameworks believe and no tier writes is struck from a client's request, and passes from a trusted peer", () => {
  const said = ["Host", "a", ...BELIEVED.flatMap((name) => [name, "1"])];
  const passes = (hop: Hop) => BELIEVED.filter((name) => valuesOf(requestHeaders(said, hop), name).length > 0);
  assert.deepEqual(passes(facts), []);
  assert.deepEqual(passes({ ...facts, forwarded: "append" }), BELIEVED);
  assert.deepEqual(passes(behind), BELIEVED);
});

test("a name that a CGI application reads as a forwarded header's is struck like that one", () => {
  const folded = ["X_Forwarded_For", "x-forwarded_proto", "X_REAL_IP"];
  const flat = requestHeaders(["Host", "a", ...folded.flatMap((name) => [name, "9.9.9.9"]), "X_Own", "1"], facts);
  assert.deepEqual(
    flat.filter((text) => text.includes("_")),
    ["X_Own"],
  );
});

test("a response that says when it was made keeps its Date, and one that does not gets one", () => {
  assert.deepEqual(valuesOf(responseHeaders(["Date", "long ago"], answer), "Date"), ["long ago"]);
  assert.deepEqual(valuesOf(responseHeaders([], answer), "Date"), [DATE]);
  assert.deepEqual(valuesOf(responseHeaders([], { ...answer, status: 103 }), "Date"), []);
});

test("a request without a Host, as HTTP/1.0 may be, is forwarded without a host", () => {
  const flat = requestHeaders([], { ...facts, host: undefined, httpVersion: "1.0" });
  assert.deepEqual(valuesOf(flat, "X-Forwarded-Host"), []);
  assert.deepEqual(valuesOf(flat, "Forwarded"), ["for=203.0.113.7;proto=http"]);
  assert.deepEqual(valuesOf(flat, "Via"), ["1.0 lb"]);
});

test("X-Request-Id and traceparent are made where there is none, and passed where there is", () => {
  const made = requestHeaders(["Host", "a"], facts);
  assert.deepEqual([valuesOf(made, "X-Request-Id"), valuesOf(made, "traceparent")], [["made-id"], ["made-trace"]]);
  const passed = requestHeaders(["x-request-id", "theirs", "Traceparent", TRACE, "Tracestate", "a=1"], facts);
  assert.deepEqual([valuesOf(passed, "X-Request-Id"), valuesOf(passed, "traceparent")], [["theirs"], [TRACE]]);
  assert.deepEqual(valuesOf(passed, "tracestate"), ["a=1"]);
});

const readable = {
  "a later version": TRACE.replace("00", "cc"),
  "a later version's end": `${TRACE.replace("00", "01")}-x`,
};
for (const [what, trace] of Object.entries(readable)) {
  test(`a trace goes on with ${what}`, () =>
    assert.deepEqual(valuesOf(requestHeaders(["traceparent", trace], facts), "traceparent"), [trace]));
}

const unreadable: Readonly<Record<string, readonly string[]>> = {
  garbage: ["traceparent", "xyz"],
  "a trace of zeros": ["traceparent", TRACE.replace(/-[0-9a-f]{32}/, `-${"0".repeat(32)}`)],
  "a parent of zeros": ["traceparent", TRACE.replace(/-[0-9a-f]{16}-/, `-${"0".repeat(16)}-`)],
  "version ff": ["traceparent", TRACE.replace("00", "ff")],
  "capital letters": ["traceparent", TRACE.toUpperCase()],
  "more than version 00 has": ["traceparent", `${TRACE}-x`],
  "two of them": ["traceparent", TRACE, "Traceparent", TRACE],
  "a tracestate alone": [],
};
for (const [what, lines] of Object.entries(unreadable)) {
  test(`a trace begins anew behind ${what}, without the old tracestate; a tier behind passes on what it gets`, () => {
    const flat = [...lines, "tracestate", "a=1"];
    const made = requestHeaders(flat, facts);
    assert.deepEqual([valuesOf(made, "traceparent"), valuesOf(made, "tracestate")], [["made-trace"], []]);
    assert.deepEqual(valuesOf(requestHeaders(flat, behind), "tracestate"), ["a=1"]);
  });
}

test("Via grows by one name at each tier, after those before it, on one line", () => {
  const once = requestHeaders(["Via", "1.0 fred", "via", "1.1 cdn (x)"], facts);
  assert.deepEqual(valuesOf(once, "Via"), ["1.0 fred, 1.1 cdn (x), 1.1 lb"]);
  assert.deepEqual(valuesOf(requestHeaders(once, behind), "Via"), ["1.0 fred, 1.1 cdn (x), 1.1 lb, 1.1 proxy-1"]);
  assert.deepEqual(valuesOf(responseHeaders(["Via", "1.1 inner"], answer), "Via"), ["1.1 inner, 1.1 proxy-1"]);
});

test("Expect is not forwarded: this hop has its own 100", () => {
  assert.deepEqual(valuesOf(requestHeaders(["Expect", "100-continue"], facts), "Expect"), []);
});

test("an OPTIONS has one hop less to go; other methods' Max-Forwards means nothing and stays", () => {
  const raw = ["Max-Forwards", "3"];
  assert.deepEqual(valuesOf(requestHeaders(raw, { ...facts, method: "OPTIONS" }), "Max-Forwards"), ["2"]);
  assert.deepEqual(valuesOf(requestHeaders(raw, facts), "Max-Forwards"), ["3"]);
});

test("the tier that knows the server names it, whatever the server says; the one before it leaves the name alone", () => {
  const spoofed = responseHeaders(["X-Served-By", "me", "x-served-by", "me too"], answer);
  assert.deepEqual(valuesOf(spoofed, "X-Served-By"), ["server-4"]);
  const passed = responseHeaders(spoofed, { ...answer, pseudonym: "lb", servedBy: undefined });
  assert.deepEqual(valuesOf(passed, "X-Served-By"), ["server-4"]);
});

test("an answer that took more than one attempt says how many; a sticky session is one more Set-Cookie", () => {
  assert.deepEqual(valuesOf(responseHeaders([], answer), "X-LB-Attempts"), []);
  const flat = responseHeaders(["Set-Cookie", "theirs=1"], { ...answer, attempts: 2, cookie: "ours=2" });
  assert.deepEqual(valuesOf(flat, "X-LB-Attempts"), ["2"]);
  assert.deepEqual(valuesOf(flat, "Set-Cookie"), ["theirs=1", "ours=2"]);
});

test("a 1xx or 204 goes on without a length; any other status keeps its own", () => {
  const lengths = [103, 204, 200, 304].map((status) => {
    return valuesOf(responseHeaders(["Content-Length", "10"], { ...answer, status }), "Content-Length").length;
  });
  assert.deepEqual(lengths, [0, 0, 1, 1]);
});

test("two Set-Cookie lines stay two, with their case and their order", () => {
  const raw = ["Set-Cookie", "a=1, x", "X-B", "1", "SET-cookie", "b=2", "X-A", ""];
  assert.deepEqual(responseHeaders(raw, answer).slice(0, raw.length), raw);
});

test("trailers go only to who asked for them, and never those that would change the message or its hop", () => {
  const trailers = [
    "X-Checksum",
    "1",
    "Content-Length",
    "5",
    "Transfer-Encoding",
    "chunked",
    "Set-Cookie",
    "a",
    "x-B",
    "2",
  ];
  assert.deepEqual(trailersFor(["TE", "gzip, trailers"], trailers), [
    ["X-Checksum", "1"],
    ["x-B", "2"],
  ]);
  assert.deepEqual(trailersFor(["TE", "gzip"], trailers), []);
  assert.deepEqual(trailersFor([], trailers), []);
});

const anyCase = (name: string) =>
  fc.array(fc.boolean(), { minLength: name.length, maxLength: name.length }).map((upper) => {
    return [...name].map((letter, index) => (upper[index] ? letter.toUpperCase() : letter.toLowerCase())).join("");
  });
const OTHERS = ["set-cookie", "x-a", "x-b", "cookie", "accept", "etag", "authorization", "x-port"];
const header = fc.oneof(
  fc.tuple(fc.constantFrom(...HOP, ...OTHERS).chain(anyCase), fc.constantFrom("1", "a, b", "close", "")),
  fc.tuple(
    anyCase("connection"),
    fc.array(fc.constantFrom(...OTHERS).chain(anyCase)).map((names) => names.join(" ,")),
  ),
);
/** Added by us, so not part of what is kept; none of them is in OTHERS. */
const OURS = /^(host|via|x-forwarded-(for|proto|host)|forwarded|x-request-id|traceparent|x-served-by|date)$/i;

test("in any list: nothing of the hop passes, and everything else does, in its order, case and number", () => {
  fc.assert(
    fc.property(fc.array(header, { maxLength: 12 }), (headers) => {
      const hop = new Set(HOP.map((name) => name.toLowerCase()));
      for (const [name, value] of headers) {
        if (!/^(proxy-)?connection$/i.test(name)) continue;
        for (const token of value.split(",")) hop.add(token.trim().toLowerCase());
      }
      const kept = headers.filter(([name]) => !hop.has(name.toLowerCase()));
      const raw = headers.flat();
      for (const flat of [requestHeaders(raw, facts), requestHeaders(raw, behind), responseHeaders(raw, answer)]) {
        assert.deepEqual(
          pairs(flat).filter(([name]) => !OURS.test(name)),
          kept,
        );
      }
    }),
    { numRuns: 1_000 },
  );
});
