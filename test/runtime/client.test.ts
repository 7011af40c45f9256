// The client's command line as a process of its own: a single request, wrong words and faulty settings; what it prints, and what its
// exit code says. Many requests: client-many.test.ts.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { within } from "../tools/eventually.ts";
import { origin } from "../tools/http/origin.ts";
import { freePort, HOST } from "../tools/ports.ts";
import { type Ended, run } from "../tools/process/run.ts";

function client(t: TestContext, parameters: string[], environment: Record<string, string> = {}): Promise<Ended> {
  return within(60_000, "the end of the client", run(t, "services/client/client", environment, parameters).ended);
}

const url = (port: number) => `http://${HOST}:${port}`;

/** A balancer's answer, by turns from server-1 and server-4. */
function balancer(t: TestContext, status = 200) {
  let count = 0;
  return origin(t, (_request, response) => {
    const [server, proxy] = count % 2 === 0 ? ["server-1", "proxy-1"] : ["server-4", "proxy-2"];
    count += 1;
    response.writeHead(status, { "X-Served-By": server, Via: `1.1 ${proxy}, 1.1 balancer` });
    response.end(`answer ${count}\nand more`);
  });
}

test("one request is made as the client with the number, and says who served it, through whom, and the answer", async (t) => {
  const { port, asked } = await balancer(t);
  const { code, stdout, stderr } = await client(t, ["7", "--url", url(port)]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^client 7: served by server-1 through proxy-1 in \d+\.\d ms\nanswer 1\nand more\n$/);
  assert.deepEqual(
    asked.map(({ method, url }) => [method, url]),
    [["GET", "/?client=7"]],
  );
});

test("--url keeps its path and query; BALANCER_URL is where it goes without", async (t) => {
  const { port, asked } = await balancer(t);
  await client(t, ["--url", `${url(port)}/work?ms=5`, "3"]);
  await client(t, ["4"], { BALANCER_URL: url(port) });
  assert.deepEqual(
    asked.map((each) => each.url),
    ["/work?ms=5&client=3", "/?client=4"],
  );
});

test("without --url and BALANCER_URL it goes to BALANCER_PORT on this machine", async (t) => {
  const { port, asked } = await balancer(t);
  const { code } = await client(t, ["7"], { BALANCER_PORT: String(port) });
  assert.deepEqual([code, asked.length], [0, 1]);
});

const wholeId = "it must be a whole number from 1 to 999999999999999";
const wrong: readonly (readonly [words: readonly string[], line: string])[] = [
  [[], "there is no ID"],
  [["0"], "ID 0: it must be a whole number from 1 to 999999999999999"],
  [["-1"], "Unknown option '-1'"],
  [["abc"], `ID abc: ${wholeId}`],
  [["1.5"], `ID 1.5: ${wholeId}`],
  [["1", "2"], "Unexpected argument '2'"],
  [["1", "--count", "0"], "--count 0: it must be a whole number from 1 to 999999999999999"],
  [["1", "--url", "nowhere"], "--url nowhere: it must be an http:// or https:// address"],
  // A URL of the scheme "localhost", whose origin is "null".
  [["1", "--url", "localhost:8080"], "--url localhost:8080: it must be an http:// or https:// address"],
  [["1", "--speed", "9"], "Unknown option '--speed'"],
];

test("--help is answered with the usage and what each option does, on stdout", async (t) => {
  const { code, stdout, stderr } = await client(t, ["--help"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(
    stdout,
    /^usage: node client\.js ID .*\n.*\n\n {2}ID {2,}\S.*\n {2}--requests N {2,}\S.*\n(?:.*\n)* {2}--url URL {2,}\S[\s\S]*BALANCER_PORT/,
  );
});

test("wrong words are answered with what is wrong, the usage and 2, and nobody is asked", async (t) => {
  const { port, asked } = await balancer(t);
  const runs = wrong.map(([words, line]) => [words, line, client(t, [...words], { BALANCER_URL: url(port) })] as const);
  for (const [words, line, ended] of runs) {
    const { code, stdout, stderr } = await ended;
    assert.deepEqual([code, stdout], [2, ""], words.join(" "));
    const [said, ...usage] = stderr.split("\n");
    assert.equal(said, line);
    assert.match(usage.join("\n"), /^usage: node client\.js ID .*\n.*\n$/);
  }
  assert.equal(asked.length, 0);
});

test("a balancer that is not there is one line on stderr and 1", async (t) => {
  const port = await freePort();
  const { code, stdout, stderr } = await client(t, ["7", "--url", url(port)]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(stderr, `cannot reach the balancer at ${url(port)}: ECONNREFUSED\n`);
});

test("a 5xx is a failure with its status and first line; a 4xx is an answer", async (t) => {
  const broken = await balancer(t, 502);
  const failed = await client(t, ["7", "--url", url(broken.port)]);
  assert.deepEqual(
    [failed.code, failed.stdout, failed.stderr],
    [1, "", `${url(broken.port)} answered 502: answer 1\n`],
  );
  const missing = await balancer(t, 404);
  assert.equal((await client(t, ["7", "--url", url(missing.port)])).code, 0);
});

test("--json is the answer as one document, or why there is none, and the exit code is the same", async (t) => {
  const { port } = await balancer(t);
  const { code, stdout, stderr } = await client(t, ["7", "--json", "--url", url(port)]);
  assert.deepEqual([code, stderr], [0, ""]);
  const { ms, ...answer } = JSON.parse(stdout);
  assert.equal(typeof ms, "number");
  assert.deepEqual(answer, {
    ...{ client: 7, ok: true, server: "server-1", proxy: "proxy-1" },
    body: "answer 1\nand more",
  });
  const nobody = await freePort();
  const failed = await client(t, ["7", "--json", "--url", url(nobody)]);
  assert.equal(failed.code, 1);
  assert.deepEqual(JSON.parse(failed.stdout), {
    ...{ client: 7, ok: false, kind: "ECONNREFUSED" },
    reason: `cannot reach the balancer at ${url(nobody)}: ECONNREFUSED`,
  });
});

test("a connection that breaks in the middle of an answer is a failure", async (t) => {
  const { port } = await origin(t, (_request, response) => {
    response.writeHead(200, { "Content-Length": "10" }).write("half", () => response.destroy());
  });
  const { code, stderr } = await client(t, ["7", "--url", url(port)]);
  assert.equal(code, 1);
  assert.match(stderr, /^cannot reach the balancer at \S+: \S.*\n$/);
});

test("a faulty setting is named and ends the client with 78", async (t) => {
  const { code, stderr } = await client(t, ["7"], { BALANCER_URL: "balancer:8080" });
  assert.equal(code, 78);
  assert.match(stderr, /^BALANCER_URL="balancer:8080": it must be an http:\/\/ or https:\/\/ address\n$/);
});
