// How the connection to the Docker engine is opened, and refused: each refusal has a code of its own and one line that
// names the fix. No Docker is needed: the engines here are small servers on a Unix socket.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import type { ContainerInspectInfo } from "dockerode";
import { exitCode, StartupFailure } from "../../services/runtime/exit.ts";
import { connect, projectOf } from "../../watchdog/engines/docker/connection.ts";
import { createWhenFree } from "../../watchdog/engines/docker/twin/create.ts";

async function socketPath(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "evenkeel-socket-"));
  t.after(() => rm(directory, { recursive: true }));
  // mkdtemp makes it its owner's alone; another user has to be able to come this far.
  await chmod(directory, 0o755);
  return join(directory, "docker.sock");
}

/** An engine that answers every request the same way. */
async function engine(t: TestContext, answer: RequestListener): Promise<{ path: string; server: Server }> {
  const path = await socketPath(t);
  const server = createServer(answer).listen(path);
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { path, server };
}

const speaks =
  (ApiVersion: string): RequestListener =>
  (_request, response) => {
    response.setHeader("Content-Type", "application/json").end(JSON.stringify({ ApiVersion, Version: "x" }));
  };

async function refusal(path: string): Promise<{ code: number; line: string }> {
  const failure = await connect(path).then(
    () => assert.fail("it connected"),
    (error: unknown) => error,
  );
  assert.ok(failure instanceof StartupFailure, String(failure));
  assert.equal(failure.message.includes("\n"), false, "one line");
  return { code: failure.exitCode, line: failure.message };
}

test("a missing socket is refused with its path and what to set", async (t) => {
  const path = await socketPath(t);
  const { code, line } = await refusal(path);
  assert.equal(code, exitCode.engineMissing);
  assert.ok(line.includes(`there is no Docker socket at ${path}`), line);
  assert.match(line, /DOCKER_SOCKET.*ENGINE=process/);
});

test("a socket nobody listens on is refused as an engine that does not answer", async (t) => {
  const path = await socketPath(t);
  // A process that is killed outright leaves its socket behind: a server that closes in good order removes it.
  const bind = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  await once(spawn(process.execPath, ["-e", bind], { stdio: "ignore" }), "exit");
  const { code, line } = await refusal(path);
  assert.equal(code, exitCode.engineMissing);
  assert.match(line, /no Docker engine answers \(ECONNREFUSED\).*DOCKER_SOCKET/);
});

test("something that hangs up at once is refused as an engine that does not answer", async (t) => {
  const path = await socketPath(t);
  const server = createSocket((socket) => socket.destroy()).listen(path);
  await once(server, "listening");
  t.after(() => server.close());
  const { code, line } = await refusal(path);
  assert.equal(code, exitCode.engineMissing);
  assert.match(line, /no Docker engine answers .*DOCKER_SOCKET/);
});

test("an engine that speaks API 1.41 is too old, and the line names the upgrade", async (t) => {
  const { path } = await engine(t, speaks("1.41"));
  const { code, line } = await refusal(path);
  assert.equal(code, exitCode.engineTooOld);
  assert.match(line, /1\.41.*older than 1\.44.*upgrade it to Docker 25/);
});

test("versions are compared as numbers, not as text", async (t) => {
  const { path } = await engine(t, speaks("1.9"));
  assert.equal((await refusal(path)).code, exitCode.engineTooOld);
});

const negotiated: readonly [string, string][] = [
  ["1.44", "v1.44"],
  ["1.45", "v1.45"],
  ["1.51", "v1.51"],
  ["1.52", "v1.51"],
  ["1.100", "v1.51"],
  ["2.0", "v1.51"],
];

for (const [spoken, used] of negotiated) {
  test(`an engine that speaks API ${spoken} is spoken to in ${used}`, async (t) => {
    const paths: (string | undefined)[] = [];
    const { path } = await engine(t, (request, response) => {
      paths.push(request.url);
      speaks(spoken)(request, response);
    });
    const { calls, streams } = await connect(path);
    await calls.info();
    await streams.info();
    assert.deepEqual(paths.slice(1), [`/${used}/info`, `/${used}/info`]);
  });
}

test("what a container is made from stands in the body alone, however large, and its name in the URL alone", async (t) => {
  const asked: { readonly url: string | undefined; readonly body: string }[] = [];
  const { path } = await engine(t, async (request, response) => {
    if (request.method === "GET") return speaks("1.45")(request, response);
    asked.push({ url: request.url, body: await text(request) });
    response.writeHead(201, { "Content-Type": "application/json" }).end('{"Id":"made"}');
  });
  const { calls } = await connect(path);
  const body = { Image: "evenkeel", Env: [`SECRET=${"s".repeat(100_000)}`] };
  assert.equal(await createWhenFree(calls, "one", body), "made");
  assert.deepEqual(asked, [{ url: "/v1.45/containers/create?name=one", body: JSON.stringify(body) }]);
});

const ofProject = (name: string) =>
  ({ Config: { Labels: { "com.docker.compose.project": name } } }) as unknown as ContainerInspectInfo;

test("the project is the one of the watchdog's own container, else the one that is set", () => {
  assert.equal(projectOf({ COMPOSE_PROJECT_NAME: undefined }, ofProject("b")), "b");
  assert.equal(projectOf({ COMPOSE_PROJECT_NAME: "b" }, ofProject("b")), "b");
  assert.equal(projectOf({ COMPOSE_PROJECT_NAME: "a" }, undefined), "a");
  assert.equal(projectOf({ COMPOSE_PROJECT_NAME: undefined }, undefined), undefined);
});

test("a project that is set and is not the container's own is refused, and the line names both", () => {
  assert.throws(() => projectOf({ COMPOSE_PROJECT_NAME: "a" }, ofProject("b")), {
    exitCode: exitCode.settings,
    message: /COMPOSE_PROJECT_NAME=a, but this container is of project b: take it out/,
  });
});

const whyNotNobody = process.getuid?.() === 0 ? false : "only root can run a process as another user";

test("a socket we may not use is refused with a code of its own", { skip: whyNotNobody }, async (t) => {
  const { path } = await engine(t, speaks("1.45"));
  await chmod(path, 0o600);
  const script = new URL("../tools/docker/as-nobody.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, ["--import", "tsx", script, path], {
    uid: 65_534,
    gid: 65_534,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const failure = JSON.parse(await text(child.stdout)) as { exitCode: number; message: string };
  assert.equal(failure.exitCode, exitCode.engineRefused);
  assert.ok(failure.message.includes(`no permission for the Docker socket ${path}`), failure.message);
  assert.match(failure.message, /DOCKER_SOCKET/);
});

test("each refusal has a code of its own", () => {
  const { engineMissing, engineRefused, engineTooOld } = exitCode;
  assert.equal(new Set([engineMissing, engineRefused, engineTooOld]).size, 3);
});
