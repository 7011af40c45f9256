// The first minute with Evenkeel: what is said when it cannot start, and how soon `npm start` serves when it can. Every
// refusal is one line on stderr that names the setting and the fix, without a stack trace, and has its own exit code.

import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { exitCode } from "../../services/runtime/exit.ts";
import { eventually, within } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { freePort, takenPort, takenRange } from "../tools/ports.ts";
import { type Ended, run } from "../tools/process/run.ts";
import type { Scope } from "../tools/scope.ts";

const ENDS_WITHIN_MS = 20_000;
const SERVES_WITHIN_MS = 30_000;
const root = fileURLToPath(new URL("../..", import.meta.url));
const main = join(root, "dist/services/main.js");
/** Root may use any socket; whoever else runs the tests is nobody enough. */
const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const nobodySkip =
  spawnSync(process.execPath, ["--check", main], asNobody).status !== 0 && `uid 65534 cannot read ${main}`;

type Settings = Record<string, string>;

test("no program carries a library's texts in other languages, which each member would load and keep", async () => {
  const files = (await readdir(join(root, "dist"), { recursive: true })).filter((file) => file.endsWith(".js"));
  const texts = await Promise.all(files.map((file) => readFile(join(root, "dist", file), "utf8")));
  const languages = texts.flatMap((source) =>
    [...source.matchAll(/\/zod\/v4\/locales\/([\w-]+)\.js/g)].map(([, name]) => name),
  );
  assert.deepEqual([...new Set(languages)], ["en"]);
});

test("every refusal has an exit code of its own", () => {
  const codes = Object.values(exitCode);
  assert.equal(new Set(codes).size, codes.length);
});

test("several faulty settings are all named at once, each in a line with what is legal", async (t) => {
  const settings = { ROLE: "server", PORT: "70000", PROBE_TIMEOUT_MS: "soon", PORT_RANGE: "9100-9001" };
  assertRefused(await ended(t, settings), exitCode.settings, [
    [/PORT="70000"/, /0 to 65535/],
    [/PORT_RANGE="9100-9001"/, /the smaller first/],
    [/PROBE_TIMEOUT_MS="soon"/, /10 to 60000/],
  ]);
});

test("an unknown ROLE is answered with the roles there are", async (t) => {
  const line = [/ROLE="sidecar"/, /watchdog, balancer, proxy, server, client/];
  assertRefused(await ended(t, { ROLE: "sidecar" }), exitCode.settings, [line]);
});

test("a missing ROLE is answered with the roles there are", async (t) => {
  const line = [/ROLE is not set/, /watchdog, balancer, proxy, server, client/];
  assertRefused(await ended(t, {}), exitCode.settings, [line]);
});

for (const setting of ["BALANCER_PORT", "WATCHDOG_PORT"]) {
  test(`a port in use is named with ${setting}`, async (t) => {
    const port = await takenPort(t);
    const line = [new RegExp(`port ${port}\\b`), /in use/, new RegExp(`set ${setting} to a free port`)];
    assertRefused(await ended(t, await watchdog(t, { [setting]: String(port) })), exitCode.portTaken, [line]);
  });
}

for (const count of [1, 2]) {
  test(`a full range of ${count} is named with PORT_RANGE`, async (t) => {
    const first = await takenRange(t, count);
    const settings = { ROLE: "server", ID: "server-1", PORT_RANGE: `${first}-${first + count - 1}` };
    const line = [new RegExp(settings.PORT_RANGE), /in use/, /set PORT_RANGE to a range with a free port/];
    assertRefused(await ended(t, settings), exitCode.portsExhausted, [line]);
  });
}

test("a missing Docker socket is named with DOCKER_SOCKET and the way to do without Docker", async (t) => {
  const DOCKER_SOCKET = join(await directory(t), "docker.sock");
  const line = [/no Docker socket/, new RegExp(DOCKER_SOCKET), /set DOCKER_SOCKET/, /ENGINE=process/];
  const settings = await watchdog(t, { ENGINE: "docker", DOCKER_SOCKET });
  assertRefused(await ended(t, settings), exitCode.engineMissing, [line]);
});

test("a Docker socket that refuses us is named with DOCKER_SOCKET and who may", { skip: nobodySkip }, async (t) => {
  const DOCKER_SOCKET = await socketOf(t, (_request, response) => response.end());
  await chmod(dirname(DOCKER_SOCKET), 0o755);
  await chmod(DOCKER_SOCKET, 0);
  const settings = await watchdog(t, { ENGINE: "docker", DOCKER_SOCKET });
  // Whoever it runs as may write there; it is the socket that it may not use.
  await chmod(dirname(settings.REGISTRY_FILE as string), 0o777);
  const env = { PATH: process.env.PATH, ...settings };
  // Not spawnSync: the socket is served by this very process.
  const child = spawn(process.execPath, [main], { ...asNobody, env, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  t.after(() => void child.kill("SIGKILL"));
  const [code, signal] = await within(ENDS_WITHIN_MS, "the end of the process", once(child, "close"));
  const line = [/no permission/, new RegExp(DOCKER_SOCKET), /a user who may, such as root/, /set DOCKER_SOCKET/];
  assertRefused({ code, signal, stdout: "", stderr }, exitCode.engineRefused, [line]);
});

test("a Docker engine older than API 1.44 is named with the version to upgrade to", async (t) => {
  const DOCKER_SOCKET = await socketOf(t, (request, response) => {
    response.statusCode = /^(\/v[\d.]+)?\/version$/.test(request.url ?? "") ? 200 : 404;
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ Version: "24.0.9", ApiVersion: "1.43", MinAPIVersion: "1.12" }));
  });
  const line = [/API 1\.43/, /older than 1\.44/, /upgrade it to Docker 25/];
  const settings = await watchdog(t, { ENGINE: "docker", DOCKER_SOCKET });
  assertRefused(await ended(t, settings), exitCode.engineTooOld, [line]);
});

test("a registry that is no JSON is named with REGISTRY_FILE", async (t) => {
  const REGISTRY_FILE = join(await directory(t), "registry.json");
  await writeFile(REGISTRY_FILE, "members: []\n");
  const line = [/REGISTRY_FILE/, new RegExp(REGISTRY_FILE), /not JSON/, /mend or remove the file/];
  assertRefused(await ended(t, { ROLE: "proxy", ID: "proxy-1", REGISTRY_FILE }), exitCode.registry, [line]);
});

test("a registry that cannot be written is named with REGISTRY_FILE", async (t) => {
  const file = join(await directory(t), "a-file");
  await writeFile(file, "");
  const refused = await ended(t, await watchdog(t, { REGISTRY_FILE: join(file, "registry.json") }));
  assert.notEqual(refused.code, 0);
  assertRefused(refused, refused.code, [[/REGISTRY_FILE/, new RegExp(file)]]);
});

test("a system that is started twice says so, and what to set for another one beside it", async (t) => {
  const settings = await watchdog(t);
  const first = run(t, "main", settings);
  await first.event("ready", { role: "watchdog" });
  const line = [
    /leads here already/,
    new RegExp(`port ${settings.WATCHDOG_PORT}\\b`),
    /set REGISTRY_FILE and BALANCER_PORT too/,
  ];
  const { code, signal, stderr } = await within(ENDS_WITHIN_MS, "the second one", run(t, "main", settings).ended);
  assertRefused({ code, signal, stdout: "", stderr }, exitCode.portTaken, [line]);
});

test("npm start serves on BALANCER_PORT without a word on stderr, and SIGTERM ends it with exit code 0", async (t) => {
  const settings = await watchdog(t);
  const cwd = await checkout(t);
  const startedAt = performance.now();
  // A group of its own, so that whatever it starts can be ended with it.
  const npm = spawn("npm", ["start", "--silent"], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...settings },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  t.after(() => endGroup(npm));
  const stderr = text(npm.stderr);
  const exited = once(npm, "exit");
  const served = async () => (await ask(Number(settings.BALANCER_PORT)).catch(() => undefined))?.status === 200;
  await eventually("npm start serves", served, SERVES_WITHIN_MS);
  t.diagnostic(`npm start served after ${Math.round(performance.now() - startedAt)} ms`);
  const refused = await clean(cwd, settings);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^clean: .* leads a system that runs from here: end it first/);
  assert.ok(existsSync(join(cwd, "dist")));
  npm.kill("SIGTERM");
  assert.deepEqual(await within(ENDS_WITHIN_MS, "the end of npm start", exited), [0, null]);
  assert.equal(await stderr, "");
  assert.deepEqual(await clean(cwd, settings), { code: 0, stderr: "" });
  assert.ok(!existsSync(join(cwd, "dist")));
});

async function clean(cwd: string, { REGISTRY_FILE }: Settings): Promise<{ code: number | null; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, REGISTRY_FILE };
  const npm = spawn("npm", ["run", "--silent", "clean"], { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  const [[code], stderr] = await Promise.all([once(npm, "exit"), text(npm.stderr)]);
  return { code, stderr };
}

/** One line for each list of patterns, in order, that matches all of them. */
function assertRefused({ code, signal, stderr }: Ended, expected: number | null, lines: readonly RegExp[][]): void {
  assert.doesNotMatch(stderr, /^\s+at /m);
  const said = stderr.split("\n").slice(0, -1);
  assert.equal(said.length, lines.length, stderr);
  for (const [index, patterns] of lines.entries()) {
    for (const pattern of patterns) assert.match(said[index] as string, pattern);
  }
  assert.deepEqual({ code, signal }, { code: expected, signal: null });
}

function ended(t: Scope, settings: Settings): Promise<Ended> {
  return within(ENDS_WITHIN_MS, "the end of the process", run(t, "main", settings).ended);
}

/** What a watchdog over processes needs to start, with changes. */
async function watchdog(t: Scope, changes: Settings = {}): Promise<Settings> {
  const [BALANCER_PORT, WATCHDOG_PORT] = [String(await freePort()), String(await freePort())];
  const REGISTRY_FILE = join(await directory(t), "registry.json");
  return { ROLE: "watchdog", ENGINE: "process", BALANCER_PORT, WATCHDOG_PORT, REGISTRY_FILE, ...changes };
}

/** What `npm start` builds and runs, apart: a build takes away, for a moment, the programs that other tests run. */
async function checkout(t: Scope): Promise<string> {
  const path = await directory(t);
  const parts = ["package.json", "tsconfig.json", "build.ts", "clean.ts", "services", "watchdog", "node_modules"];
  for (const part of parts) await cp(join(root, part), join(path, part), { recursive: true, verbatimSymlinks: true });
  return path;
}

async function directory(t: Scope): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "evenkeel-startup-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A Docker socket with something else behind it. */
async function socketOf(t: Scope, answer: RequestListener): Promise<string> {
  const socket = join(await directory(t), "docker.sock");
  const server = createServer(answer).listen(socket);
  await once(server, "listening");
  t.after(() => void server.close());
  return socket;
}

/** npm and all that it has started; nothing when all of it has ended. */
async function endGroup(leader: ChildProcess): Promise<void> {
  try {
    process.kill(-(leader.pid as number), "SIGKILL");
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ESRCH");
  }
}
