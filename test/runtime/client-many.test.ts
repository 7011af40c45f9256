// Many requests of the client as a process, in a pipe: how many are sent and how many at a time, what is summed up and in which
// form, and what the exit code says.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually, within } from "../tools/eventually.ts";
import { type Origin, origin } from "../tools/http/origin.ts";
import { freePort, HOST } from "../tools/ports.ts";
import { type Ended, run } from "../tools/process/run.ts";

const ENDS_MS_MAX = 60_000;
const url = (port: number) => `http://${HOST}:${port}`;
const bare = (text: string) => text.split("\n").map((line) => line.trim());

function client(t: TestContext, parameters: string[], port: number): Promise<Ended> {
  const { ended } = run(t, "services/client/client", {}, ["7", ...parameters, "--url", url(port)]);
  return within(ENDS_MS_MAX, "the end of the client", ended);
}

/** Answers by turns as server-1 behind proxy-1 and as server-4 behind proxy-2. @param failing which ones are answered with 503 */
function balancer(t: TestContext, failing: (count: number) => boolean = () => false): Promise<Origin> {
  let count = 0;
  return origin(t, (_request, response) => {
    count += 1;
    if (failing(count)) return response.writeHead(503).end("503: no-member\n");
    const [server, proxy] = count % 2 === 1 ? ["server-1", "proxy-1"] : ["server-4", "proxy-2"];
    response.writeHead(200, { "X-Served-By": server, Via: `1.1 ${proxy}, 1.1 balancer` });
    return response.end(`answer ${count}\n`);
  });
}

for (const option of ["--requests", "--count"]) {
  test(`${option} makes that many requests and sums up: answered, percentiles, rate, shares and a histogram`, async (t) => {
    const { port, asked } = await balancer(t);
    const { code, stdout, stderr } = await client(t, [option, "5"], port);
    assert.deepEqual([code, stderr, asked.length], [0, "", 5]);
    const [counts, shares, histogram] = stdout.trimEnd().split("\n\n").map(bare);
    assert.equal(counts?.[0], "client 7: 5 answered, 0 failed");
    assert.match(counts?.[1] ?? "", /^p50 \d+\.\d ms, p90 \d+\.\d ms, p99 \d+\.\d ms, most \d+\.\d ms$/);
    assert.match(counts?.[2] ?? "", /^\d+\.\d s, [\d.]+ requests a second$/);
    assert.deepEqual(
      shares?.map((line) => line.replace(/ +/g, " ")),
      ["proxy-1 3 60.0 %", "server-1 3 60.0 %", "proxy-2 2 40.0 %", "server-4 2 40.0 %"],
    );
    const bars = (histogram ?? []).map((line) => /^to [\d.]+ ms +(\d+)(?: +(#+))?$/.exec(line));
    assert.equal(
      bars.reduce((sum, bar) => sum + Number(bar?.[1]), 0),
      5,
    );
    assert.deepEqual(
      asked.map(({ method, url }) => [method, url]),
      Array.from({ length: 5 }, () => ["GET", "/?client=7"]),
    );
  });
}

test("--concurrency has so many under way at a time, and no more", async (t) => {
  const waiting: (() => void)[] = [];
  let most = 0;
  const { port, asked } = await origin(t, (_request, response) => {
    waiting.push(() => response.end());
    most = Math.max(most, waiting.length);
    // Nobody is answered before eight wait together.
    if (waiting.length === 8) for (const answer of waiting.splice(0)) answer();
  });
  const { code, stdout } = await client(t, ["--requests", "40", "--concurrency", "8"], port);
  assert.deepEqual([code, most, asked.length], [0, 8, 40]);
  assert.match(stdout, /^client 7: 40 answered, 0 failed\n/);
});

test("--duration sends until then, and waits for what is under way", async (t) => {
  const { port, asked } = await balancer(t);
  const { code, stdout } = await client(t, ["--duration", "300ms", "--rate", "100"], port);
  assert.equal(code, 0);
  assert.ok(asked.length > 0);
  assert.match(stdout, new RegExp(`^client 7: ${asked.length} answered, 0 failed\n`));
});

test("--rate sends no more than that, however fast the answers come", async (t) => {
  const { port, asked } = await balancer(t);
  const startedMs = performance.now();
  await client(t, ["--requests", "20", "--rate", "50"], port);
  assert.equal(asked.length, 20);
  // The twentieth is due nineteen fiftieths of a second behind the first.
  assert.ok(performance.now() - startedMs >= 380);
});

test("failures are counted by their reason on stderr, and the exit code is 1", async (t) => {
  const { port } = await balancer(t, (count) => count % 4 === 0);
  const { code, stdout, stderr } = await client(t, ["--requests", "12"], port);
  assert.equal(code, 1);
  assert.match(stdout, /^client 7: 9 answered, 3 failed\n/);
  assert.equal(stderr.trim(), `3  ${url(port)} answered 503: no-member`);
});

test("reasons past the fiftieth are counted together, so that no answer can fill the memory", async (t) => {
  let count = 0;
  const { port } = await origin(t, (_request, response) => {
    count += 1;
    response.writeHead(500).end(`error ${count}\n`);
  });
  const { stderr } = await client(t, ["--requests", "60"], port);
  const lines = bare(stderr.trimEnd());
  assert.deepEqual([lines.length, lines.at(-1)], [51, "10  others"]);
});

test("a connection that breaks in the middle of an answer, and nobody there, are failures of their kind", async (t) => {
  const { port } = await origin(t, (_request, response) => {
    response.writeHead(200, { "Content-Length": "10" }).write("half", () => response.destroy());
  });
  const broken = JSON.parse((await client(t, ["--requests", "2", "--json"], port)).stdout);
  const nobody = JSON.parse((await client(t, ["--requests", "2", "--json"], await freePort())).stdout);
  const kinds = [broken, nobody].map(({ answered, failed, failures }) => [answered, failed, failures[0].kind]);
  assert.deepEqual(kinds, [
    [0, 2, "ECONNRESET"],
    [0, 2, "ECONNREFUSED"],
  ]);
});

test("--json is the summary as one document on stdout, and nothing on stderr", async (t) => {
  const { port } = await balancer(t, (count) => count === 6);
  const { code, stdout, stderr } = await client(t, ["--requests", "6", "--json"], port);
  assert.deepEqual([code, stderr], [1, ""]);
  const { elapsedMs, requestsPerSecond, latencyMs, histogram, ...counts } = JSON.parse(stdout);
  assert.deepEqual(counts, {
    ...{ client: 7, requests: 6, answered: 5, failed: 1, notSent: 0 },
    ways: [
      { proxy: "proxy-1", server: "server-1", count: 3 },
      { proxy: "proxy-2", server: "server-4", count: 2 },
    ],
    failures: [{ kind: "503", reason: `${url(port)} answered 503: no-member`, count: 1 }],
  });
  assert.deepEqual(
    [typeof elapsedMs, typeof requestsPerSecond, Object.keys(latencyMs)],
    ["number", "number", ["p50", "p90", "p99", "p999", "max"]],
  );
  assert.equal(
    histogram.reduce((sum: number, bar: { count: number }) => sum + bar.count, 0),
    5,
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} ends many requests early, with the summary of what was answered, and leaves out those under way`, async (t) => {
    const asked: string[] = [];
    const { port } = await origin(t, (request, response) => {
      asked.push(request.url ?? "");
      if (asked.length < 3) response.writeHead(200, { "X-Served-By": "server-1", Via: "1.1 proxy-1" }).end();
    });
    const words = ["7", "--requests", "1000", "--concurrency", "3", "--url", url(port)];
    const running = run(t, "services/client/client", {}, words);
    await eventually("two answers and three more requests", () => asked.length === 5);
    running.child.kill(signal);
    const { code, stdout, stderr } = await within(ENDS_MS_MAX, "the end of the client", running.ended);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = bare(stdout.trimEnd());
    assert.equal(lines[0], "client 7: 2 answered, 0 failed; ended early, 998 not sent");
    assert.match(lines[1] ?? "", /^p50 /);
    assert.ok(lines.some((line) => /^server-1 +2 +100\.0 %$/.test(line)));
  });
}

test("--watch in a pipe is a line each second, and the summary when it ends", async (t) => {
  const { port } = await balancer(t);
  const running = run(t, "services/client/client", {}, ["7", "--watch", "--rate", "20", "--url", url(port)]);
  let seen = "";
  running.child.stdout?.on("data", (chunk) => {
    seen += chunk;
  });
  await eventually("two lines", () => seen.split("\n").length > 2, ENDS_MS_MAX);
  running.child.kill("SIGINT");
  const { code, stdout } = await within(ENDS_MS_MAX, "the end of the client", running.ended);
  assert.equal(code, 0);
  assert.match(stdout, /^1 s {2}\d+ answered, 0 failed {2}server-1 \d+, server-4 \d+\n2 s /);
  assert.match(stdout, /\nclient 7: \d+ answered, 0 failed\n/);
});
