// Exchanges on sessions over real sockets: whole, in pieces, many at a time, reset by either side, refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stream } from "../../services/link/stream.ts";
import { Cursor } from "../../services/net/cursor.ts";
import { eventually, within } from "../tools/eventually.ts";
import { Echo, linked, Recorder } from "./pair.ts";

const NONE = Buffer.alloc(0);

test("a whole message is answered by a whole message", async (context) => {
  const { client, server } = await linked(context, { accept: (stream) => new Echo(stream) });
  const answer = new Recorder();
  client.open(answer)?.whole("head \xff", Buffer.from("body"));
  assert.equal(await answer.over, "whole");
  assert.equal(answer.head, "head \xff");
  assert.equal(answer.body, "body");
  assert.equal(client.streamCount + server.streamCount, 0);
});

test("a message in pieces is answered in pieces, trailers included", async (context) => {
  const { client, server } = await linked(context, { accept: (stream) => new Echo(stream) });
  const answer = new Recorder();
  const stream = client.open(answer) as Stream;
  stream.head("head");
  stream.write(Buffer.from("a"));
  stream.write(Buffer.from("b"));
  stream.end("X: y");
  assert.equal(await answer.over, "whole");
  assert.deepEqual([answer.head, answer.body, answer.trailers], ["head", "ab", "X: y"]);
  assert.equal(client.streamCount + server.streamCount, 0);
});

test("more streams than a session has room for are not opened, whatever the peer takes", async (context) => {
  const { client } = await linked(context, { settings: { streamsMax: 0xffff_ffff } });
  let opened = 0;
  for (let tried = 0; tried < 70_000; tried += 1) if (client.open(new Recorder()) !== undefined) opened += 1;
  assert.equal(opened, 65_536);
  assert.equal(client.usable, false);
});

test("informational heads come before the head, in their order", async (context) => {
  const { client } = await linked(context, {
    accept(stream) {
      stream.informational("100");
      stream.informational("103");
      stream.whole("200", NONE);
      stream.informational("too late");
      return new Recorder();
    },
  });
  const answer = new Recorder();
  client.open(answer)?.whole("head", NONE);
  assert.equal(await answer.over, "whole");
  assert.deepEqual([answer.informational, answer.head], [["100", "103"], "200"]);
});

test("an answer may be whole before the message is", async (context) => {
  const asked = new Recorder();
  const { client, server } = await linked(context, {
    accept(stream) {
      stream.whole("early", NONE);
      return asked;
    },
  });
  const answer = new Recorder();
  const stream = client.open(answer) as Stream;
  stream.head("head");
  assert.equal(await answer.over, "whole");
  assert.ok(!stream.over);
  stream.write(Buffer.from("still"));
  stream.end();
  assert.ok(stream.over);
  assert.equal(await asked.over, "whole");
  assert.equal(asked.body, "still");
  assert.equal(client.streamCount + server.streamCount, 0);
});

test("a thousand streams at a time each get their own answer, some in each write", async (context) => {
  const held: (() => void)[] = [];
  const { client, server } = await linked(context, {
    accept(stream) {
      const echo = new Echo(stream);
      const { onWhole } = echo;
      echo.onWhole = (head, body) => {
        const copy = new Cursor(Buffer.from(head.bytes.subarray(head.at, head.end)));
        const bodyCopy = Buffer.from(body);
        held.push(() => onWhole.call(echo, copy, bodyCopy));
        if (held.length === 1_000) for (const answer of held.reverse()) answer();
      };
      return echo;
    },
  });
  const answers = Array.from({ length: 1_000 }, (_, number) => {
    const answer = new Recorder();
    client.open(answer)?.whole(`head ${number}`, Buffer.from(`body ${number}`));
    return answer;
  });
  assert.equal(client.streamCount, 1_000);
  for (const [number, answer] of answers.entries()) {
    assert.equal(await within(10_000, `answer ${number}`, answer.over), "whole");
    assert.deepEqual([answer.head, answer.body], [`head ${number}`, `body ${number}`]);
  }
  assert.equal(client.streamCount + server.streamCount, 0);
  for (const { frames, writes } of [client.outbox, server.outbox]) {
    assert.ok(
      writes >= frames / 12,
      `${writes} writes of ${frames} frames: the peer waits too long for the first of them`,
    );
    assert.ok(writes < frames / 8, `${writes} writes of ${frames} frames`);
  }
});

test("what the opener ends is told to the other side, with its reason, and to nobody else", async (context) => {
  const asked: Recorder[] = [];
  const { client, server } = await linked(context, {
    accept() {
      const one = new Recorder();
      asked.push(one);
      return one;
    },
  });
  const left = new Recorder();
  const stream = client.open(left) as Stream;
  stream.head("a");
  const other = new Recorder();
  const stays = client.open(other) as Stream;
  stays.head("b");
  stream.reset("cancelled");
  stream.reset("broken");
  stream.write(Buffer.from("dropped"));
  stream.end();
  stays.end();
  await eventually("both", () => asked.length === 2);
  assert.equal(await asked[0]?.over, "cancelled");
  assert.equal(await asked[1]?.over, "whole");
  assert.equal(client.streamCount, 1);
  assert.equal(server.streamCount, 1);
});

test("what the other side ends fails with its reason, and says whether anything had come", async (context) => {
  const { client, server } = await linked(context, {
    accept(stream) {
      const asked = new Recorder();
      asked.onWhole = ({ bytes, at, end }) => {
        const reason = bytes.toString("latin1", at, end);
        if (reason === "broken") {
          stream.head("200");
          stream.write(Buffer.from("half"));
          stream.reset("broken");
        } else stream.reset("refused");
      };
      return asked;
    },
  });
  const refused = new Recorder();
  const first = client.open(refused) as Stream;
  first.whole("refused", NONE);
  assert.equal(await refused.over, "refused");
  assert.equal(first.answered, false);
  const broken = new Recorder();
  const second = client.open(broken) as Stream;
  second.whole("broken", NONE);
  assert.equal(await broken.over, "broken");
  assert.equal(second.answered, true);
  assert.equal(broken.body, "half");
  assert.equal(client.streamCount + server.streamCount, 0);
});

test("both sides may end a stream at the same time", async (context) => {
  const streams: Stream[] = [];
  const { client, server } = await linked(context, {
    accept(stream) {
      streams.push(stream);
      if (streams.length > 1) return new Echo(stream);
      stream.head("200");
      return new Recorder();
    },
  });
  const answer = new Recorder();
  const stream = client.open(answer) as Stream;
  stream.head("head");
  await eventually("the head of the answer", () => answer.head);
  stream.reset("cancelled");
  streams[0]?.reset("broken");
  const later = new Recorder();
  client.open(later)?.whole("later", NONE);
  assert.equal(await later.over, "whole");
  assert.equal(client.streamCount + server.streamCount, 0);
});

test("more streams than the other side takes are not opened, and those it is sent all the same are refused", async (context) => {
  const { client, server } = await linked(context, { settings: { streamsMax: 2 } });
  const open = [client.open(new Recorder()), client.open(new Recorder())];
  for (const stream of open) stream?.whole("head", NONE);
  assert.equal(client.open(new Recorder()), undefined);
  (client as { peer: object }).peer = { ...client.peer, streamsMax: 3 };
  const answer = new Recorder();
  const third = client.open(answer) as Stream;
  third.whole("head", NONE);
  assert.equal(await answer.over, "refused");
  assert.equal(server.streamCount, 2);
});

test("a head that is longer than the other side takes ends its stream alone", async (context) => {
  const { client } = await linked(context, {
    accept: (stream) => new Echo(stream),
    settings: { headBytesMax: 2_000 },
  });
  const long = new Recorder();
  client.open(long)?.whole("h".repeat(2_001), NONE);
  assert.equal(await long.over, "broken");
  const answer = new Recorder();
  client.open(answer)?.whole("h".repeat(2_000), NONE);
  assert.equal(await answer.over, "whole");
  assert.equal(client.streamCount, 0);
});
