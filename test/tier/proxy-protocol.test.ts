// The PROXY protocol, versions 1 and 2: whole headers, headers in pieces, and what is none.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseProxyHeader } from "../../services/tier/downstream/proxy-protocol.ts";

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n");

/** A version 2 header with the given command, family and payload. */
function version2(command: number, family: number, payload: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(payload.length);
  return Buffer.concat([SIGNATURE, Buffer.from([0x20 | command, (family << 4) | 1]), length, payload]);
}

const ipv4 = Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0x1f, 0x90, 0, 80]);
const ipv6 = Buffer.concat([Buffer.from("20010db8000000000000000000000007", "hex"), Buffer.alloc(20)]);
const mapped = Buffer.concat([Buffer.from("00000000000000000000ffffc0000207", "hex"), Buffer.alloc(20)]);
const line4 = Buffer.from("PROXY TCP4 192.0.2.7 198.51.100.1 8080 80\r\n");

const whole = [
  { name: "version 1, TCP4", bytes: line4, address: "192.0.2.7" },
  {
    name: "version 1, TCP6",
    bytes: Buffer.from("PROXY TCP6 2001:db8::7 2001:db8::1 8080 80\r\n"),
    address: "2001:db8::7",
  },
  { name: "version 1, UNKNOWN", bytes: Buffer.from("PROXY UNKNOWN whatever it says\r\n"), address: undefined },
  { name: "version 2, TCP4", bytes: version2(1, 1, ipv4), address: "192.0.2.7" },
  { name: "version 2, TCP6", bytes: version2(1, 2, ipv6), address: "2001:db8::7" },
  {
    name: "version 1, TCP6, with an address in another form",
    bytes: Buffer.from("PROXY TCP6 2001:0DB8:0:0::0:7 2001:db8::1 8080 80\r\n"),
    address: "2001:db8::7",
  },
  {
    name: "version 1, TCP6, with a mapped address",
    bytes: Buffer.from("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 8080 80\r\n"),
    address: "192.0.2.7",
  },
  { name: "version 2, TCP6, with a mapped address", bytes: version2(1, 2, mapped), address: "192.0.2.7" },
  { name: "version 2, LOCAL", bytes: version2(0, 0, Buffer.alloc(0)), address: undefined },
  {
    name: "version 2, with extensions",
    bytes: version2(1, 1, Buffer.concat([ipv4, Buffer.alloc(40)])),
    address: "192.0.2.7",
  },
];

for (const { name, bytes, address } of whole) {
  test(`${name} gives the client's address, and takes no byte of what follows`, () => {
    const parsed = parseProxyHeader(Buffer.concat([bytes, Buffer.from("GET / HTTP/1.1\r\n")]));
    assert.deepEqual(parsed, { kind: "header", length: bytes.length, address });
  });

  test(`${name} in pieces is incomplete until its last byte`, () => {
    for (let length = 0; length < bytes.length; length += 1) {
      assert.equal(parseProxyHeader(bytes.subarray(0, length)).kind, "incomplete", `${length} bytes`);
    }
  });
}

const malformed = {
  "plain HTTP": Buffer.from("GET / HTTP/1.1\r\n"),
  "a line without an end": Buffer.from(`PROXY TCP4 ${"1".repeat(200)}`),
  "an address that is none": Buffer.from("PROXY TCP4 192.0.2.700 198.51.100.1 8080 80\r\n"),
  "an IPv6 address that is none": Buffer.from("PROXY TCP6 2001:db8:::7 2001:db8::1 8080 80\r\n"),
  "a family that does not fit": Buffer.from("PROXY TCP6 192.0.2.7 198.51.100.1 8080 80\r\n"),
  "a version that does not exist": Buffer.concat([SIGNATURE, Buffer.from([0x31, 0x11, 0, 12]), ipv4]),
  "a payload too short for its family": version2(1, 2, ipv4),
};

for (const [name, bytes] of Object.entries(malformed)) {
  test(`${name} is malformed`, () => assert.equal(parseProxyHeader(bytes).kind, "malformed"));
}

test("no bytes make the parser throw, or claim more than there are", () => {
  const begun = fc.constantFrom(SIGNATURE, Buffer.from("PROXY "), Buffer.alloc(0));
  fc.assert(
    fc.property(begun, fc.uint8Array({ maxLength: 200 }), (start, rest) => {
      const bytes = Buffer.concat([start, rest]);
      const parsed = parseProxyHeader(bytes);
      if (parsed.kind === "header") assert.ok(parsed.length <= bytes.length);
    }),
  );
});
