// The life of a member, as a real process: it says where it listens and how it is, and, told to stop, it lets what it has
// begun come to its end, takes nothing new, and leaves with exit code 0.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { connect } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { writeRegistry } from "../../services/registry/document.ts";
import { eventually, within } from "../tools/eventually.ts";
import { ask, begin, rawClient } from "../tools/http/ask.ts";
import { origin } from "../tools/http/origin.ts";
import { HOST } from "../tools/ports.ts";
import { type MemberProcess, startMember } from "../tools/process/run.ts";
import { startTier } from "../tools/process/tiers.ts";
import { entry, registry, temporaryDirectory } from "../tools/registry.ts";

const SERVER = { ROLE: "server", ID: "server-4", GROUP: "2" };
/** A member that has nothing to wait for is gone by then; one that waits for its deadline of 8 s is not. */
const PROMPT_MS = 5_000;

/** Ends well: by itself, without a word on stderr. */
async function endsWell({ ended }: MemberProcess, limitMs = PROMPT_MS): Promise<void> {
  const { code, signal, stderr } = await within(limitMs, "the end of the process", ended);
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: "" });
}

const isRefused = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host: HOST, port }, () => resolve(false)).on("error", () => resolve(true));
    socket.once("connect", () => socket.destroy());
  });

test("a member says where it listens in one line of JSON, and in a file where it is told to", async (t) => {
  const file = join(await temporaryDirectory(t), "listening");
  const member = await startMember(t, { ...SERVER, LISTENING_FILE: file });
  const { time, level, pid, node, nonce, ...facts } = await member.event("listening");
  const { port, adminPort } = member;
  assert.deepEqual(facts, {
    event: "listening",
    role: "server",
    id: "server-4",
    group: "2",
    host: HOST,
    port,
    adminPort,
  });
  assert.deepEqual([pid, node, level], [member.child.pid, process.version, "info"]);
  // It was started without a nonce of its own.
  assert.equal(nonce, hostname());
  assert.ok(Math.abs(Date.now() - Date.parse(String(time))) < 60_000);
  const written = await eventually("the file", () => readFile(file, "utf8").catch(() => ""));
  assert.equal(written, `${adminPort} /healthz\n`);
});

/** The image's health check, on the file that a member left. */
const healthcheck = (file: string) =>
  promisify(execFile)("bash", ["services/runtime/healthcheck.sh"], { env: { LISTENING_FILE: file } });

test("the image's health check passes while a member answers, and fails when it does not", async (t) => {
  const file = join(await temporaryDirectory(t), "listening");
  await assert.rejects(healthcheck(file), /No such file/);
  const member = await startMember(t, { ...SERVER, LISTENING_FILE: file });
  await eventually("the file", () => readFile(file, "utf8").catch(() => ""));
  await healthcheck(file);
  await writeFile(file, `${member.adminPort} /nothing-there\n`);
  await assert.rejects(healthcheck(file), { code: 1 });
  await writeFile(file, `${member.adminPort} /healthz\n`);
  member.child.kill("SIGTERM");
  await endsWell(member);
  await assert.rejects(healthcheck(file), /Connection refused/);
});

test("a member says where it listens whatever the log level, and nothing else when that is silent", async (t) => {
  const member = await startMember(t, { ...SERVER, LOG_LEVEL: "silent" });
  await member.event("listening");
  member.child.kill("SIGTERM");
  await endsWell(member);
  assert.deepEqual(
    member.events.map(({ event }) => event),
    ["listening", "draining"],
  );
});

test("a server answers at its port, and how it is at its admin port", async (t) => {
  const { port, adminPort } = await startMember(t, SERVER);
  assert.equal(JSON.parse((await ask(port, { path: "/?client=7" })).body).server, "server-4");
  assert.equal((await ask(adminPort, { path: "/healthz" })).status, 200);
  assert.equal((await ask(adminPort, { path: "/readyz" })).status, 200);
  const { body } = await ask(adminPort, { path: "/metrics" });
  assert.match(body, /^evenkeel_server_requests_total 1$/m);
});

test("a tier is alive at once, and ready while somebody serves", async (t) => {
  const tier = await startTier(t, []);
  const statuses = async () => [
    (await ask(tier.adminPort, { path: "/healthz" })).status,
    (await ask(tier.adminPort, { path: "/readyz" })).status,
  ];
  assert.deepEqual(await statuses(), [200, 503]);
  await tier.publish([entry("proxy-1", 1)]);
  assert.deepEqual(await statuses(), [200, 200]);
  await tier.publish([entry("proxy-1", 1, { state: "draining" })]);
  assert.deepEqual(await statuses(), [200, 503]);
  const { body } = await ask(tier.adminPort, { path: "/metrics" });
  assert.match(body, /^evenkeel_registry_version 3$/m);
  assert.match(body, /^evenkeel_members_serving 0$/m);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`a tier that gets a ${signal} finishes what is in flight, takes nothing new, and leaves with 0`, async (t) => {
    let answer = () => {};
    const server = await origin(t, (_request, response) => {
      response.write("begun, ");
      answer = () => response.end("finished");
    });
    const tier = await startTier(t, [entry("proxy-1", server.port)]);
    const response = await begin(tier.port);
    tier.child.kill(signal);
    await tier.event("draining");
    await eventually("the refusal of a new connection", () => isRefused(tier.port));
    assert.equal(tier.child.exitCode, null, "it waits for the request");
    answer();
    assert.equal(String(Buffer.concat(await response.toArray())), "begun, finished");
    await endsWell(tier);
    assert.equal((await tier.event("stopped")).cut, 0);
  });
}

test("a server goes on taking requests for its grace, says so with its answers, and is not ready meanwhile", async (t) => {
  const member = await startMember(t, { ...SERVER, DRAIN_GRACE_MS: "1000" });
  member.child.kill("SIGTERM");
  await member.event("draining");
  const { status, headers } = await ask(member.port, { agent: new Agent({ keepAlive: true }) });
  assert.deepEqual([status, headers.connection], [200, "close"]);
  assert.equal((await ask(member.adminPort, { path: "/readyz" })).status, 503);
  assert.equal((await ask(member.adminPort, { path: "/healthz" })).status, 200);
  await endsWell(member);
});

test("a request that is still at work when a server is told to stop gets its answer", async (t) => {
  const member = await startMember(t, { ...SERVER, DRAIN_GRACE_MS: "0" });
  const client = await rawClient(t, member.port);
  client.send("POST /work?ms=300 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  await client.until(/^HTTP\/1\.1 100 /);
  member.child.kill("SIGTERM");
  await member.event("draining");
  client.send("body");
  await client.until(/HTTP\/1\.1 200 OK[\s\S]*"bytes":4/);
  await endsWell(member);
});

test("connections that have nothing to say do not hold a member up: idle, or silent from the first", async (t) => {
  const tier = await startTier(t, []);
  const idle = await rawClient(t, tier.port);
  idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await idle.until(/503: no-member\n/);
  const silent = await rawClient(t, tier.port);
  tier.child.kill("SIGTERM");
  await within(PROMPT_MS, "the end of the idle connection", idle.closed);
  await within(PROMPT_MS, "the end of the silent connection", silent.closed);
  await endsWell(tier);
});

test("what has not come to its end by the deadline is cut off and counted", async (t) => {
  const server = await origin(t, (_request, response) => void response.write("never "));
  const tier = await startTier(t, [entry("proxy-1", server.port)], { DRAIN_TIMEOUT_MS: "300" });
  const response = await begin(tier.port);
  tier.child.kill("SIGTERM");
  await assert.rejects(response.toArray());
  await endsWell(tier);
  assert.equal((await tier.event("stopped")).cut, 1);
});

test("a second signal does not wait", async (t) => {
  const server = await origin(t, () => {});
  const tier = await startTier(t, [entry("proxy-1", server.port)]);
  begin(tier.port).catch(() => {});
  await eventually("the request", () => server.asked.length === 1);
  tier.child.kill("SIGTERM");
  await tier.event("draining");
  tier.child.kill("SIGTERM");
  const { signal } = await within(PROMPT_MS, "the end of the process", tier.ended);
  assert.equal(signal, "SIGTERM");
});

test("a member of a process engine stops when its watchdog is gone: when its stdin closes", async (t) => {
  const member = await startMember(t, { ...SERVER, STOP_WITH_STDIN: "yes", DRAIN_GRACE_MS: "0" });
  member.child.stdin?.end();
  await endsWell(member);
});

test("a member that nobody told to does not mind its stdin closing, nor its stdout", async (t) => {
  const member = await startMember(t, { ...SERVER, DRAIN_GRACE_MS: "0", LOG_LEVEL: "debug" });
  member.child.stdin?.end();
  member.child.stdout?.destroy();
  for (let count = 0; count < 20; count += 1) assert.equal((await ask(member.port)).status, 200);
  member.child.kill("SIGTERM");
  const [code] = await within(PROMPT_MS, "the end of the process", once(member.child, "exit"));
  assert.equal(code, 0);
});

test("a reader of its stdout that stalls does not hold a member up", async (t) => {
  const file = join(await temporaryDirectory(t), "registry.json");
  // The line that says who serves is by itself more than a pipe holds.
  const members = Array.from({ length: 1_000 }, (_, index) => entry(`proxy-${"x".repeat(100)}-${index}`, 1));
  const tier = await startMember(t, { ROLE: "balancer", REGISTRY_FILE: file });
  tier.child.stdout?.pause();
  for (const version of [1, 2, 3]) {
    await writeRegistry(file, registry(version, members));
    await eventually(`version ${version}`, async () => {
      return (await ask(tier.adminPort, { path: "/metrics" })).body.includes(`evenkeel_registry_version ${version}\n`);
    });
  }
  assert.equal((await ask(tier.port)).status, 502);
});
