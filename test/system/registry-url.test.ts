// A balancer that shares no file with the watchdog, as on another machine: it has the registry from the watchdog's port alone, serves no
// sooner than it has it, and follows on while members and watchdogs are killed under load.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { assertNoneFailed, fewClients, loadOn } from "../tools/load/load.ts";
import { type MemberProcess, startMember } from "../tools/process/run.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { fileScope } from "../tools/scope.ts";

const scope = fileScope();
let system: ProcessSystem;
let balancer: MemberProcess;
let port: number;

before(async () => {
  system = await startSystem(scope);
  balancer = await startMember(scope, {
    ...{ ROLE: "balancer", ID: "balancer-far", REGISTRY_FILE: "/nowhere/registry.json" },
    REGISTRY_URL: `http://127.0.0.1:${system.watchdogPort}/registry`,
  });
  port = balancer.port;
});

const adopted = () =>
  balancer.events.filter(({ event }) => event === "registry-adopted").map(({ version }) => Number(version));

test("it has the registry before it listens, so that its first request is answered", async () => {
  const names = balancer.events.map(({ event }) => event);
  assert.ok(names.indexOf("ready") < names.indexOf("listening"), names.join());
  assert.equal((await ask(port)).status, 200);
});

test("it follows heals, and watchdogs that are killed, and fails no GET", async (t) => {
  const clients = loadOn(scope, port, fewClients);
  await clients.more(50);
  const healed = await system.healsAfter("SIGKILL", "server-2");
  await clients.more(50);
  const killed = system.pid("watchdog");
  await system.respawnsAfter(() => process.kill(killed, "SIGKILL"));
  await system.healsAfter("SIGKILL", "proxy-1");
  await clients.more(100);
  await clients.finish();
  t.diagnostic(JSON.stringify(clients.tally()));
  await assertNoneFailed(clients, 2);
  assert.ok((healed.generation ?? 0) > 1);
  const { body } = await ask(system.watchdogPort, { path: "/registry" });
  const { version } = JSON.parse(body) as { version: number };
  await eventually("it has the latest", () => adopted().at(-1) === version);
  const versions = adopted();
  assert.deepEqual(
    versions,
    [...versions].sort((one, other) => one - other),
    "versions only grow",
  );
});
