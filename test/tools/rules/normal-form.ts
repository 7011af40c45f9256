// Pure. Makes two messages comparable: what a tier adds is taken out and judged by itself, Host goes first (where RFC 9110,
// section 7.2, wants it), and the framing is named instead of spelled. All else stays as it is: the first line, order, case,
// values, body.

import assert from "node:assert/strict";
import { type Message, readRequest, valuesOf } from "../wire/http-bytes.ts";
import type { Topology } from "./topology.ts";

const ADDED: ReadonlySet<string> = new Set([
  ...["via", "x-request-id", "traceparent", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"],
  ...["x-served-by", "x-lb-attempts", "date"],
]);
const FRAMING: ReadonlySet<string> = new Set(["connection", "keep-alive", "content-length", "transfer-encoding"]);
/** What belongs to one hop and must not be on the next. */
const NEVER: readonly string[] = [
  ...["keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "trailer", "http2-settings"],
];

export function normalRequest(message: Message): string {
  const fields = plain(message);
  const hosts = valuesOf(message, "host").map((host) => `Host: ${host}`);
  const rest = fields.filter((field) => !/^host:/i.test(field));
  const framing = message.framing === "chunked" ? "(chunked)" : `(${message.body.length} bytes)`;
  return [message.line, ...hosts, ...rest, framing, message.body].join("\n");
}

/** The same of bytes that the table gives. */
export function normalBytes(bytes: string): string {
  const read = readRequest(bytes);
  assert.ok(read.kind === "read" && read.size === bytes.length, `the table's ${JSON.stringify(bytes)} is one request`);
  return normalRequest(read.message);
}

/** Headers without framing and without what a tier adds. */
export function plain({ headers }: Pick<Message, "headers">): string[] {
  return headers
    .filter(([name]) => !ADDED.has(name.toLowerCase()) && !FRAMING.has(name.toLowerCase()))
    .map(([name, value]) => `${name}: ${value}`);
}

/** What holds of every request that leaves a tier, whatever the row is about. */
export function judgeForwarded(message: Message, { pseudonyms, edge }: Topology): void {
  const one = (name: string) => {
    const values = valuesOf(message, name);
    assert.equal(values.length, 1, `one ${name} in ${message.line}: ${JSON.stringify(values)}`);
    return values[0] as string;
  };
  const host = one("host");
  assert.match(message.line, / HTTP\/1\.1$/);
  for (const name of NEVER) assert.deepEqual(valuesOf(message, name), [], `${name} goes no further`);
  for (const value of valuesOf(message, "te")) assert.equal(value, "trailers");
  assert.match(one("x-request-id"), /^[\x21-\x7e]+$/);
  assert.match(one("traceparent"), /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);
  const via = one("via").split(", ").slice(-pseudonyms.length);
  for (const [index, entry] of via.entries()) assert.match(entry, new RegExp(`^1\\.[01] ${pseudonyms[index]}$`));
  if (!edge) return;
  assert.equal(one("x-forwarded-for"), "127.0.0.1");
  assert.equal(one("x-forwarded-proto"), "http");
  for (const value of valuesOf(message, "x-forwarded-host")) assert.equal(value, host);
  assert.match(one("forwarded"), /^for=127\.0\.0\.1(;host="[^"]+")?;proto=http$/);
}
