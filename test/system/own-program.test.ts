// Without Docker, a program of the user's as servers: balanced and healed like the samples, under load with every GET counted, and
// with nothing left behind, whoever dies.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { routeOf } from "../tools/load/exchange.ts";
import { assertNoneFailed, fewClients, type Load, loadOn } from "../tools/load/load.ts";
import { freePort } from "../tools/ports.ts";
import { isAlive } from "../tools/process/pids.ts";
import { run } from "../tools/process/run.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope, type Scope } from "../tools/scope.ts";

const PROGRAM = fileURLToPath(new URL("../tools/process/own-program.mjs", import.meta.url));
const SERVERS = ["server-1", "server-2", "server-3"];
const LEFT_WITHIN_MS = 20_000;

const scope = fileScope();
let system: ProcessSystem;
let directory: string;

before(async () => {
  directory = await temporaryDirectory(scope);
  system = await start(scope);
});

test("each server is the program, in the caller's directory, on a port of its own, behind its share's proxy", async () => {
  const routes = new Map<string, string>();
  for (let sent = 0; sent < 200; sent += 1) {
    const reply = await ask(system.balancerPort);
    const [proxy, server] = routeOf(reply);
    routes.set(server, proxy);
    const answer = JSON.parse(reply.body) as { port: string; cwd: string; names: string[] };
    assert.equal(answer.cwd, directory);
    assert.equal((await system.member(server))?.port, Number(answer.port));
    const ours = ["ROLE", "GUARDED", "API_TOKEN", "REGISTRY_FILE", "SERVER_COMMAND"];
    assert.deepEqual(
      ours.filter((name) => answer.names.includes(name)),
      [],
    );
  }
  assert.deepEqual(Object.fromEntries(routes), { "server-1": "proxy-1", "server-2": "proxy-1", "server-3": "proxy-2" });
});

test("what the program writes is in the log under its slot, and no report, whatever it looks like", async () => {
  const forged = system.output.filter(({ slot, line }) => slot === "server-2" && line.includes('"event":"listening"'));
  assert.equal(forged.length, 1);
  const members = await system.members();
  assert.ok(
    members.every(({ port, state }) => port > 2 && state === "serving"),
    JSON.stringify(members),
  );
  const rows = await slots();
  for (const id of SERVERS) assert.equal(rows.find(({ slot }) => slot === id)?.pid, system.pid(id));
});

for (const [id, signal] of [
  ["server-1", "SIGKILL"],
  ["server-2", "SIGSTOP"],
  ["server-3", "SIGTERM"],
] as const) {
  test(`${signal} to ${id} costs no GET, and it is healed and the only one of its kind`, async (t) => {
    const pids = system.pids;
    const clients = await load(t);
    await system.healsAfter(signal, id);
    await clients.more(1, id);
    await clients.more(100);
    await assertNoneFailed(clients);
    t.diagnostic(JSON.stringify(clients.tally()));
    await eventually("the one before is gone", () => !isAlive(pids.get(id) as number));
    assert.deepEqual(system.alive(id).filter(isAlive), [system.pid(id)]);
    for (const other of pids.keys()) if (other !== id) assert.equal(system.pid(other), pids.get(other), other);
    const { body } = await ask(system.watchdogPort, { path: `/api/incidents?slot=${id}` });
    assert.equal((JSON.parse(body) as { incidents: { outcome: string }[] }).incidents[0]?.outcome, "healed", body);
  });
}

test("made anew one after another by order, as for a new version, they cost no request, POSTs neither", async (t) => {
  const was = SERVERS.map((id) => system.pid(id));
  const clients = loadOn(scope, system.balancerPort, fewClients);
  await clients.more(50);
  for (const id of SERVERS) {
    const before = system.pid(id);
    const WATCHDOG_PORT = String(system.watchdogPort);
    const { code, stderr } = await run(scope, "watchdog/ctl/watchdogctl", { WATCHDOG_PORT }, ["heal", id]).ended;
    assert.deepEqual([code, stderr], [0, ""]);
    await eventually(`${id} is another one`, () => system.pid(id) !== before);
    await system.serves();
    await clients.more(50, id);
    await eventually("the one before is gone", () => !isAlive(before));
  }
  t.diagnostic(JSON.stringify(clients.tally()));
  await assertNoneFailed(clients);
  assert.ok(was.every((pid) => !isAlive(pid)));
});

test("the next watchdog takes the programs over, and heals them", async (t) => {
  const was = SERVERS.map((id) => system.pid(id));
  const clients = await load(t);
  await system.respawnsAfter(() => process.kill(system.pid("watchdog"), "SIGKILL"));
  assert.deepEqual(
    SERVERS.map((id) => system.pid(id)),
    was,
  );
  await system.healsAfter("SIGKILL", "server-2");
  await clients.more(100);
  await assertNoneFailed(clients);
});

test("SIGTERM answers what is in flight, and leaves nothing behind", async () => {
  const slow = ask(system.balancerPort, { path: "/?ms=1000" });
  await eventually("a server works on it", async () => {
    const balancer = await system.member("balancer");
    const { body } = await ask(balancer?.adminPort as number, { path: "/metrics" });
    return /^evenkeel_requests_in_flight 1$/m.test(body);
  });
  assert.equal(await system.end("SIGTERM"), 0);
  assert.equal((await slow).status, 200);
  assert.deepEqual(system.alive(), []);
});

test("guardian and watchdog killed together leave nothing behind, though the programs and their children heed no SIGTERM", async () => {
  const other = await start(scope, "STUBBORN=yes ");
  const all = await eventually("all have said their pids", () => {
    const alive = other.alive();
    return alive.length === 1 + 3 + 2 * SERVERS.length ? alive : undefined;
  });
  process.kill(other.pid("watchdog"), "SIGKILL");
  process.kill(other.guardian, "SIGKILL");
  await eventually("nothing is left", () => !all.some(isAlive), LEFT_WITHIN_MS);
});

test("a program that is killed takes its own children with it, and they are ended at a stop", async () => {
  const other = await start(scope, "STUBBORN=yes ", ["--health", "/up"]);
  const [, child] = await eventually("both pids", () => {
    const pids = other.alive("server-1");
    return pids.length === 2 ? pids : undefined;
  });
  const leader = (await rowsOf(other)).find(({ slot }) => slot === "server-1")?.pid as number;
  process.kill(leader, "SIGKILL");
  await eventually("its child is gone", () => !isAlive(child as number));
  await other.serves();
  // It serves by the path of its health, which the watchdog alone asks.
  assert.ok((JSON.parse((await ask(other.balancerPort)).body) as { ups: number }).ups > 0);
  // The grace at a stop.
  assert.equal(await other.end("SIGTERM"), 0);
  await eventually("nothing is left", () => !other.alive().some(isAlive));
});

test("a program that ends as soon as it has begun is quarantined, and its incident has its last words", async (t) => {
  const [balancer, watchdog] = [await freePort(), await freePort()];
  const settings = {
    ...{ ROLE: "watchdog", ENGINE: "process", REGISTRY_FILE: join(await temporaryDirectory(t), "registry.json") },
    ...{ BALANCER_PORT: String(balancer), WATCHDOG_PORT: String(watchdog) },
  };
  const running = run(t, "main", settings, ["--servers", "1", "--command", "echo there is no database; exit 3"]);
  await running.event("output", { slot: "server-1", line: "there is no database" });
  await eventually("quarantine", async () => /"kind":"quarantined"/.test((await state(watchdog)) ?? ""), 60_000);
  const { cause, log } = JSON.parse((await ask(watchdog, { path: "/api/incidents/1" })).body) as Incident;
  assert.deepEqual([cause, log], ["it exited with code 3", ["there is no database"]]);
  running.child.kill("SIGTERM");
  assert.equal((await running.ended).code, 0);
});

interface Incident {
  readonly cause: string;
  readonly log: readonly string[];
}

function start(outer: Scope, before = "", more: readonly string[] = []): Promise<ProcessSystem> {
  const command = `${before}${process.execPath} ${PROGRAM}`;
  const parameters = ["--servers", String(SERVERS.length), "--command", command, "--port-env", "APP_PORT"];
  const settings = { SERVER_DIRECTORY: directory, DRAIN_TIMEOUT_MS: "2000" };
  return startSystem(outer, settings, [...parameters, ...more]);
}

/** GETs alone: what became of a POST when its server died is the tiers' tests' business. */
async function load(outer: Scope): Promise<Load> {
  const clients = loadOn(outer, system.balancerPort, { get: { clients: 4, pauseMs: 5 } });
  await clients.more(50);
  return clients;
}

const slots = () => rowsOf(system);

async function rowsOf({ watchdogPort }: ProcessSystem): Promise<{ slot: string; pid: number }[]> {
  const { body } = await ask(watchdogPort, { path: "/api/state" });
  return (JSON.parse(body) as { slots: { slot: string; pid: number }[] }).slots;
}

async function state(port: number): Promise<string | undefined> {
  return (await ask(port, { path: "/api/state" }).catch(() => undefined))?.body;
}
