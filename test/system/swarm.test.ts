// A watchdog on a Swarm, as a process over a manager on a Unix socket, with tasks that are real servers on this machine's loopback: what
// it publishes as they serve, fall silent, leave and come, and that it asks and never tells.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Registry } from "../../services/registry/document.ts";
import { exitCode } from "../../services/runtime/exit.ts";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { freePort } from "../tools/ports.ts";
import { run } from "../tools/process/run.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { swarmNode, swarmService, swarmTask } from "../tools/swarm/answers.ts";
import { FakeManager } from "../tools/watchdog/fake-manager.ts";

const SECONDS_SINCE_1970 = 1_700_000_000;

async function serve(host: string, port: number): Promise<Server> {
  const server = createServer((_request, response) => response.end("well"));
  server.listen(port, host);
  await once(server, "listening");
  return server;
}

function end(server: Server): void {
  server.close();
  server.closeAllConnections();
}

/** Two tasks of one service, each on a node of its own and at an address of its own. */
async function stage(t: TestContext) {
  const manager = await FakeManager.open(t);
  const [port, watchdogPort] = [await freePort(), await freePort()];
  const task = (id: string, slot: number, changes = {}) =>
    swarmTask({ id, slot, node: `node-${slot}`, addresses: { ek_mesh: `127.0.0.${slot + 1}` }, ...changes });
  manager.services = [swarmService("app", { labels: { "evenkeel.port": String(port) } })];
  manager.nodes = [swarmNode("node-1"), swarmNode("node-2")];
  manager.tasks = [task("aaaaa", 1), task("bbbbb", 2)];
  const servers = await Promise.all(["127.0.0.2", "127.0.0.3"].map((host) => serve(host, port)));
  t.after(() => servers.map(end));
  const REGISTRY_FILE = join(await temporaryDirectory(t), "registry.json");
  const LISTENING_FILE = join(dirname(REGISTRY_FILE), "listening");
  const environment = {
    ...{ ROLE: "watchdog", ENGINE: "swarm", STACK: "ek", DOCKER_SOCKET: manager.socket },
    ...{ PORT: String(watchdogPort), REGISTRY_FILE, LISTENING_FILE },
  };
  const registry = async () => JSON.parse(await readFile(REGISTRY_FILE, "utf8").catch(() => "{}")) as Partial<Registry>;
  const shows = (...expected: readonly string[]) =>
    eventually(`the registry says ${expected.join(", ")}`, async () => {
      const { members = [] } = await registry();
      return members.map(({ id, state }) => `${id} ${state}`).join() === expected.join() || undefined;
    });
  return { manager, port, watchdogPort, task, servers, environment, registry, shows };
}

test("a watchdog on a Swarm publishes tasks as they serve, fall silent and leave, and only ever asks", async (t) => {
  const { manager, port, watchdogPort, task, servers, environment, registry, shows } = await stage(t);
  run(t, "main", environment);
  await shows("app-1.aaaaa serving", "app-2.bbbbb serving");
  const { version = 0, members = [] } = await registry();
  assert.ok(version > SECONDS_SINCE_1970, `version ${version}: above whatever another watchdog has published before`);
  assert.deepEqual(
    members.map(({ host, port: at, group, pool }) => [host, at, group, pool]),
    [
      ["127.0.0.2", port, "1", "app"],
      ["127.0.0.3", port, "1", "app"],
    ],
  );
  await eventually("it is ready", async () => (await ask(watchdogPort, { path: "/readyz" })).status === 200);
  end(servers[0] as Server);
  await shows("app-1.aaaaa down", "app-2.bbbbb serving");
  const again = await serve("127.0.0.2", port);
  t.after(() => end(again));
  await shows("app-1.aaaaa serving", "app-2.bbbbb serving");
  manager.tasks = [
    task("aaaaa", 1, { desired: "shutdown" }),
    task("ccccc", 1, { state: "starting" }),
    task("bbbbb", 2),
  ];
  await shows("app-1.aaaaa draining", "app-2.bbbbb serving");
  manager.tasks = [task("ccccc", 1), task("bbbbb", 2)];
  await shows("app-1.ccccc serving", "app-2.bbbbb serving");
  assert.deepEqual(
    manager.calls.filter((call) => !call.startsWith("GET ")),
    [],
  );
  // It is written behind the registry.
  const kept = () => readFile(join(environment.REGISTRY_FILE, "..", "watchdog.json"), "utf8").catch(() => "aaaaa");
  await eventually("of a task that is gone nothing is remembered", async () => !(await kept()).includes("aaaaa"));
});

test("a manager that does not answer changes nothing in the registry, and /readyz says why", async (t) => {
  const { manager, watchdogPort, environment, registry, shows } = await stage(t);
  run(t, "main", environment);
  await shows("app-1.aaaaa serving", "app-2.bbbbb serving");
  const { version } = await registry();
  manager.failure = { status: 503, message: "The swarm does not have a leader." };
  const body = await eventually("it says so", async () => {
    const reply = await ask(watchdogPort, { path: "/readyz" });
    return reply.body.includes("rounds fail") ? reply.body : undefined;
  });
  assert.match(body, /does not have a leader/);
  assert.equal((await registry()).version, version);
  // By its health check Swarm would replace it, and the next one could do no better.
  const [port, path = ""] = (await readFile(environment.LISTENING_FILE, "utf8")).trim().split(" ");
  assert.deepEqual([port, (await ask(watchdogPort, { path })).status], [String(watchdogPort), 200]);
  manager.failure = undefined;
  manager.tasks = manager.tasks.slice(1);
  await shows("app-2.bbbbb serving");
});

test("an engine that is no manager, and a watchdog of no stack, are refused in one line that names the fix", async (t) => {
  const { manager, environment } = await stage(t);
  const lost = await run(t, "main", { ...environment, STACK: "" }).ended;
  assert.deepEqual([lost.code, lost.stderr.trim().split("\n").length], [exitCode.settings, 1], lost.stderr);
  assert.match(lost.stderr, /no part of a stack: start it with docker stack deploy, or set STACK/);
  manager.isNone();
  const worker = await run(t, "main", environment).ended;
  assert.deepEqual([worker.code, worker.stderr.trim().split("\n").length], [exitCode.engineRefused, 1], worker.stderr);
  assert.match(worker.stderr, /is no Swarm manager: place the watchdog with node.role == manager/);
});
