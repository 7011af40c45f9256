// What is sent through every proxy: the requests of the rule table, and variations that fast-check makes of what parsers
// disagree on: framing, Host, target, line ends. The seed is fixed, so that a case has its name for good.

import fc from "fast-check";
import { rows } from "../rules/table.ts";

const SEED = 20_261_122;
const VARIATIONS = 90;

export interface Case {
  readonly name: string;
  readonly bytes: string;
}

/** A body so long that the rest of a case (outcome.ts) would not fill it. */
const LONG = /Content-Length: \d{4,12}\r/;

/** Of the rows, those that are a client's bytes and no more. */
const fromTable: readonly Case[] = rows.flatMap((row) =>
  "request" in row && row.origin === undefined && !LONG.test(row.request)
    ? [{ name: `${row.rule}. ${row.fact}`, bytes: row.request }]
    : [],
);

const line = (name: string, values: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(": ", ":", ":\t", " : ", ":  ", ":\x0b", ":\r\n "),
      fc.constantFrom(...values),
      fc.constantFrom("", "", " ", "\t", "\x0c", ","),
    )
    .map(([colon, value, end]) => `${name}${colon}${value}${end}`);

const lengths = line("Content-Length", ["5", "05", "0", "4", "6", "5, 5", "5,", "\x005", "5\r", "5e0", "５"]);
const codings = line("Transfer-Encoding", [
  "chunked",
  "Chunked",
  "chunked, ",
  ", chunked",
  '"chunked"',
  "chunked\0",
  "identity, chunked",
  "x",
]);
const hosts = line("Host", [
  "a.test",
  "a.test:80",
  "a.test:",
  "a.test:99999",
  "%61.test",
  "a.test.",
  "[fe80::1%25lo]",
  "a.test\\b",
  "a|b",
  "a.test:80:80",
  "a;b",
  "*",
]);
const others = fc.constantFrom(
  "X-A: 1",
  "X_A: 1",
  "X-A:",
  "Content_Length: 3",
  "Connection: close, Content-Length",
  "Content-Length\0: 3",
  "Transfer\r-Encoding: chunked",
  "Expect: 100-continue",
  ": x",
  "X-A\t: 1",
  "Transfer-Encoding\n: chunked",
);
const targets = fc.constantFrom(
  "/",
  "//",
  "/a?b#",
  "/%",
  "/a\\b",
  "/?a=b c",
  "/\x80",
  "a/b",
  "http://a.test",
  "http://a.test:80/x?",
  "http:/a",
  "HTTPS://a.test/",
  "*",
  "/;/../a",
  "/a\x0bb",
  "?a",
  "//a.test/b",
);
const methods = fc.constantFrom(
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "PATCH",
  "PROPFIND",
  "Get",
  "G@T",
  "GET\t",
  "\r\nPOST",
  " GET",
);
const versions = fc.constantFrom(
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/1.1 ",
  " HTTP/1.1",
  "HTTP/1,1",
  "HTTP/01.01",
  "HTTP/1.3",
);
const ends = fc.constantFrom("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n", "\n\r\n");
const bodies = fc.constantFrom(
  "",
  "hello",
  "5\r\nhello\r\n0\r\n\r\n",
  "5;x\r\nhello\r\n0\r\nX: y\r\n\r\n",
  "5\nhello\n0\n\n",
  "05 \r\nhello\r\n0\r\n\r\n",
  "5\r\nhelloX\r\n0\r\n\r\n",
  "0\r\n\r\nhello",
  "5;\n\r\nhello\r\n0\r\n\r\n",
);

interface Parts {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: readonly string[];
  readonly end: string;
  readonly body: string;
}

/** Sound in all but one or two places: what is wrong everywhere is refused everywhere, and tells nothing. */
const base: Parts = {
  method: "POST",
  target: "/",
  version: "HTTP/1.1",
  fields: ["Host: a.test", "Content-Length: 5"],
  end: "\r\n",
  body: "hello",
};
const chunkedBase: Parts = {
  ...base,
  fields: ["Host: a.test", "Transfer-Encoding: chunked"],
  body: "5\r\nhello\r\n0\r\n\r\n",
};

const change: fc.Arbitrary<(parts: Parts) => Parts> = fc.oneof(
  methods.map((method) => (parts: Parts) => ({ ...parts, method })),
  targets.map((target) => (parts: Parts) => ({ ...parts, target })),
  versions.map((version) => (parts: Parts) => ({ ...parts, version })),
  ends.map((end) => (parts: Parts) => ({ ...parts, end })),
  bodies.map((body) => (parts: Parts) => ({ ...parts, body })),
  fc.tuple(fc.oneof(lengths, codings), fc.boolean()).map(([field, replaces]) => (parts: Parts) => ({
    ...parts,
    fields: replaces ? [parts.fields[0] as string, field] : [...parts.fields, field],
  })),
  fc.tuple(hosts, fc.boolean()).map(([field, replaces]) => (parts: Parts) => ({
    ...parts,
    fields: replaces ? [field, ...parts.fields.slice(1)] : [...parts.fields, field],
  })),
  others.map((field) => (parts: Parts) => ({ ...parts, fields: [...parts.fields, field] })),
);

const variation = fc
  .tuple(fc.constantFrom(base, chunkedBase), change, fc.option(change, { nil: undefined, freq: 1 }))
  .map(([parts, first, second]) => written(second === undefined ? first(parts) : second(first(parts))));

/** The odd line end stands behind the last header but one. */
function written({ method, target, version, fields, end, body }: Parts): string {
  const lines = [`${method} ${target} ${version}`, ...fields];
  const last = lines.pop();
  return `${lines.join("\r\n")}${end}${last}\r\n\r\n${body}`;
}

const generated: readonly Case[] = [...new Set(fc.sample(variation, { seed: SEED, numRuns: 4 * VARIATIONS }))]
  .slice(0, VARIATIONS)
  .map((bytes) => ({ name: `made: ${JSON.stringify(bytes)}`, bytes: Buffer.from(bytes).toString("latin1") }));

export const corpus: readonly Case[] = [...fromTable, ...generated];
