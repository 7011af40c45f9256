// The frame decoder: what is read, what is a fault, that cuts make no difference, and that no bytes make it throw.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameDecoder, NOTHING } from "../../services/link/frame-decoder.ts";
import {
  DATA,
  DATA_BYTES_MAX,
  END,
  GOAWAY,
  HEAD,
  HELLO,
  HELLO_BYTES,
  helloBytes,
  INFORMATIONAL,
  INFORMATIONAL_BYTES_MAX,
  PING,
  PONG,
  RESET,
  readHello,
  STREAM_MAX,
  TRAILERS_BYTES_MAX,
  WHOLE,
  WHOLE_BODY_BYTES_MAX,
  WINDOW,
} from "../../services/link/frames.ts";
import { Cursor } from "../../services/net/cursor.ts";
import { decode, frame, HEAD_BYTES_MAX, header, uint32, whole } from "./frames.ts";

const good: readonly (readonly [fact: string, bytes: Buffer, read: readonly string[]])[] = [
  ["a head", frame(HEAD, 1, "GET /"), [`${HEAD} 1 GET /`]],
  ["a whole message", whole(2, "head", "body"), [`${WHOLE} 2 head|body`]],
  ["a whole message without a body", whole(3, "head"), [`${WHOLE} 3 head|`]],
  ["the last stream's number", frame(HEAD, STREAM_MAX, "x"), [`${HEAD} ${STREAM_MAX} x`]],
  ["an informational head", frame(INFORMATIONAL, 1, "103"), [`${INFORMATIONAL} 1 103`]],
  ["a piece of a body", frame(DATA, 9, "\0\xff"), [`${DATA} 9 \0\xff`]],
  ["an end", frame(END, 1), [`${END} 1 `]],
  ["an end with trailers", frame(END, 1, "X: y"), [`${END} 1 X: y`]],
  ["a reset", frame(RESET, 1, "\x02"), [`${RESET} 1 \x02`]],
  ["more credit", frame(WINDOW, 1, uint32(0x7fffffff)), [`${WINDOW} 1 \x7f\xff\xff\xff`]],
  ["a ping and its answer", Buffer.concat([frame(PING, 0), frame(PONG, 0)]), [`${PING} 0 `, `${PONG} 0 `]],
  ["a goaway", frame(GOAWAY, 0), [`${GOAWAY} 0 `]],
  [
    "all of an exchange",
    Buffer.concat([
      frame(HEAD, 1, "h"),
      frame(DATA, 1, "abc"),
      frame(DATA, 2, "de"),
      frame(END, 1),
      whole(4, "i", "j"),
    ]),
    [`${HEAD} 1 h`, `${DATA} 1 abc`, `${DATA} 2 de`, `${END} 1 `, `${WHOLE} 4 i|j`],
  ],
];

for (const [fact, bytes, read] of good) {
  test(`${fact} is read, however it is cut`, () => {
    assert.deepEqual(decode([bytes]), read);
    assert.deepEqual(decode([...bytes].map((byte) => Buffer.from([byte]))), read);
    for (const pieces of cuts(bytes)) assert.deepEqual(decode(pieces), read);
  });
}

const bad: readonly (readonly [fact: string, bytes: Buffer, fault: string])[] = [
  ["type 0", header(0, 0, 1), "frame-type"],
  ["a type that nobody knows", header(0, 12, 0), "frame-type"],
  ["type 255", header(0, 255, 1), "frame-type"],
  ["HTTP/1.1 instead of frames", Buffer.from("GET / HTTP/1.1\r\n"), "frame-type"],
  ["a head of no byte", header(0, HEAD, 1), "frame-length"],
  ["a head that is too long", header(HEAD_BYTES_MAX + 1, HEAD, 1), "frame-length"],
  ["4 GB", header(0xffffffff, HEAD, 1), "frame-length"],
  ["data of no byte", header(0, DATA, 1), "frame-length"],
  ["data that is too long", header(DATA_BYTES_MAX + 1, DATA, 1), "frame-length"],
  ["an informational head of no byte", header(0, INFORMATIONAL, 1), "frame-length"],
  ["an informational head that is too long", header(INFORMATIONAL_BYTES_MAX + 1, INFORMATIONAL, 1), "frame-length"],
  ["trailers that are too long", header(TRAILERS_BYTES_MAX + 1, END, 1), "frame-length"],
  ["a whole message without a head's length", header(4, WHOLE, 1), "frame-length"],
  ["a whole message that is too long", header(4 + HEAD_BYTES_MAX + WHOLE_BODY_BYTES_MAX + 1, WHOLE, 1), "frame-length"],
  ["a whole message whose body is too long", whole(1, "h", "b".repeat(WHOLE_BODY_BYTES_MAX + 1)), "frame-length"],
  ["a whole message whose head is too long", whole(1, "h".repeat(HEAD_BYTES_MAX + 1)), "head-length"],
  ["a whole message without a head", whole(1, "", "body"), "head-length"],
  ["a head that is longer than its message", whole(1, "head", "", 5), "head-length"],
  ["a head of 4 GB in a whole message", whole(1, "head", "", 0xffffffff), "head-length"],
  ["a reset without a reason", header(0, RESET, 1), "frame-length"],
  ["a reset with two reasons", header(2, RESET, 1), "frame-length"],
  ["a reset for no reason that is known", frame(RESET, 1, "\x03"), "reset-reason"],
  ["credit of no byte", frame(WINDOW, 1, uint32(0)), "window-increment"],
  ["credit of 2 GB", frame(WINDOW, 1, uint32(0x80000000)), "window-increment"],
  ["credit that says no number", header(3, WINDOW, 1), "frame-length"],
  ["a ping with something in it", header(1, PING, 0), "frame-length"],
  ["a goaway with something in it", header(1, GOAWAY, 0), "frame-length"],
  ["a hello that is too short", header(HELLO_BYTES - 1, HELLO, 0), "frame-length"],
  ["a hello that is too long", header(HELLO_BYTES + 1, HELLO, 0), "frame-length"],
  ["a head on no stream", header(1, HEAD, 0), "frame-stream"],
  ["data on no stream", header(1, DATA, 0), "frame-stream"],
  ["credit on no stream", header(4, WINDOW, 0), "frame-stream"],
  ["a ping on a stream", header(0, PING, 1), "frame-stream"],
  ["a hello on a stream", header(HELLO_BYTES, HELLO, 1), "frame-stream"],
];

for (const [fact, bytes, fault] of bad) {
  test(`${fact} is a fault, however it is cut, and nothing is read behind it`, () => {
    const all = Buffer.concat([frame(HEAD, 7, "ok"), bytes, frame(HEAD, 8, "more")]);
    const read = [`${HEAD} 7 ok`, fault];
    assert.deepEqual(decode([all]), read);
    const some = all.length > 4096 ? [[all.subarray(0, 100), all.subarray(100)]] : cuts(all);
    for (const pieces of some) assert.deepEqual(decode(pieces), read);
  });
}

test("what is longest is read, whole and in parts", () => {
  const head = "h".repeat(HEAD_BYTES_MAX);
  const body = "b".repeat(WHOLE_BODY_BYTES_MAX);
  const data = "d".repeat(DATA_BYTES_MAX);
  const all = Buffer.concat([frame(HEAD, 1, head), whole(2, head, body), frame(DATA, 1, data)]);
  const read = [`${HEAD} 1 ${head}`, `${WHOLE} 2 ${head}|${body}`, `${DATA} 1 ${data}`];
  assert.deepEqual(decode([all]), read);
  for (const size of [7, 1000, 4105, 16_384]) assert.deepEqual(decode(inPieces(all, size)), read, `in ${size}`);
});

test("data comes as far as it is there", () => {
  const decoder = new FrameDecoder({ headBytesMax: HEAD_BYTES_MAX });
  const cursor = new Cursor(Buffer.concat([header(60_000, DATA, 5), Buffer.from("abc")]));
  assert.equal(decoder.next(cursor), DATA);
  assert.equal(decoder.payload.left, 3);
  assert.equal(decoder.next(cursor), NOTHING);
});

test("a hello is read as it was written", () => {
  const hello = { version: 1, streamsMax: 10_000, windowBytes: 65_536, headBytesMax: 0xffffffff };
  assert.deepEqual(readHello(Buffer.concat([Buffer.from("x"), helloBytes(hello)]), 1), hello);
});

test("any bytes at all, in any pieces, are frames or a fault: never a throw, and nothing is given that was not there", () => {
  const types = fc.constantFrom(...Array.from({ length: 13 }, (_, type) => type));
  const plausible = fc
    .tuple(types, fc.nat(3), fc.uint8Array({ maxLength: 40 }))
    .map(([type, stream, payload]) => frame(type, stream, Buffer.from(payload)));
  const noise = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  const bytes = fc.array(fc.oneof({ weight: 5, arbitrary: plausible }, noise), { maxLength: 12 }).map(Buffer.concat);
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 50 }), (all, size) => {
      const read = decode([all]);
      assert.deepEqual(decode(inPieces(all, size)), read);
      assert.ok(read.join("").length <= all.length * 13);
    }),
    { numRuns: 3_000 },
  );
});

test("frames with any payload come out as they went in", () => {
  const one = fc.tuple(
    fc.constantFrom(HEAD, DATA, INFORMATIONAL, END),
    fc.integer({ min: 1, max: STREAM_MAX }),
    fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  fc.assert(
    fc.property(fc.array(one, { maxLength: 10 }), fc.integer({ min: 1, max: 400 }), (sent, size) => {
      const all = Buffer.concat(sent.map(([type, stream, payload]) => frame(type, stream, payload)));
      assert.deepEqual(decode(inPieces(all, size)), decode([all]));
      const last = sent.at(-1);
      if (last !== undefined) assert.ok(decode([all]).at(-1)?.endsWith(last[2]));
    }),
  );
});

/** Cut once, at every place. */
function cuts(bytes: Buffer): Buffer[][] {
  return Array.from({ length: bytes.length - 1 }, (_, at) => [bytes.subarray(0, at + 1), bytes.subarray(at + 1)]);
}

function inPieces(bytes: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}
