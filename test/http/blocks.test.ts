// Memory that is used again, on real sockets: what one reader has not taken yet must never become what was written for another.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { BLOCK_BYTES, Block, Copy } from "../../services/net/blocks.ts";
import { Outgoing } from "../../services/net/outgoing.ts";
import { Transport } from "../../services/net/transport.ts";
import { within } from "../tools/eventually.ts";

const CONNECTIONS = 8;
const BYTES_EACH = 8 * 1024 * 1024;
const SIZES = [9_000, 20_000, 33_000, 65_000, 65_536, 70_000];

/** Writes until it has written all, as fast as the other side takes it. */
class Writer {
  readonly outgoing: Outgoing;
  readonly #byte: number;
  #written = 0;
  #pieces = 0;

  constructor(socket: Socket, byte: number) {
    const transport = new Transport(socket, { direct: false });
    this.outgoing = new Outgoing(transport, { onBlocked() {} });
    this.#byte = byte;
    transport.owner = {
      onBytes() {},
      onEnd() {},
      onClose() {},
      onDrain: () => {
        this.outgoing.drained();
        this.goOn();
      },
    };
  }

  goOn(): void {
    while (this.outgoing.writable && this.#written < BYTES_EACH) {
      const size = SIZES[this.#pieces % SIZES.length] as number;
      // As the buffer that is read into, it is another's as soon as it was given.
      const borrowed = Buffer.alloc(size, this.#byte);
      this.outgoing.piece("", borrowed, "");
      borrowed.fill(0);
      this.#pieces += 1;
      this.#written += size;
      if (this.#pieces % 3 === 0) this.outgoing.flush();
    }
    this.outgoing.flush();
  }
}

test("each reader gets its own bytes, however slowly it reads", async (context) => {
  const { accepted, port } = await serving(context);
  const ended: Promise<number>[] = [];
  for (let byte = 1; byte <= CONNECTIONS; byte += 1) {
    const reader = connect(port, "127.0.0.1");
    context.after(() => reader.destroy());
    await once(reader, "connect");
    ended.push(readOnly(reader, byte));
  }
  const sockets = await accepted;
  for (const [index, socket] of sockets.entries()) new Writer(socket, index + 1).goOn();
  for (const bytes of await within(20_000, "all bytes", Promise.all(ended))) assert.ok(bytes >= BYTES_EACH);
});

test("a block that was given back twice is one block", () => {
  const block = Block.take();
  block.giveBack();
  block.giveBack();
  assert.notEqual(Block.take(), Block.take());
});

test("a copy has the bytes that it was made of, whatever their number", () => {
  for (const bytes of [0, 1, 32 * 1024, BLOCK_BYTES, BLOCK_BYTES + 1]) {
    const borrowed = Buffer.alloc(bytes, "x");
    const [copy, other] = [new Copy(borrowed), new Copy(Buffer.alloc(bytes, "z"))];
    borrowed.fill("y");
    assert.ok(copy.bytes.equals(Buffer.alloc(bytes, "x")), `${bytes} bytes`);
    copy.giveBack();
    assert.ok(other.bytes.equals(Buffer.alloc(bytes, "z")), `${bytes} bytes of another`);
  }
});

async function serving(context: TestContext): Promise<{ accepted: Promise<Socket[]>; port: number }> {
  const sockets: Socket[] = [];
  const server = createServer();
  const accepted = new Promise<Socket[]>((resolve) => {
    server.on("connection", (socket) => {
      context.after(() => socket.destroy());
      if (sockets.push(socket) === CONNECTIONS) resolve(sockets);
    });
  });
  context.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { accepted, port: (server.address() as AddressInfo).port };
}

/** Reads now and then, as fast as its number says. @returns how many bytes came, all of which must be this one */
function readOnly(reader: Socket, byte: number): Promise<number> {
  let bytes = 0;
  return new Promise((resolve, reject) => {
    reader.on("data", (chunk) => {
      bytes += chunk.length;
      const wrong = chunk.findIndex((each) => each !== byte);
      if (wrong >= 0) reject(new Error(`${chunk[wrong]} came to reader ${byte}`));
      if (bytes >= BYTES_EACH) resolve(bytes);
      reader.pause();
      let turns = byte;
      const rest = () => {
        turns -= 1;
        if (turns > 0) setImmediate(rest);
        else reader.resume();
      };
      setImmediate(rest);
    });
    reader.on("error", reject);
  });
}
