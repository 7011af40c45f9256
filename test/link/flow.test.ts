// Flow control on real sockets: bulk both ways, slow readers beside fast ones, and bounds on what is queued.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stream } from "../../services/link/stream.ts";
import { WINDOW_BYTES, WINDOW_BYTES_MAX } from "../../services/link/window.ts";
import type { Cursor } from "../../services/net/cursor.ts";
import { eventually, throughout, within } from "../tools/eventually.ts";
import { Echo, linked, Recorder } from "./pair.ts";

const MB = 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, "x");
const NONE = Buffer.alloc(0);

/** Sends so many bytes, as fast as it may. */
class Sender extends Recorder {
  stream: Stream | undefined;
  sent = 0;
  readonly #bytes: number;

  constructor(bytes: number) {
    super({ keepsBody: false });
    this.#bytes = bytes;
  }

  start(stream: Stream): this {
    this.stream = stream;
    stream.head("head");
    this.onWritable();
    return this;
  }

  override onWritable(): void {
    let writable = true;
    while (writable && this.sent < this.#bytes) {
      const chunk = CHUNK.subarray(0, this.#bytes - this.sent);
      this.sent += chunk.length;
      writable = this.stream?.write(chunk) === true;
    }
    if (writable) this.stream?.end();
  }
}

const LARGE_BYTES = 4096 * MB;

class LargeOrEcho extends Echo {
  override onWhole(head: Cursor, body: Buffer): void {
    if (head.bytes.toString("latin1", head.at, head.end) !== "large") super.onWhole(head, body);
    else this.stream.handler = new Sender(LARGE_BYTES).start(this.stream);
  }
}

test("10 MB go and come back, byte for byte as many", async (context) => {
  const { client, server } = await linked(context, { accept: (stream) => new Echo(stream) });
  const sender = new Sender(10 * MB);
  sender.start(client.open(sender) as Stream);
  assert.equal(await within(20_000, "the end", sender.over), "whole");
  assert.equal(sender.bodyBytes, 10 * MB);
  assert.equal(client.streamCount + server.streamCount, 0);
});

test("bytes come in their order, across windows and frames", async (context) => {
  const { client } = await linked(context, { accept: (stream) => new Echo(stream) });
  const text = Array.from({ length: 200_000 }, (_, number) => number.toString(36)).join(" ");
  const bytes = Buffer.from(text);
  const answer = new Recorder();
  const stream = client.open(answer) as Stream;
  stream.head("head");
  for (let at = 0; at < bytes.length; at += 99_991) stream.write(bytes.subarray(at, at + 99_991));
  stream.end();
  assert.equal(await within(20_000, "the end", answer.over), "whole");
  assert.ok(answer.body === text);
});

/** Sends one byte over and over, in pieces of many sizes that it takes back at once. */
class OneByte extends Recorder {
  stream: Stream | undefined;
  readonly #byte: number;
  #sent = 0;

  constructor(byte: number) {
    super({ keepsBody: false });
    this.#byte = byte;
  }

  override onWritable(): void {
    let writable = true;
    while (writable && this.#sent < 4 * MB) {
      const borrowed = Buffer.alloc(((this.#sent % 7) + 1) * 10_007, this.#byte);
      this.#sent += borrowed.length;
      writable = this.stream?.write(borrowed) === true;
      borrowed.fill(0);
    }
    if (writable) this.stream?.end();
  }
}

/** Counts bytes that are another stream's. */
class OnlyByte extends Recorder {
  wrong = 0;
  #first: number | undefined;

  override onData(chunk: Buffer): void {
    this.#first ??= chunk[0];
    for (const byte of chunk) if (byte !== this.#first) this.wrong += 1;
    super.onData(chunk);
  }
}

test("each stream gets its own bytes while their connection is congested", async (context) => {
  const senders = Array.from({ length: 12 }, (_, index) => new OneByte(index + 1));
  let opened = 0;
  const { client } = await linked(context, {
    accept: (stream) => {
      const sender = senders[opened] as OneByte;
      opened += 1;
      sender.stream = stream;
      stream.head("head");
      sender.onWritable();
      return sender;
    },
  });
  const readers = senders.map(() => new OnlyByte({ keepsBody: false }));
  for (const reader of readers) client.open(reader)?.whole("head", NONE);
  for (const reader of readers) {
    assert.equal(await within(20_000, "the end", reader.over), "whole");
    assert.equal(reader.wrong, 0);
    assert.ok(reader.bodyBytes >= 4 * MB);
  }
});

test("one reader that stands still holds its own stream alone, and no more than a window of it is kept", async (context) => {
  const { client, server } = await linked(context, {
    accept: (stream) => new Sender(10 * MB).start(stream),
  });
  const slow = new Recorder({ keepsBody: false });
  const slowStream = client.open(slow) as Stream;
  slowStream.pause();
  slowStream.whole("slow", NONE);
  const others = Array.from({ length: 8 }, () => {
    const other = new Recorder({ keepsBody: false });
    client.open(other)?.whole("other", NONE);
    return other;
  });
  for (const other of others) {
    assert.equal(await within(20_000, "another stream", other.over), "whole");
    assert.equal(other.bodyBytes, 10 * MB);
  }
  assert.ok(slow.bodyBytes <= WINDOW_BYTES, `${slow.bodyBytes} bytes`);
  assert.ok(server.outbox.queuedBytes < MB);
  slowStream.resume();
  assert.equal(await within(20_000, "the slow stream", slow.over), "whole");
  assert.equal(slow.bodyBytes, 10 * MB);
});

test("the same for uploads", async (context) => {
  const asked: { stream: Stream; body: Recorder }[] = [];
  const { client } = await linked(context, {
    accept(stream) {
      const body = new Recorder({ keepsBody: false });
      if (asked.push({ stream, body }) === 1) stream.pause();
      return body;
    },
  });
  const senders = Array.from({ length: 4 }, () => new Sender(10 * MB));
  for (const sender of senders) sender.start(client.open(sender) as Stream);
  await eventually("all of them", () => asked.length === 4);
  for (const { body } of asked.slice(1)) {
    assert.equal(await within(20_000, "another stream", body.over), "whole");
    assert.equal(body.bodyBytes, 10 * MB);
  }
  assert.ok((asked[0]?.body.bodyBytes ?? 0) <= WINDOW_BYTES);
  assert.ok((senders[0]?.sent ?? 0) <= WINDOW_BYTES + 2 * CHUNK.length, `${senders[0]?.sent} bytes were taken`);
  asked[0]?.stream.resume();
  assert.equal(await within(20_000, "the slow stream", asked[0]?.body.over as Promise<string>), "whole");
});

test("a reader that stops in the middle gets what was under way, a large window at most", async (context) => {
  const { client } = await linked(context, { accept: (stream) => new Sender(10 * MB).start(stream) });
  const slow = new Recorder({ keepsBody: false });
  const stream = client.open(slow) as Stream;
  stream.whole("head", NONE);
  await eventually("1 MB", () => slow.bodyBytes > MB);
  stream.pause();
  const before = slow.bodyBytes;
  await throughout(100, () => assert.ok(slow.bodyBytes - before <= WINDOW_BYTES_MAX));
});

test("what is small goes on at once while others move all they can", async (context) => {
  const { client } = await linked(context, { accept: (stream) => new LargeOrEcho(stream) });
  const large = Array.from({ length: 4 }, () => {
    const one = new Recorder({ keepsBody: false });
    client.open(one)?.whole("large", NONE);
    return one;
  });
  await eventually("many bytes", () => large.every(({ bodyBytes }) => bodyBytes > MB));
  const took: number[] = [];
  for (let count = 0; count < 20; count += 1) {
    const began = performance.now();
    const small = new Recorder();
    client.open(small)?.whole("small", NONE);
    assert.equal(await within(5_000, "a small answer", small.over), "whole");
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  assert.ok((took[10] as number) < 100, `${took[10]} ms in the middle`);
  assert.ok(
    large.every(({ bodyBytes }) => bodyBytes < LARGE_BYTES),
    "the large ones were still under way",
  );
});

test("informational heads take credit too, and whoever sends them hears when to go on", async (context) => {
  let sent = 0;
  let waits = 0;
  const { client } = await linked(context, {
    accept(stream) {
      const asked = new Recorder();
      asked.onWritable = () => {
        while (sent < 1_000) {
          sent += 1;
          if (!stream.informational(`${sent}`.padStart(1_000))) {
            waits += 1;
            return;
          }
        }
        stream.whole("200", NONE);
      };
      asked.onWritable();
      return asked;
    },
  });
  const answer = new Recorder();
  const stream = client.open(answer) as Stream;
  stream.pause();
  stream.whole("head", NONE);
  await eventually("a window of them", () => answer.informational.length >= 65);
  assert.ok(sent <= 67, `${sent} were taken`);
  stream.resume();
  assert.equal(await within(5_000, "the answer", answer.over), "whole");
  assert.equal(answer.head, "200");
  assert.equal(
    answer.informational.join(""),
    Array.from({ length: 1_000 }, (_, n) => `${n + 1}`.padStart(1_000)).join(""),
  );
  assert.ok(waits > 1);
});

test("a peer that does not read is written a bounded amount, whatever is given to be sent", async (context) => {
  const { client, serverSide } = await linked(context, { accept: () => new Recorder() });
  serverSide.socket?.pause();
  const senders = Array.from({ length: 500 }, () => new Sender(MB));
  for (const sender of senders) {
    sender.start(client.open(sender) as Stream);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(client.outbox.queuedBytes < MB, `${client.outbox.queuedBytes} bytes are queued`);
  const taken = senders.reduce((sum, { sent }) => sum + sent, 0);
  assert.ok(taken < 500 * (WINDOW_BYTES + 2 * CHUNK.length));
  serverSide.socket?.resume();
  for (const sender of senders) await eventually("all is sent", () => sender.sent === MB);
});

test("heads wait too where much is queued, and keep their order", async (context) => {
  const heads: string[] = [];
  const { client, serverSide } = await linked(context, {
    accept(stream) {
      const echo = new Echo(stream);
      const { onHead } = echo;
      echo.onHead = (head) => {
        onHead.call(echo, head);
        heads.push(echo.head?.slice(0, 8) as string);
      };
      return echo;
    },
  });
  serverSide.socket?.pause();
  const answers = Array.from({ length: 1_500 }, (_, number) => {
    const answer = new Recorder();
    client.open(answer)?.whole(`${String(number).padStart(8)}${"h".repeat(16_000)}`, NONE);
    return answer;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(client.outbox.queuedBytes < 2 * MB, `${client.outbox.queuedBytes} bytes are queued`);
  serverSide.socket?.resume();
  for (const answer of answers) assert.equal(await within(20_000, "an answer", answer.over), "whole");
  assert.deepEqual(heads, [...heads].sort());
});
