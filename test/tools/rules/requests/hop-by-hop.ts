// Rows 16, 17 and 30: which headers go on as they are, and which belong to one connection.

import assert from "node:assert/strict";
import { valuesOf } from "../../wire/http-bytes.ts";
import { OK } from "../../wire/recording-origin.ts";
import { answered, head, passed, played, type Row, request } from "../row.ts";
import { fence } from "../run-row.ts";

const okWith = (...headers: readonly string[]) => `${head("HTTP/1.1 200 OK", ...headers, "Content-Length: 2")}ok`;

/** Goes no further than one hop, whichever way it goes. */
function dropped(rule: number, name: string, value: string): Row[] {
  const kept = request("GET /", "X-A: 1", "X-B: 2");
  return [
    passed(
      [rule, "9110 7.6.1", `a request's ${name} goes no further`],
      request("GET /", "X-A: 1", `${name}: ${value}`, "X-B: 2"),
      kept,
    ),
    answered(
      [rule, "9110 7.6.1", `a response's ${name} goes no further`],
      okWith("X-A: 1", `${name}: ${value}`, "X-B: 2"),
      { status: 200, headers: ["X-A: 1", "X-B: 2"], body: "ok" },
    ),
  ];
}

const named: readonly Row[] = [
  passed(
    [16, "9110 7.6.1", "what a request's Connection names goes no further"],
    request("GET /", "Connection: keep-alive, X-Secret", "X-Secret: 1", "X-A: 1"),
    request("GET /", "X-A: 1"),
  ),
  passed(
    [16, "9110 7.6.1", "Connection may name in any case, with empty elements and on many lines"],
    request("GET /", "connection: , x-SECRET ,,", "X-Secret: 1", "CONNECTION: X-Other", "x-other: 2", "X-A: 1"),
    request("GET /", "X-A: 1"),
  ),
  passed(
    [16, "9110 7.6.1", "what Connection names goes no further wherever it stands, and each time"],
    request("GET /", "X-Secret: 0", "Connection: X-Secret", "X-Secret: 1", "X-A: 1"),
    request("GET /", "X-A: 1"),
  ),
  passed(
    [16, "9110 7.6.1", "what Proxy-Connection names goes no further"],
    request("GET /", "Proxy-Connection: X-Secret", "X-Secret: 1", "X-A: 1"),
    request("GET /", "X-A: 1"),
  ),
  passed(
    [16, "9110 7.6.1", "Connection may name Authorization and Cookie"],
    request("GET /", "Connection: Authorization, Cookie", "Authorization: Basic x", "Cookie: a=1"),
    request("GET /"),
  ),
  answered(
    [16, "9110 7.6.1", "what a response's Connection names goes no further"],
    okWith("connection: x-SECRET, ,X-Other", "X-Secret: 1", "X-A: 1", "x-other: 2"),
    { status: 200, headers: ["X-A: 1"], body: "ok" },
  ),
  {
    ...{ rule: 16, section: "9110 7.6.1", fact: "Connection: close and a name on one line are both heard" },
    request: request("GET /", "Connection: close, X-Secret", "X-Secret: 1"),
    ...{ answers: [{ status: 200, has: ["Connection: close"] }], after: "closed", upstream: [request("GET /")] },
  },
  played([16, "9110 7.6.1", "Connection cannot name away what a tier writes"], async ({ at, origin, connect }) => {
    const recording = origin.play();
    const client = await connect();
    const ours = ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via", "X-Request-Id", "traceparent"];
    client.send(request("GET /", `Connection: ${ours.join(", ")}`, "X-Forwarded-For: 9.9.9.9", "Via: 1.1 liar"));
    await fence(await afterAnswer(client));
    const written = at.edge ? ours : ours.slice(3);
    const [seen] = recording.whole;
    assert.ok(seen);
    for (const name of written) assert.equal(valuesOf(seen, name).length, 1, name);
    assert.doesNotMatch(JSON.stringify(seen), /9\.9\.9\.9|liar/);
  }),
  ...["Host", "Content-Length", "Transfer-Encoding"].map((name) =>
    played(
      [16, "9110 7.6.1", `Connection: ${name} does not take a request's ${name} from it`],
      async ({ origin, connect }) => {
        const recording = origin.play();
        const client = await connect();
        const [framing, body] =
          name === "Transfer-Encoding"
            ? ["Transfer-Encoding: chunked", "2\r\nab\r\n0\r\n\r\n"]
            : ["Content-Length: 2", "ab"];
        client.send(request("POST /", `Connection: ${name}`, framing as string) + body);
        await fence(await afterAnswer(client));
        assert.deepEqual(
          recording.whole.map((message) => [message.body, valuesOf(message, "host")]),
          [["ab", ["a.test"]]],
        );
      },
    ),
  ),
  answered(
    [16, "9110 7.6.1", "Connection: Content-Length does not take a response's length from it"],
    okWith("Connection: Content-Length"),
    { status: 200, body: "ok" },
  ),
];

async function afterAnswer<T extends { final: () => Promise<unknown> }>(client: T): Promise<T> {
  await client.final();
  return client;
}

const known: readonly Row[] = [
  ...dropped(17, "Keep-Alive", "timeout=5, max=100"),
  ...dropped(17, "Proxy-Connection", "keep-alive"),
  ...dropped(17, "TE", "deflate;q=0.5"),
  ...dropped(17, "Trailer", "X-T"),
  ...dropped(17, "Proxy-Authorization", "Basic x"),
  ...dropped(17, "Proxy-Authenticate", "Basic"),
  ...dropped(17, "HTTP2-Settings", "AAMAAABkAAQAAP__"),
  ...dropped(17, "Upgrade", "h2c"),
];

const order: readonly Row[] = [
  passed(
    [30, "9110 5.3", "a request's headers keep their order, case, duplicates and unknown names"],
    request(
      "GET /",
      "X-b: 2",
      "x-A: 1",
      "X-B: 3",
      "Accept: a",
      "ACCEPT: b",
      "x-a: 4",
      "Cookie: a=1",
      "Cookie: b=2",
      'Unheard-Of: "q"',
    ),
  ),
  answered(
    [30, "9110 5.3", "a response's headers keep their order, case, duplicates and unknown names"],
    okWith(
      "Set-Cookie: a=1; Path=/",
      "x-A: 1",
      "X-a: 2",
      "set-cookie: b=2",
      "Vary: a",
      "VARY: b",
      "Server: x",
      'ETag: W/"1"',
    ),
    {
      status: 200,
      headers: [
        "Set-Cookie: a=1; Path=/",
        "x-A: 1",
        "X-a: 2",
        "set-cookie: b=2",
        "Vary: a",
        "VARY: b",
        "Server: x",
        'ETag: W/"1"',
      ],
    },
  ),
  answered([30, "9110 5.5", "bytes past ASCII in a response's value stay"], okWith("X-A: caf\xc3\xa9 \xe9"), {
    status: 200,
    headers: ["X-A: caf\xc3\xa9 \xe9"],
  }),
  answered([30, "9112 4", "a status and a reason of the origin's own stay"], OK.replace("200 OK", "299 Caf\xe9 Ok"), {
    status: 299,
    body: "ok",
  }),
  answered(
    [31, "9110 10.2.1", "Allow and WWW-Authenticate stay as they are"],
    `${head("HTTP/1.1 401 Unauthorized", 'WWW-Authenticate: Basic realm="a, b"', "WWW-Authenticate: Digest x", "Allow: GET,, HEAD", "Content-Length: 0")}`,
    {
      status: 401,
      headers: ['WWW-Authenticate: Basic realm="a, b"', "WWW-Authenticate: Digest x", "Allow: GET,, HEAD"],
    },
  ),
  answered(
    [30, "9110 6.6.1", "the origin's Date stays, and is the only one"],
    okWith("Date: Mon, 01 Jan 2024 00:00:00 GMT"),
    { status: 200, has: ["Date: Mon, 01 Jan 2024 00:00:00 GMT"] },
  ),
];

export const hopByHop: readonly Row[] = [...named, ...known, ...order];
