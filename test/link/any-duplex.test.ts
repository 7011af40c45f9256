// Sessions without sockets: over any duplex stream, and fed with random frames.

import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { Session } from "../../services/link/session.ts";
import type { Stream } from "../../services/link/stream.ts";
import { Cursor } from "../../services/net/cursor.ts";
import { Transport } from "../../services/net/transport.ts";
import { within } from "../tools/eventually.ts";
import { frame, whole } from "./frames.ts";
import { Echo, Recorder, SETTINGS, Side } from "./pair.ts";
import { hello } from "./raw-peer.ts";

const NONE = Buffer.alloc(0);

/** One of two that are connected; passes on the very memory that it is given, and some time later. */
class Late extends Duplex {
  other: Late | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    setTimeout(() => {
      this.other?.push(chunk);
      done();
    }, 2);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.other?.push(null);
    done(error);
  }
}

test("a session runs over any duplex stream, one that sends memory later included", async () => {
  const [near, far] = [new Late(), new Late()];
  near.other = far;
  far.other = near;
  const [clientSide, serverSide] = [new Side(), new Side((stream) => new Echo(stream))];
  const opened = new Promise<void>((resolve) => {
    clientSide.onOpen = resolve;
  });
  const client = new Session(new Transport(near, { direct: false }), clientSide, { ...SETTINGS, streamsMax: 0 });
  const server = new Session(new Transport(far, { direct: false }), serverSide, SETTINGS);
  client.start(NONE);
  server.start(NONE);
  await within(5_000, "the hello", opened);
  const text = Array.from({ length: 200_000 }, (_, number) => number.toString(36)).join(" ");
  const answers = Array.from({ length: 3 }, () => {
    const answer = new Recorder();
    const stream = client.open(answer) as Stream;
    stream.head("head");
    stream.write(Buffer.from(text));
    stream.end();
    return answer;
  });
  for (const answer of answers) {
    assert.equal(await within(20_000, "an answer", answer.over), "whole");
    assert.ok(answer.body === text);
  }
  client.destroy();
  assert.deepEqual(await serverSide.ended, { why: "peer-ended" });
  assert.ok(server.closed);
});

class Sink extends Duplex {
  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

test("any frames in any order are taken or end the session: never a throw, and never more streams than may be", () => {
  const one = fc
    .tuple(fc.integer({ min: 2, max: 11 }), fc.integer({ min: 0, max: 6 }), fc.uint8Array({ maxLength: 20 }))
    .map(([type, stream, payload]) => frame(type, stream, Buffer.from(payload)));
  const plausible = fc.constantFrom(
    ...[2, 4, 5, 6].flatMap((type) => [1, 2, 3, 4, 5].map((id) => frame(type, id, "x"))),
  );
  const message = fc.integer({ min: 1, max: 6 }).map((id) => whole(id, "head", "body"));
  const some = fc.array(fc.oneof(one, { weight: 4, arbitrary: plausible }, message), { maxLength: 40 });
  const roles = fc.constantFrom("client", "server");
  fc.assert(
    fc.property(roles, some, (role, frames) => {
      const settings = { ...SETTINGS, streamsMax: role === "server" ? 4 : 0 };
      const side = new Side((stream) => (stream.id % 2 === 0 ? new Echo(stream) : new Recorder()));
      const session = new Session(new Transport(new Sink(), { direct: false }), side, settings);
      session.start(hello());
      if (role === "client") for (let count = 0; count < 4; count += 1) session.open(new Recorder())?.head("head");
      for (const bytes of frames) if (!session.closed) session.onBytes(new Cursor(bytes));
      assert.ok(session.streamCount <= 4);
      session.destroy();
      assert.equal(session.streamCount, 0);
    }),
    { numRuns: 2_000 },
  );
});
