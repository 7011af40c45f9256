// How sessions end, on real sockets: a peer that dies, hangs, drains, breaks the protocol, or floods.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CREDIT_MAX,
  DATA,
  END,
  GOAWAY,
  HEAD,
  INFORMATIONAL,
  PING,
  PONG,
  RESET,
  WINDOW,
} from "../../services/link/frames.ts";
import type { Stream } from "../../services/link/stream.ts";
import { WINDOW_BYTES } from "../../services/link/window.ts";
import { eventually, throughout, within } from "../tools/eventually.ts";
import { frame, uint32, whole } from "./frames.ts";
import { Echo, linked, Recorder } from "./pair.ts";
import { hello, rawClient, rawServer } from "./raw-peer.ts";

const NONE = Buffer.alloc(0);

test("a peer that dies in the middle breaks every stream, and each says whether anything had come", async (context) => {
  const asked: Recorder[] = [];
  const { client, server, clientSide, serverSide } = await linked(context, {
    accept(stream) {
      const one = new Recorder();
      asked.push(one);
      if (stream.id === 1) stream.head("200");
      return one;
    },
  });
  const answers = [new Recorder(), new Recorder()];
  const streams = answers.map((answer) => client.open(answer) as Stream);
  for (const stream of streams) stream.head("head");
  await eventually("a head", () => answers[0]?.head);
  serverSide.socket?.resetAndDestroy();
  for (const answer of answers) assert.equal(await answer.over, "connection-broken");
  assert.deepEqual(
    streams.map(({ answered }) => answered),
    [true, false],
  );
  for (const one of asked) assert.equal(await one.over, "connection-broken");
  assert.deepEqual(await clientSide.ended, { why: "connection-error", code: "ECONNRESET" });
  assert.equal(client.usable, false);
  assert.equal(client.open(new Recorder()), undefined);
  assert.equal(client.streamCount + server.streamCount, 0);
});

test("a connection that is ended in the middle breaks its streams like one that is reset", async (context) => {
  const { client, clientSide, serverSide } = await linked(context);
  const answer = new Recorder();
  client.open(answer)?.whole("head", NONE);
  serverSide.socket?.end();
  assert.equal(await answer.over, "connection-broken");
  assert.deepEqual(await clientSide.ended, { why: "peer-ended" });
});

test("the owner hears of the end before the streams do, so that nothing is tried on the session again", async (context) => {
  const { client, clientSide } = await linked(context);
  const heard: string[] = [];
  clientSide.onClose = () => heard.push("owner");
  const answer = new Recorder();
  answer.onFailure = () => {
    heard.push("stream");
    assert.equal(client.open(new Recorder()), undefined);
  };
  client.open(answer)?.whole("head", NONE);
  client.destroy();
  client.destroy();
  assert.deepEqual(heard, ["owner", "stream"]);
});

test("a peer that hangs is found by its silence", async (context) => {
  const { session, side, socket, received } = await rawServer(context, { settings: { silenceMsMax: 200 } });
  const answer = new Recorder();
  session.open(answer)?.whole("head", NONE);
  const began = performance.now();
  assert.deepEqual(await within(2_000, "its end", side.ended), { why: "peer-silent" });
  assert.ok(performance.now() - began > 100);
  assert.equal(await answer.over, "connection-broken");
  await eventually("its pings", () => received().includes(frame(PING, 0)));
  socket.destroy();
});

test("a peer that says anything now and then is left alone", async (context) => {
  const { session, socket } = await rawClient(context, { settings: { silenceMsMax: 200 } });
  await throughout(600, () => socket.write(frame(PONG, 0)));
  assert.equal(session.closed, false);
});

test("two sides with nothing to say keep each other alive", async (context) => {
  const { client } = await linked(context, { settings: { silenceMsMax: 200 } });
  await throughout(600, () => assert.ok(client.usable));
  assert.ok(client.outbox.frames > 1, "it has asked");
});

test("a ping is answered", async (context) => {
  const { socket, received } = await rawClient(context);
  socket.write(frame(PING, 0));
  await eventually("a pong", () => received().includes(frame(PONG, 0)));
});

for (const who of ["client", "server"] as const) {
  test(`a drain of the ${who} lets what is open come to its end, and then the connection`, async (context) => {
    const held: Stream[] = [];
    const pair = await linked(context, {
      accept(stream) {
        held.push(stream);
        return new Recorder();
      },
    });
    const answer = new Recorder();
    pair.client.open(answer)?.whole("head", NONE);
    await eventually("the stream", () => held.length === 1);
    pair[who].drain();
    await eventually("both know", () => pair.clientSide.goaways === 1 && pair.serverSide.goaways === 1);
    assert.equal(pair.client.open(new Recorder()), undefined);
    assert.ok(!pair.client.closed && !pair.server.closed);
    held[0]?.whole("200", Buffer.from("body"));
    assert.equal(await answer.over, "whole");
    assert.equal(answer.body, "body");
    assert.deepEqual(await pair.clientSide.ended, { why: "drained" });
    assert.deepEqual(await pair.serverSide.ended, { why: "drained" });
  });
}

test("a drain of a session without streams ends it", async (context) => {
  const { server, clientSide, serverSide } = await linked(context);
  server.drain();
  assert.deepEqual(await clientSide.ended, { why: "drained" });
  assert.deepEqual(await serverSide.ended, { why: "drained" });
});

test("a peer that goes on when all is over is not waited for", async (context) => {
  const { socket, side, received } = await rawClient(context, { settings: { silenceMsMax: 200 } });
  socket.write(frame(GOAWAY, 0));
  await eventually("its goaway", () => received().includes(frame(GOAWAY, 0)));
  const talking = setInterval(() => socket.write(frame(PING, 0)), 10);
  context.after(() => clearInterval(talking));
  assert.deepEqual(await within(2_000, "its end", side.ended), { why: "drained" });
});

test("streams that were opened before the other side's goaway came are taken", async (context) => {
  const { client, server, clientSide } = await linked(context, { accept: (stream) => new Echo(stream) });
  server.drain();
  const answer = new Recorder();
  client.open(answer)?.whole("head", Buffer.from("body"));
  assert.equal(await answer.over, "whole");
  assert.deepEqual(await clientSide.ended, { why: "drained" });
});

const FULL = Array.from({ length: WINDOW_BYTES / 16_384 }, () => frame(DATA, 1, Buffer.alloc(16_384)));

const toServer: readonly (readonly [fact: string, bytes: Buffer, fault: string])[] = [
  ["no hello", frame(HEAD, 1, "head"), "hello-missing"],
  ["a ping before the hello", frame(PING, 0), "hello-missing"],
  ["HTTP/1.1", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "frame-type"],
  ["a second hello", Buffer.concat([hello(), hello()]), "hello-repeated"],
  ["a version that is not ours", hello({ version: 2 }), "hello-version"],
  ["a window too small for anything", hello({ windowBytes: 1024 }), "hello-limits"],
  ["a window past what can be counted", hello({ windowBytes: CREDIT_MAX + 1 }), "hello-limits"],
  ["no head at all", hello({ headBytesMax: 0 }), "hello-limits"],
  ["a second head", Buffer.concat([hello(), frame(HEAD, 1, "a"), frame(HEAD, 1, "b")]), "head-repeated"],
  ["a whole message behind a head", Buffer.concat([hello(), frame(HEAD, 1, "a"), whole(1, "b")]), "head-repeated"],
  [
    "an informational head behind the head",
    Buffer.concat([hello(), frame(HEAD, 1, "a"), frame(INFORMATIONAL, 1, "b")]),
    "head-repeated",
  ],
  ["data behind the end", Buffer.concat([hello(), whole(1, "a"), frame(DATA, 1, "b")]), "behind-the-end"],
  ["an end behind the end", Buffer.concat([hello(), whole(1, "a"), frame(END, 1)]), "behind-the-end"],
  [
    "more than the window",
    Buffer.concat([hello(), frame(HEAD, 1, "a"), ...FULL, frame(DATA, 1, "b")]),
    "credit-exceeded",
  ],
  [
    "credit past what can be counted",
    Buffer.concat([hello(), frame(HEAD, 1, "a"), frame(WINDOW, 1, uint32(CREDIT_MAX))]),
    "credit-overflow",
  ],
  [
    "a stream behind its goaway",
    Buffer.concat([hello(), frame(HEAD, 1, "a"), frame(GOAWAY, 0), frame(HEAD, 2, "b")]),
    "stream-after-goaway",
  ],
];

for (const [fact, first, fault] of toServer) {
  test(`${fact} ends the session`, async (context) => {
    const asked = new Recorder();
    const { side, socket } = await rawClient(context, {
      first,
      accept(stream) {
        stream.pause();
        return asked;
      },
    });
    assert.deepEqual(await within(2_000, "its end", side.ended), { why: "peer-fault", fault });
    if (!fault.startsWith("hello") && fault !== "frame-type") {
      assert.match(await asked.over, /connection-broken|whole/);
    }
    socket.destroy();
  });
}

const toClient: readonly (readonly [fact: string, bytes: Buffer, fault: string])[] = [
  ["data before the head", frame(DATA, 1, "a"), "head-missing"],
  ["an end before the head", frame(END, 1), "head-missing"],
  [
    "informational heads without end",
    Buffer.concat(Array(5).fill(frame(INFORMATIONAL, 1, "i".repeat(16_000)))),
    "credit-exceeded",
  ],
  ["a head twice", Buffer.concat([frame(HEAD, 1, "a"), frame(HEAD, 1, "a")]), "head-repeated"],
  ["a reset for no reason that is known", frame(RESET, 1, "\x09"), "reset-reason"],
];

for (const [fact, bytes, fault] of toClient) {
  test(`${fact} in an answer ends the session`, async (context) => {
    const { session, side, socket } = await rawServer(context);
    const answer = new Recorder();
    const stream = session.open(answer) as Stream;
    stream.pause();
    stream.whole("head", NONE);
    socket.write(bytes);
    assert.deepEqual(await within(2_000, "its end", side.ended), { why: "peer-fault", fault });
    assert.equal(await answer.over, "connection-broken");
  });
}

test("frames for streams that are over, or never were, are read and forgotten", async (context) => {
  const { session, socket } = await rawServer(context);
  const gone = session.open(new Recorder()) as Stream;
  gone.whole("head", NONE);
  gone.reset("cancelled");
  const late = [
    frame(HEAD, 1, "a"),
    frame(DATA, 1, "b"),
    frame(WINDOW, 1, uint32(5)),
    frame(END, 1),
    frame(RESET, 9, "\0"),
  ];
  socket.write(Buffer.concat([...late, whole(77, "opened by you")]));
  const answer = new Recorder();
  session.open(answer)?.whole("head", NONE);
  socket.write(whole(2, "200"));
  assert.equal(await answer.over, "whole");
  assert.equal(session.streamCount, 0);
});

test("a great many frames at once are read, some each turn, and others have theirs between", async (context) => {
  let streams = 0;
  let turns = 0;
  const { socket } = await rawClient(context, {
    accept(stream) {
      streams += 1;
      stream.whole("200", NONE);
      return new Recorder();
    },
  });
  const between = setInterval(() => {
    turns += 1;
  }, 0);
  context.after(() => clearInterval(between));
  const many = Array.from({ length: 20_000 }, (_, number) => whole(number + 1, "h"));
  socket.write(Buffer.concat(many));
  await eventually("all of them", () => streams === 20_000);
  assert.ok(turns > 5, `${turns} turns`);
});

test("a peer that asks and never reads is let go", async (context) => {
  const { socket, side } = await rawClient(context, { settings: { silenceMsMax: 60_000 } });
  socket.pause();
  const pings = Buffer.concat(Array(50_000).fill(frame(PING, 0)));
  let ended = false;
  void side.ended.then(() => {
    ended = true;
  });
  for (let count = 0; count < 200 && !ended; count += 1) {
    if (!socket.write(pings)) await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
  }
  assert.deepEqual(await within(5_000, "its end", side.ended), { why: "peer-not-reading" });
});
