// Clients as people use them, through both tiers as real processes: curl in its ways, Python, ab, got, axios, EventSource,
// ws and socket.io. Two proxies over two servers each, with a sticky cookie, which socket.io's polling needs.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent } from "node:http";
import { after, test } from "node:test";
import axios from "axios";
import { EventSource } from "eventsource";
import got from "got";
import { io, type Socket } from "socket.io-client";
import WebSocket from "ws";
import { eventually, within } from "../tools/eventually.ts";
import { type Facts, manySided, sha256 } from "../tools/http/many-sided.ts";
import { say, whyNo } from "../tools/process/programs.ts";
import { startTwoTiers } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";

const BODY = randomBytes(100 * 1024);
const ANSWER_MS_MAX = 5_000;

const origins = await Promise.all([1, 2, 3, 4].map((number) => manySided({ after }, `server-${number}`)));
const servers = origins.map(({ port }, index) =>
  entry(`server-${index + 1}`, port, { group: String(Math.floor(index / 2) + 1) }),
);
const { balancer } = await startTwoTiers({ after }, servers, {
  proxies: 2,
  environment: { STICKY_COOKIE: "route", STOP_WITH_STDIN: "yes" },
});
const host = `127.0.0.1:${balancer.port}`;
const url = `http://${host}`;

const withCurl = { skip: whyNo("curl") };

/** curl's output: the body, then a line of what `--write-out` was asked for. */
async function curl(parameters: readonly string[], stdin: string | Buffer = "") {
  const { code, stdout, stderr } = await say("curl", ["-sS", "--max-time", "20", ...parameters], { stdin });
  assert.equal(code, 0, stderr);
  const [body, written] = stdout.split("\n#") as [string, string?];
  return { body, written, stderr, facts: () => JSON.parse(body) as Facts };
}

test("curl gets an answer over HTTP/1.1, and one over HTTP/1.0 that is not chunked", withCurl, async () => {
  const modern = await curl(["-w", "\n#%{http_code} %{http_version}", `${url}/?client=7`]);
  assert.deepEqual([modern.facts().url, modern.written], ["/?client=7", "200 1.1"]);
  assert.equal((await curl(["--http1.0", `${url}/`])).facts().method, "GET");
  const raw = await curl(["--http1.0", "--raw", `${url}/chunked`]);
  assert.equal(raw.body, "first, second");
});

test("curl uploads 100 KiB after it was told to continue", withCurl, async () => {
  const { facts, stderr } = await curl(["-v", "-T", "-", "-H", "Expect: 100-continue", `${url}/put`], BODY);
  assert.match(stderr, /< HTTP\/1.1 100 Continue/);
  assert.deepEqual([facts().method, facts().bytes, facts().sha256], ["PUT", BODY.length, sha256(BODY)]);
});

test("curl uploads from a pipe in chunks", withCurl, async () => {
  const chunked = ["-X", "POST", "-H", "Transfer-Encoding: chunked", "-H", "Expect:", "--data-binary", "@-"];
  const { facts } = await curl([...chunked, `${url}/post`], BODY);
  assert.deepEqual([facts().method, facts().bytes, facts().sha256], ["POST", BODY.length, sha256(BODY)]);
  assert.equal(facts().headers["transfer-encoding"], "chunked");
});

test("curl that offers HTTP/2 is answered over HTTP/1.1", withCurl, async () => {
  const { facts, written } = await curl(["--http2", "-w", "\n#%{http_code} %{http_version}", `${url}/`]);
  assert.equal(written, "200 1.1");
  assert.deepEqual([facts().headers.upgrade, facts().headers["http2-settings"]], [undefined, undefined]);
});

test("curl asks two things over one connection, also behind a HEAD", withCurl, async () => {
  const { stderr } = await curl(["-w", "%{stderr}#%{http_code} %{num_connects}\\n", `${url}/one`, `${url}/two`]);
  assert.equal(stderr, "#200 1\n#200 0\n");
  const head = await curl(["-I", "-w", "%{stderr}#%{http_code} %{num_connects}\\n", `${url}/one`, `${url}/two`]);
  assert.equal(head.stderr, "#200 1\n#200 0\n");
  assert.match(head.body, /^Content-Length: \d+\r$/m);
});

const PYTHON = `
import http.client, json, sys
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
def ask(*parameters, **named):
    c.request(*parameters, **named)
    r = c.getresponse()
    return [r.status, len(r.read()) > 0, c.sock is not None and c.sock.getsockname()[1]]
print(json.dumps([
    ask("GET", "/python"),
    ask("HEAD", "/python"),
    ask("POST", "/python", body=b"x" * 100000),
    ask("PUT", "/python", body=iter([b"one", b"two"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}),
    ask("GET", "/chunked"),
]))
`;

test("Python's http.client asks five things over one connection", { skip: whyNo("python3") }, async () => {
  const { stdout, stderr } = await say("python3", ["-c", PYTHON, String(balancer.port)]);
  assert.equal(stderr, "");
  const replies = JSON.parse(stdout) as [number, boolean, number][];
  const statuses = replies.map(([status, hasBody]) => [status, hasBody]);
  assert.deepEqual(statuses, [
    [200, true],
    [200, false],
    [200, true],
    [200, true],
    [200, true],
  ]);
  assert.equal(new Set(replies.map(([, , port]) => port)).size, 1);
});

test("ab -k has every request answered over connections that are kept", { skip: whyNo("ab") }, async () => {
  const { stdout, stderr } = await say("ab", ["-k", "-l", "-q", "-n", "3000", "-c", "20", `${url}/`]);
  const count = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(stdout)?.[1]);
  assert.equal(stderr, "");
  assert.deepEqual([count("Complete requests"), count("Failed requests")], [3000, 0]);
  assert.equal(count("Keep-Alive requests"), 3000);
  assert.doesNotMatch(stdout, /^Non-2xx responses/m);
});

test("got posts a stream, follows a redirect and unpacks what is compressed", async () => {
  const agent = { http: new Agent({ keepAlive: true }) };
  const own = got.extend({ prefixUrl: url, agent, retry: { limit: 0 }, timeout: { request: ANSWER_MS_MAX } });
  const posted = await own.post("got", { body: BODY }).json<Facts>();
  assert.deepEqual([posted.method, posted.sha256], ["POST", sha256(BODY)]);
  assert.equal((await own("redirect").json<Facts>()).url, "/redirected");
  assert.equal((await own("gzip").json<Facts>()).url, "/gzip");
  assert.equal((await own.head("head")).headers["content-type"], "application/json");
  agent.http.destroy();
});

test("axios posts JSON, follows a redirect and unpacks what is compressed", async () => {
  const own = axios.create({ baseURL: url, timeout: ANSWER_MS_MAX });
  const body = { client: 7, text: "grüße" };
  const { status, data } = await own.post<Facts>("/axios", body);
  assert.deepEqual([status, data.sha256], [200, sha256(JSON.stringify(body))]);
  assert.equal((await own.get<Facts>("/redirect")).data.url, "/redirected");
  assert.equal((await own.get<Facts>("/gzip")).data.url, "/gzip");
});

test("an EventSource hears each event before the next is sent", async (t) => {
  const source = new EventSource(`${url}/events`);
  t.after(() => source.close());
  await within(ANSWER_MS_MAX, "the stream opens", once(source, "open"));
  const response = await eventually("a server has the listener", () => origins.flatMap((each) => each.listeners)[0]);
  for (let number = 1; number <= 20; number += 1) {
    const message = once(source, "message");
    response.write(`id: ${number}\ndata: event ${number}\n\n`);
    const [{ data, lastEventId }] = (await within(ANSWER_MS_MAX, `event ${number}`, message)) as [MessageEvent];
    assert.deepEqual([data, lastEventId], [`event ${number}`, String(number)]);
  }
  assert.equal(response.writableEnded, false);
  source.close();
  await within(ANSWER_MS_MAX, "the server hears that the listener has left", once(response, "close"));
});

function webSocket(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${host}/ws`, ["echo.v1"]);
  return within(
    ANSWER_MS_MAX,
    "the WebSocket opens",
    once(socket, "open").then(() => socket),
  );
}

test("a WebSocket carries text, binary and a large message, and its subprotocol", async (t) => {
  const socket = await webSocket();
  t.after(() => socket.terminate());
  assert.equal(socket.protocol, "echo.v1");
  for (const [sent, binary] of [
    ["grüße", false],
    [Buffer.from([0, 255, 10]), true],
    [randomBytes(1 << 20), true],
  ] as const) {
    const message = once(socket, "message");
    socket.send(sent, { binary });
    const [data, isBinary] = (await within(ANSWER_MS_MAX, "the echo", message)) as [Buffer, boolean];
    assert.deepEqual([sha256(data), isBinary], [sha256(sent), binary]);
  }
  const pong = once(socket, "pong");
  socket.ping("anyone there?");
  assert.equal(String((await within(ANSWER_MS_MAX, "the pong", pong))[0]), "anyone there?");
});

test("the code and the reason of a WebSocket's close pass both ways", async () => {
  const leaving = await webSocket();
  const left = once(leaving, "close");
  leaving.close(4001, "the client's wish");
  assert.deepEqual((await left)[0], 4001);
  const told = () => origins.flatMap(({ closed }) => closed).find(([code]) => code === 4001);
  assert.deepEqual(await eventually("the server hears it", told), [4001, "the client's wish"]);

  const sentAway = await webSocket();
  const closed = once(sentAway, "close");
  sentAway.send("close");
  const [code, reason] = (await within(ANSWER_MS_MAX, "the close", closed)) as [number, Buffer];
  assert.deepEqual([code, String(reason)], [4002, "the server's wish"]);
});

test("a WebSocket whose server is gone is seen to be broken, and so is one whose client is gone", async () => {
  const forsaken = await webSocket();
  const broken = once(forsaken, "close");
  forsaken.send("die");
  assert.equal((await within(ANSWER_MS_MAX, "the end", broken))[0], 1006);
  (await webSocket()).terminate();
  const told = () => origins.flatMap(({ closed }) => closed).filter(([code]) => code === 1006).length >= 2;
  await eventually("the server hears it", told);
});

for (const transports of [["polling", "websocket"], ["polling"], ["websocket"]]) {
  test(`socket.io by ${transports.join(" and then ")} talks to one server throughout`, async (t) => {
    const socket = io(url, { transports, withCredentials: true, reconnection: false, forceNew: true });
    t.after(() => void socket.close());
    const upgraded = transports.length === 1 || new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
    await within(ANSWER_MS_MAX, "socket.io connects", connected(socket));
    const ask = async (number: number) => {
      const heard = (await socket.timeout(ANSWER_MS_MAX).emitWithAck("echo", number)) as {
        message: number;
        by: string;
      };
      assert.equal(heard.message, number);
      return heard.by;
    };
    const by = new Set<string>();
    for (let number = 0; number < 10; number += 1) by.add(await ask(number));
    await within(ANSWER_MS_MAX, "the upgrade", Promise.resolve(upgraded));
    for (let number = 10; number < 20; number += 1) by.add(await ask(number));
    assert.equal(by.size, 1);
    assert.equal(socket.io.engine.transport.name, transports.at(-1));
  });
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject));
}
