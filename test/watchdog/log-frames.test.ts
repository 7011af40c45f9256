// The frames of a container's log, however they are cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LogFrames } from "../../watchdog/engines/docker/streams/log-frames.ts";

function frame(stream: 1 | 2, text: string): Buffer {
  const head = Buffer.alloc(8);
  head[0] = stream;
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
}

const LOG = Buffer.concat([
  frame(1, "one\n"),
  frame(2, "an error\n"),
  frame(1, ""),
  frame(1, "two\n"),
  frame(1, "x".repeat(300)),
]);

test("what is on stdout is told, wherever the bytes are cut", () => {
  for (const size of [1, 2, 3, 7, 8, 9, 64, LOG.length]) {
    const frames = new LogFrames();
    let text = "";
    let calls = 0;
    const hear = (part: Buffer) => {
      text += part.toString();
      calls += 1;
      return 1;
    };
    let sum = 0;
    for (let at = 0; at < LOG.length; at += size) sum += frames.push(LOG.subarray(at, at + size), hear);
    assert.equal(text, `one\ntwo\n${"x".repeat(300)}`, `in pieces of ${size}`);
    assert.equal(sum, calls);
  }
});

test("a frame of a gigabyte holds nothing", () => {
  const frames = new LogFrames();
  const head = frame(1, "");
  head.writeUInt32BE(2 ** 30, 4);
  let bytes = 0;
  const count = (part: Buffer) => {
    bytes += part.length;
    return 0;
  };
  frames.push(head, count);
  const piece = Buffer.alloc(65_536);
  for (let at = 0; at < 2 ** 30; at += piece.length) frames.push(piece, count);
  frames.push(frame(1, "next"), count);
  assert.equal(bytes, 2 ** 30 + 4);
});
