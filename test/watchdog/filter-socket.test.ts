// The guardian's filtered socket as a server: its bounds, what it says when the engine does not answer, that it lets go of the engine
// when whoever asked is gone, and its memory on disk. The engine here is a small server on a Unix socket.

import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ContainerInspectInfo } from "dockerode";
import { exitCode, StartupFailure } from "../../services/runtime/exit.ts";
import { connect as connectEngine } from "../../watchdog/engines/docker/connection.ts";
import { Memory } from "../../watchdog/guardian/socket/memory.ts";
import { askSocket, filteredSocket } from "../tools/docker/filtered-socket.ts";
import { inspected } from "../tools/docker/inspected.ts";
import { eventually } from "../tools/eventually.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const LOOKED = { ...inspected(), Created: "2026-01-01T00:00:00Z" } as unknown as ContainerInspectInfo;
const NAME = "evenkeel-server-4-1";

interface Asked {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly response: ServerResponse;
}

/** An engine with one container; whatever else is asked stays open. */
async function stage(t: TestContext) {
  const enginePath = join(await temporaryDirectory(t), "docker.sock");
  const asked: Asked[] = [];
  const engine = createServer((request, response) => {
    asked.push({ line: `${request.method} ${request.url}`, headers: request.headers, response });
    if (request.url === `/v1.45/containers/${LOOKED.Id}/json`) response.end(JSON.stringify(LOOKED));
    else if (request.url?.startsWith("/containers/")) response.writeHead(404).end("{}");
  }).listen(enginePath);
  await once(engine, "listening");
  t.after(() => {
    engine.close();
    engine.closeAllConnections();
  });
  const socket = await filteredSocket(t, { enginePath, project: "evenkeel" });
  return { ...socket, asked, enginePath };
}

const LOGS = `/v1.45/containers/${LOOKED.Id}/logs?follow=true&stdout=true`;

test("nothing of a caller's head goes to the engine, nor a body where there is to be none", async (t) => {
  const { path, asked } = await stage(t);
  const headers = { "X-Registry-Auth": "x", Upgrade: "tcp", Connection: "Upgrade" };
  const target = `/v1.45/containers/${LOOKED.Id}/start`;
  void askSocket(path, { method: "POST", target, body: { Binds: ["/:/host"] }, headers }).catch(() => {});
  const start = await eventually("a start", () => asked.find(({ line }) => line === `POST ${target}`));
  assert.deepEqual(start.headers, { host: "docker", connection: "close", "content-length": "0" });
  start.response.writeHead(204).end();
});

test("a name is taken for what it means once: the engine is asked about the id", async (t) => {
  const { path, asked } = await stage(t);
  void askSocket(path, { method: "GET", target: LOGS }).catch(() => {});
  const logs = await eventually("logs", () => asked.find(({ line }) => line === `GET ${LOGS}`));
  logs.response.end();
});

test("a stream passes on each piece as it comes, and ends at the engine when whoever asked is gone", async (t) => {
  const { path, asked } = await stage(t);
  const call = request({ socketPath: path, path: LOGS, agent: false }).end();
  call.on("error", () => {});
  const logs = await eventually("logs", () => asked.find(({ line }) => line === `GET ${LOGS}`));
  logs.response.write("one");
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  answer.on("error", () => {});
  assert.equal(String((await once(answer, "data"))[0]), "one");
  logs.response.write("two");
  assert.equal(String((await once(answer, "data"))[0]), "two");
  const closed = once(logs.response, "close");
  call.destroy();
  await closed;
});

test("a body past the bound is refused and not held, and one that is cut short makes nothing", async (t) => {
  const { path, asked, refused } = await stage(t);
  const target = `/v1.45/containers/create?name=${NAME}`;
  await askSocket(path, { method: "GET", target: `/v1.45/containers/${LOOKED.Id}/json` });
  const large = JSON.stringify({ Env: ["x".repeat(5 * 1024 * 1024)] });
  assert.equal((await askSocket(path, { method: "POST", target, body: large })).status, 403);
  assert.equal(refused.splice(0).length, 1);
  const cut = connect(path).resume();
  cut.on("error", () => {});
  cut.end(`POST ${target} HTTP/1.1\r\nHost: docker\r\nContent-Length: 100\r\n\r\n{`);
  await once(cut, "close");
  assert.ok(!asked.some(({ line }) => line.startsWith("POST")));
  assert.deepEqual(refused, []);
});

test("a head past the bound is refused", async (t) => {
  const { path } = await stage(t);
  const client = connect(path);
  client.write(`GET /version?x=${"x".repeat(20_000)} HTTP/1.1\r\nHost: docker\r\n\r\n`);
  client.resume();
  await once(client, "close");
});

test("what is refused is told in whole twenty times a minute, and then counted", async (t) => {
  const { path, refused } = await stage(t);
  for (let n = 0; n < 50; n += 1) await askSocket(path, { method: "GET", target: "/images/json" });
  assert.equal(refused.splice(0).length, 20);
});

test("an engine that is not there is named by its own socket, not by the filter's", async (t) => {
  const enginePath = join(await temporaryDirectory(t), "none.sock");
  const { path } = await filteredSocket(t, { enginePath, project: "evenkeel" });
  const failure = await connectEngine(path).then(
    () => assert.fail("it connected"),
    (error: unknown) => error,
  );
  assert.ok(failure instanceof StartupFailure);
  assert.equal(failure.exitCode, exitCode.engineMissing);
  assert.ok(failure.message.startsWith(`there is no Docker socket at ${enginePath}: mount it there`), failure.message);
});

const silent = { failing: (reason: string) => assert.fail(reason), recovered: () => {} };

test("what was looked at is known to the next guardian, and to another one beside it", async (t) => {
  const directory = join(await temporaryDirectory(t), "guardian");
  const [one, other] = [new Memory(directory, silent), new Memory(directory, silent)];
  one.note(LOOKED);
  await one.written();
  other.note({ ...LOOKED, Id: "other", Name: "/evenkeel-server-5-1" });
  await other.written();
  const next = new Memory(directory, silent);
  await next.read();
  assert.equal(next.looks(NAME)[0]?.Id, LOOKED.Id);
  assert.equal(next.looks(`${NAME}-aside`).length, 1);
  assert.equal(next.looks("evenkeel-server-5-1")[0]?.Id, "other");
  assert.equal(next.serviceOf(LOOKED.Id), "server-4");
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  assert.equal((await stat(join(directory, "containers.json"))).mode & 0o777, 0o600);
});

test("a memory that somebody else may write is not believed", async (t) => {
  const root = await temporaryDirectory(t);
  const directory = join(root, "guardian");
  const memory = new Memory(directory, silent);
  memory.note(LOOKED);
  await memory.written();
  const file = join(directory, "containers.json");
  const forged = async (reason: RegExp) => {
    const faults: string[] = [];
    const next = new Memory(directory, { failing: (fault) => void faults.push(fault), recovered: () => {} });
    await next.read();
    assert.deepEqual(next.looks(NAME), []);
    assert.match(faults.join(), reason);
  };
  await chmod(file, 0o666);
  await forged(/containers\.json is not the guardian's own/);
  await chmod(file, 0o600);
  await chmod(directory, 0o777);
  await forged(/guardian is not the guardian's own/);
  await rename(directory, join(root, "away"));
  await mkdir(directory, { mode: 0o700 });
  await writeFile(file, "{ no JSON", { mode: 0o600 });
  await forged(/JSON/);
  assert.ok((await readFile(join(root, "away", "containers.json"), "utf8")).includes(LOOKED.Id));
});
