// Heads as long as they may be: what one tier takes passes both, though each adds something, and whatever is too long speaks against no
// proxy. Over the link and over HTTP/1.1, and for upgrades, which node:http reads once more.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { rawOrigin } from "../tools/http/origin.ts";
import { startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";
import { type Message, statusOf, valuesOf } from "../tools/wire/http-bytes.ts";
import { RawClient } from "../tools/wire/raw-client.ts";

const REQUEST_BYTES_MAX = 16_384;
const RESPONSE_BYTES_MAX = 65_536;
/** At the second tier with what it may have grown by, as it has no line that a tier writes. */
const TOO_LONG = REQUEST_BYTES_MAX + 520;
const UPGRADE = "Connection: Upgrade\r\nUpgrade: x\r\n";
const HOST_MAX = "h".repeat(255);
/** A line without a space behind its colon each, of which Connection has all written anew. */
const SHORT_LINES = Array.from({ length: 900 }, (_, index) => `a${index}:b\r\n`).join("");

const scope = fileScope();
const systems: { readonly what: string; readonly balancer: TierProcess; readonly proxy: TierProcess }[] = [];
let answer = "";

before(async () => {
  const server = await rawOrigin(scope, (socket, bytes) => {
    if (bytes.includes("\r\n\r\n")) socket.write(answer, "latin1");
  });
  for (const LINK of ["yes", "no"]) {
    const { balancer, proxies } = await startTwoTiers(scope, [entry("server-1", server.port)], {
      environment: { LINK },
    });
    systems.push({ what: `LINK=${LINK}`, balancer, proxy: proxies[0] as TierProcess });
  }
});

/** A head of exactly so many bytes. */
function padded(first: string, bytes: number): string {
  return `${first}X-Pad: ${"p".repeat(bytes - first.length - "X-Pad: \r\n\r\n".length)}\r\n\r\n`;
}

async function asked(port: number, request: string): Promise<Message> {
  const client = await RawClient.to(port);
  client.send(request);
  try {
    return await client.response();
  } finally {
    client.close();
  }
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
const requestOf = (lines: string, host = "a") => `GET / HTTP/1.1\r\nHost: ${host}\r\n${lines}`;
const answerOf = (status: string, lines: string) => `HTTP/1.1 ${status}\r\nContent-Length: 2\r\n${lines}`;

type Row = readonly [what: string, request: string, answer: string, status: number];

const rows: readonly Row[] = [
  ["a request as long as may be", padded(requestOf(""), REQUEST_BYTES_MAX), OK, 200],
  ["one with a Host as long as may be", padded(requestOf("", HOST_MAX), REQUEST_BYTES_MAX), OK, 200],
  ["one that is too long", padded(requestOf(""), TOO_LONG), OK, 431],
  ["an upgrade as long as may be", padded(requestOf(UPGRADE, HOST_MAX), REQUEST_BYTES_MAX), SWITCH, 101],
  ["an upgrade that is too long", padded(requestOf(UPGRADE), TOO_LONG), SWITCH, 431],
  [
    "a response as long as may be, of lines that grow",
    padded(requestOf(""), 100),
    `${padded(answerOf("200 OK", `Connection: x-hop\r\n${SHORT_LINES}`), RESPONSE_BYTES_MAX)}ok`,
    200,
  ],
  [
    "a response that is too long",
    padded(requestOf(""), 100),
    padded(answerOf("200 OK", ""), 2 * RESPONSE_BYTES_MAX),
    502,
  ],
  [
    "a refusal of an upgrade with 20,000 bytes of headers",
    padded(requestOf(UPGRADE), 200),
    `${padded(answerOf("403 Forbidden", ""), 20_000)}no`,
    403,
  ],
];

for (const [what, request, said, status] of rows) {
  test(`${what} has the same answer at one tier and through both, and speaks against no proxy`, async () => {
    for (const { what: way, balancer, proxy } of systems) {
      answer = said;
      assert.equal(statusOf(await asked(proxy.port, request)), status, `${way}, one tier`);
      assert.equal(statusOf(await asked(balancer.port, request)), status, `${way}, both tiers`);
      const failing = balancer.events.filter(({ event }) => event === "member-failing");
      assert.deepEqual(failing, [], way);
    }
  });
}

test("of a response whose lines grow none is lost", async () => {
  answer = `${padded(answerOf("200 OK", `Connection: x-hop\r\n${SHORT_LINES}`), RESPONSE_BYTES_MAX)}ok`;
  for (const { balancer } of systems) {
    const response = await asked(balancer.port, padded(requestOf(""), 100));
    assert.equal(response.headers.filter(([name]) => /^a\d+$/.test(name)).length, 900);
    assert.deepEqual([valuesOf(response, "x-pad").length, response.body], [1, "ok"]);
  }
});
