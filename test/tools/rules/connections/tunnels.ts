// Row 32: a connection that becomes another protocol's, WebSocket or any other, from its handshake to its end.

import assert from "node:assert/strict";
import { within } from "../../eventually.ts";
import { statusOf, valuesOf } from "../../wire/http-bytes.ts";
import { OK, type Peer, type Script, type Tunnel } from "../../wire/recording-origin.ts";
import { gate, PATIENCE_MS } from "../../wire/waiting.ts";
import { type Bench, head, played, type Row, request } from "../row.ts";
import { check, fence } from "../run-row.ts";

export const handshake = (...more: readonly string[]) =>
  request(
    "GET /chat",
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: x==",
    "Sec-WebSocket-Version: 13",
    ...more,
  );
const SWITCH = head(
  "HTTP/1.1 101 Switching Protocols",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Accept: y=",
);

export function fact(name: string, play: (bench: Bench) => Promise<void>): Row {
  return played([32, "9110 7.8", name], play);
}

interface Joined {
  readonly peer: Peer;
  readonly tunnel: Tunnel;
}

/** An origin that switches at once, and then leaves the connection to the test. */
function switching(answer = SWITCH): { readonly script: Script; readonly joined: Promise<Joined> } {
  let join: (joined: Joined) => void = () => {};
  const joined = new Promise<Joined>((resolve) => {
    join = resolve;
  });
  const script: Script = (peer) => {
    const tunnel = peer.tunnel();
    peer.send(answer);
    join({ peer, tunnel });
  };
  return { script, joined: within(PATIENCE_MS, "upgrade at the origin", joined) };
}

/** Client and origin, joined. */
async function join({ connect, script }: Bench, bytes = handshake()) {
  const origin = switching();
  const recording = script(origin.script);
  const client = await connect();
  client.send(bytes);
  const answer = await client.response();
  assert.equal(statusOf(answer), 101);
  return { client, answer, recording, ...(await origin.joined) };
}

const joined: readonly Row[] = [
  fact("bytes go both ways once the origin has switched", async (bench) => {
    const { client, answer, peer, tunnel, recording } = await join(bench);
    assert.deepEqual(
      ["connection", "upgrade", "sec-websocket-accept"].map((name) => valuesOf(answer, name)),
      [["Upgrade"], ["websocket"], ["y="]],
    );
    client.send("\x81\x02hi");
    await tunnel.has("\x81\x02hi");
    peer.send("\x00\xffGET / HTTP/1.1\r\n\r\n");
    await client.has("\x00\xffGET / HTTP/1.1\r\n\r\n");
    const [seen] = recording.whole;
    assert.ok(seen);
    assert.deepEqual(
      ["connection", "upgrade", "host", "sec-websocket-key"].map((name) => valuesOf(seen, name)),
      [["Upgrade"], ["websocket"], ["a.test"], ["x=="]],
    );
  }),
  fact("the first bytes may come in one segment with the handshake, on both sides", async (bench) => {
    const { joined, script } = switching(`${SWITCH}first from origin`);
    bench.script(script);
    const client = await bench.connect();
    client.send(`${handshake()}first from client`);
    assert.equal(statusOf(await client.response()), 101);
    await (await joined).tunnel.has("first from client");
    await client.has("first from origin");
  }),
  fact("any protocol is tunnelled, with any method", async (bench) => {
    const bytes = request("POST /v1.45/containers/x/attach?stream=1", "Connection: Upgrade", "Upgrade: tcp");
    const { client, tunnel, peer } = await join(bench, bytes);
    client.send("ls\n");
    await tunnel.has("ls\n");
    peer.send("\x01\0\0\0\0\0\0\x02a\n");
    await client.has("\x01\0\0\0\0\0\0\x02a\n");
  }),
  fact("a POST with Content-Length: 0 is tunnelled", async (bench) => {
    const { client, tunnel } = await join(
      bench,
      request("POST /attach", "Connection: Upgrade", "Upgrade: tcp", "Content-Length: 0"),
    );
    client.send("x");
    await tunnel.has("x");
  }),
  fact("a protocol we know nothing of stands beside one that we decline", async (bench) => {
    const { client, tunnel } = await join(bench, request("GET /", "Connection: Upgrade", "Upgrade: h2c, websocket"));
    client.send("x");
    await tunnel.has("x");
  }),
  fact("many bytes arrive whole", async (bench) => {
    const { client, peer, tunnel } = await join(bench);
    const many = "0123456789abcdef".repeat(40_000);
    client.send(many);
    peer.send(`${many}.`);
    await Promise.all([tunnel.has(many), client.has(`${many}.`)]);
  }),
  fact("an upgrade carries what a tier writes, and nothing of the hop", async (bench) => {
    const { at } = bench;
    const { recording } = await join(
      bench,
      handshake("Connection: X-Secret", "X-Secret: 1", "Proxy-Authorization: x", "Cookie: a=1"),
    );
    const [seen] = recording.whole;
    assert.ok(seen);
    assert.deepEqual(
      ["x-secret", "proxy-authorization", "cookie"].map((name) => valuesOf(seen, name)),
      [[], [], ["a=1"]],
    );
    assert.deepEqual(valuesOf(seen, "via"), [at.pseudonyms.map((name) => `1.1 ${name}`).join(", ")]);
    if (at.edge) assert.deepEqual(valuesOf(seen, "x-forwarded-for"), ["127.0.0.1"]);
    assert.equal(valuesOf(seen, "x-request-id").length, 1);
  }),
  fact("an upgrade's target stays as it is", async (bench) => {
    const { recording } = await join(bench, handshake().replace("/chat", "//a//b/../%2e?x=%zz&y=?"));
    assert.deepEqual(
      recording.whole.map(({ line }) => line),
      ["GET //a//b/../%2e?x=%zz&y=? HTTP/1.1"],
    );
  }),
  fact("the 101 keeps the origin's headers, duplicates too", async (bench) => {
    const { script } = switching(SWITCH.replace("\r\n\r\n", "\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n"));
    bench.script(script);
    const client = await bench.connect();
    client.send(handshake());
    assert.deepEqual(valuesOf(await client.response(), "set-cookie"), ["a=1", "b=2"]);
  }),
  played(
    [32, "9112 9.3.2", "a tunnel behind another request begins after that one's answer"],
    async ({ connect, script }) => {
      const { script: switches, joined } = switching();
      const asked = gate();
      const answered = gate();
      script(async (peer) => {
        if (!peer.head.line.includes("/slow")) return switches(peer);
        asked.open();
        await answered.opened;
        peer.send(OK);
      });
      const client = await connect();
      client.send(request("GET /slow") + handshake());
      await within(PATIENCE_MS, "slow request at the origin", asked.opened);
      // Whoever tunnels at once has done so when another connection has been served.
      await fence(await connect());
      answered.open();
      check(await client.response(), { status: 200, body: "ok" });
      assert.equal(statusOf(await client.response()), 101);
      const { peer } = await joined;
      peer.send("hello");
      await client.has("hello");
    },
  ),
];

const endings: readonly Row[] = [
  fact("when the origin ends, the client's connection ends", async (bench) => {
    const { client, peer } = await join(bench);
    peer.end("bye");
    assert.equal((await client.ending()).rest, "bye");
  }),
  fact("a client that is done sending still gets what the origin sends", async (bench) => {
    const { client, peer, tunnel } = await join(bench);
    client.socket.end("last words");
    await tunnel.has("last words");
    peer.end("and the answer");
    assert.equal((await client.ending()).rest, "and the answer");
  }),
  fact("when the origin breaks off, so does the client's connection", async (bench) => {
    const { client, peer } = await join(bench);
    peer.reset();
    await client.ending();
  }),
  fact("when the client ends, the origin's connection ends", async (bench) => {
    const { client, peer } = await join(bench);
    client.socket.end();
    await within(1_000, "end at the origin", peer.closed);
  }),
  fact("when the client breaks off, the origin's connection ends", async (bench) => {
    const { client, peer } = await join(bench);
    client.socket.resetAndDestroy();
    await within(1_000, "end at the origin", peer.closed);
  }),
  fact("a client that leaves before the 101 is let go at the origin", async ({ connect, script }) => {
    const asked = gate();
    let closed: Promise<void> = new Promise(() => {});
    script((peer) => {
      ({ closed } = peer);
      asked.open();
    });
    const client = await connect();
    client.send(handshake());
    await within(PATIENCE_MS, "upgrade at the origin", asked.opened);
    client.close();
    await within(1_000, "end at the origin", closed);
  }),
];

export const tunnels: readonly Row[] = [...joined, ...endings];
