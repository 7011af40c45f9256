import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { fieldsOf, linesWithout } from "../../services/http/message/fields.ts";
import { headerId } from "../../services/http/message/known-headers.ts";
import { BodyWriter, CHUNKS, UNTIL_CLOSE } from "../../services/http/message/message-writer.ts";
import { BLOCK_BYTES } from "../../services/net/blocks.ts";
import { HeldOutput, Outgoing } from "../../services/net/outgoing.ts";
import { Transport } from "../../services/net/transport.ts";
import { enterTurn, leaveTurn } from "../../services/net/turn.ts";
import { eventually } from "../tools/eventually.ts";
import { readRequest } from "./reading.ts";

/** An output, and each write that comes of it. */
function output(highWaterMark = 1_000_000) {
  const writes: string[] = [];
  const stream = new Duplex({
    highWaterMark,
    read() {},
    write: (chunk: Buffer, _encoding, done) => {
      writes.push(chunk.toString("latin1"));
      setImmediate(done);
    },
  });
  let blocked = 0;
  const onBlocked = () => {
    blocked += 1;
  };
  const out = new Outgoing(new Transport(stream, { direct: false }), { onBlocked });
  return { out, writes, stream, blocked: () => blocked };
}

const nextTick = () => new Promise(process.nextTick);

test("what is written in one turn leaves in one write, when the turn is over", () => {
  const { out, writes } = output();
  enterTurn();
  out.text("head,");
  out.piece("<", Buffer.from("body"), ">");
  out.text("next");
  assert.deepEqual(writes, []);
  leaveTurn();
  assert.deepEqual(writes, ["head,<body>next"]);
});

test("what is written outside of a turn leaves at the next tick", async () => {
  const { out, writes } = output();
  out.text("a");
  out.text("b");
  assert.deepEqual(writes, []);
  await nextTick();
  assert.deepEqual(writes, ["ab"]);
});

test("large pieces of one turn leave in one write, with all that stands around them", () => {
  const { out, writes } = output();
  const piece = Buffer.alloc(30_000, "x");
  enterTurn();
  out.text("head,");
  out.piece("<", piece, ">");
  out.text("between,");
  out.piece("<", piece, ">");
  piece.fill("y");
  out.text("next");
  assert.deepEqual(writes, []);
  leaveTurn();
  const framed = `<${"x".repeat(30_000)}>`;
  assert.deepEqual(writes, [`head,${framed}between,${framed}next`]);
});

test("pieces that are more than a block leave in order, in as many writes as there are blocks", async () => {
  for (const bytes of [20_000, 34_000, BLOCK_BYTES - 2, BLOCK_BYTES - 1, 100_000]) {
    const { out, writes } = output();
    const piece = Buffer.alloc(bytes);
    enterTurn();
    out.text("head,");
    for (const each of ["a", "b", "c", "d", "e"]) out.piece("<", piece.fill(each), ">");
    piece.fill("y");
    out.text("next");
    leaveTurn();
    const all = `head,${[..."abcde"].map((each) => `<${each.repeat(bytes)}>`).join("")}next`;
    await eventually("all of it", () => writes.join("").length === all.length);
    assert.ok(writes.join("") === all, `pieces of ${bytes} bytes`);
    const blocks = Math.ceil(5 / Math.max(1, Math.floor(BLOCK_BYTES / (bytes + 2))));
    assert.ok(writes.length <= blocks + 2, `${writes.length} writes of pieces of ${bytes} bytes`);
  }
});

test("whoever writes hears once that the other side is slower", async () => {
  const { out, stream, blocked } = output(10);
  enterTurn();
  for (let round = 0; round < 3; round += 1) out.piece("", Buffer.alloc(20_000), "");
  leaveTurn();
  assert.deepEqual([out.writable, blocked()], [false, 1]);
  await new Promise((resolve) => stream.once("drain", resolve));
  assert.deepEqual([out.drained(), out.writable, out.drained()], [true, true, false]);
});

test("what is held comes out as it went in", () => {
  const { out, writes } = output();
  const held = new HeldOutput();
  held.text("head,");
  held.piece("<", Buffer.from("body"), ">");
  assert.equal(held.writable, true);
  const piece = Buffer.alloc(70_000, "x");
  held.piece("", piece, "");
  piece.fill("y");
  assert.equal(held.writable, false);
  enterTurn();
  held.moveTo(out);
  leaveTurn();
  assert.equal(writes.join(""), `head,<body>${"x".repeat(70_000)}`);
});

test("a body is framed as its head said, and says so when it is not what was said", () => {
  const written = (length: number, ...pieces: string[]) => {
    const held = new HeldOutput();
    const { out, writes } = output();
    const body = new BodyWriter(held, length);
    const fits = pieces.every((piece) => body.data(Buffer.from(piece)));
    const whole = fits && body.end(fieldsOf(["X-T", "1"]));
    enterTurn();
    held.moveTo(out);
    leaveTurn();
    return [writes.join(""), fits, whole];
  };
  assert.deepEqual(written(5, "he", "", "llo"), ["hello", true, true]);
  assert.deepEqual(written(5, "hell"), ["hell", true, false]);
  assert.deepEqual(written(5, "hel", "lo!"), ["hel", false, false]);
  assert.deepEqual(written(0, "hello"), ["", true, true]);
  assert.deepEqual(written(CHUNKS, "he", "", "llo"), ["2\r\nhe\r\n3\r\nllo\r\n0\r\nX-T: 1\r\n\r\n", true, true]);
  assert.deepEqual(written(UNTIL_CLOSE, "he", "llo"), ["hello", true, true]);
});

test("lines pass as they are, without those that are taken out", () => {
  const lines = "Host: a\r\nX-A:  1 \r\nVIA: x\r\nx-b:2\r\nvia: y\r\nConnection: close\r\nX-C: \r\n";
  const { head } = readRequest([`GET / HTTP/1.1\r\n${lines}\r\n`]);
  assert.ok(head);
  const without = (...names: ("via" | "connection" | "host" | "te")[]) =>
    linesWithout(
      head,
      names.reduce((ids, name) => ids | (1 << headerId[name]), 0),
    );
  assert.equal(without(), lines);
  assert.equal(without("te"), lines);
  assert.equal(without("via"), "Host: a\r\nX-A:  1 \r\nx-b:2\r\nConnection: close\r\nX-C: \r\n");
  assert.equal(without("host", "via", "connection"), "X-A:  1 \r\nx-b:2\r\nX-C: \r\n");
});

test("fields know the length that they say", () => {
  assert.deepEqual(fieldsOf(["A", "1", "content-LENGTH", "12"]), {
    text: "A: 1\r\ncontent-LENGTH: 12\r\n",
    length: 12,
  });
  assert.deepEqual(fieldsOf([]), { text: "", length: -1 });
});

test("what is read of a head can be written, and read again as the same", () => {
  const name = fc.string({ unit: fc.constantFrom(..."aB-_9"), minLength: 1, maxLength: 8 });
  const value = fc.string({ unit: fc.constantFrom(..."aB ,\t\xe9"), maxLength: 12 }).map((text) => text.trim());
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (pairs) => {
      const flat = ["Host", "a", ...pairs.flat()];
      const { head } = readRequest([`GET / HTTP/1.1\r\n${fieldsOf(flat).text}\r\n`]);
      assert.deepEqual(head?.headers(), flat);
    }),
    { numRuns: 500 },
  );
});
