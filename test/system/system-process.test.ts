// The whole system as child processes, under load: its members killed, frozen and ended, with every request counted.
// One system serves all facts; the last one ends it.

import assert from "node:assert/strict";
import { Agent } from "node:http";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { routeOf } from "../tools/load/exchange.ts";
import { assertNoneFailed, fewClients, type Load, loadOn } from "../tools/load/load.ts";
import { takenPort } from "../tools/ports.ts";
import { exists } from "../tools/process/pids.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { fileScope, type Scope } from "../tools/scope.ts";

const REQUESTS = 600;

const scope = fileScope();
let system: ProcessSystem;

before(async () => {
  // Another file's system may have it, and give it back while ours starts: only what we hold ourselves stays taken.
  await eventually("port 9004 is ours", () => takenPort(scope, 9004).catch(onlyInUse), 120_000);
  system = await startSystem(scope);
});

test("the first start of the members is no incident", async () => {
  const { body } = await ask(system.watchdogPort, { path: "/api/incidents" });
  assert.deepEqual(JSON.parse(body), { incidents: [] });
});

test("600 requests reach the proxies in turn, and each server through its own group's proxy alone", async (t) => {
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const counts: Record<string, number> = { "proxy-1": 0, "proxy-2": 0 };
  const routes = new Set<string>();
  for (let sent = 0; sent < REQUESTS; sent += 1) {
    const reply = await ask(system.balancerPort, { agent });
    const [proxy, server] = routeOf(reply);
    assert.deepEqual([reply.status, reply.headers.via], [200, `1.1 ${proxy}, 1.1 balancer`]);
    counts[proxy] = (counts[proxy] ?? 0) + 1;
    routes.add(`${proxy} > ${server}`);
  }
  assert.deepEqual(counts, { "proxy-1": REQUESTS / 2, "proxy-2": REQUESTS / 2 });
  const groups = { "proxy-1": [1, 2, 3], "proxy-2": [4, 5, 6] };
  const all = Object.entries(groups).flatMap(([proxy, servers]) => servers.map((n) => `${proxy} > server-${n}`));
  assert.deepEqual([...routes].sort(), all);
});

test("a server whose port is taken listens elsewhere, where the registry says, and takes traffic there", async (t) => {
  const port = (await system.member("server-4"))?.port as number;
  assert.notEqual(port, 9004);
  assert.equal(JSON.parse((await ask(port)).body).server, "server-4");
  await (await load(t)).more(1, "server-4");
});

for (const id of ["server-2", "proxy-1"]) {
  test(`a killed ${id} costs no GET, is back where the registry says, and leaves the others alone`, async (t) => {
    const pids = system.pids;
    const clients = await load(t);
    const { port } = await system.healsAfter("SIGKILL", id);
    const direct = await ask(port);
    assert.ok([routeOf(direct)[0], JSON.parse(direct.body).server].includes(id), `${id} does not answer at ${port}`);
    await clients.more(1, id);
    await clients.more(100);
    await clients.finish();
    t.diagnostic(JSON.stringify(clients.tally()));
    await assertNoneFailed(clients, 1);
    assert.notEqual(system.pid(id), pids.get(id));
    assert.deepEqual(othersThan(id, system.pids), othersThan(id, pids));
  });
}

test("a killed balancer is back on its port and leaves the others alone", async (t) => {
  const pids = system.pids;
  const clients = await load(t);
  const { port } = await system.healsAfter("SIGKILL", "balancer");
  assert.equal(port, system.balancerPort);
  await clients.more(1, "server-1");
  await clients.finish();
  const tally = clients.tally();
  t.diagnostic(JSON.stringify(tally));
  // While nobody listens, nobody answers; once somebody does, it has members to forward to.
  const odd = Object.keys(tally).filter((outcome) => !/ (200|ECONNREFUSED|ECONNRESET)$/.test(outcome));
  assert.deepEqual(odd, []);
  assert.deepEqual(othersThan("balancer", system.pids), othersThan("balancer", pids));
});

for (const id of ["server-5", "proxy-2"]) {
  test(`a frozen ${id} costs no GET, is replaced, never comes back as a second member, and is recorded as healed`, async (t) => {
    const frozen = system.pid(id);
    const clients = await load(t);
    await system.healsAfter("SIGSTOP", id);
    await clients.more(1, id);
    await clients.finish();
    t.diagnostic(JSON.stringify(clients.tally()));
    await assertNoneFailed(clients, 1);
    // Its successor came first; what it held had time to be finished, had it been merely slow.
    await eventually("it is gone", () => !exists(frozen), 10_000);
    assert.deepEqual(system.alive(id), [system.pid(id)]);
    assert.equal((await system.members()).filter((member) => member.id === id).length, 1);
    const { body } = await ask(system.watchdogPort, { path: `/api/incidents?slot=${id}` });
    const [latest] = (JSON.parse(body) as { incidents: { cause: string; outcome: string }[] }).incidents;
    assert.equal(latest?.outcome, "healed", body);
    assert.match(latest?.cause ?? "", /probes in a row/);
  });
}

test("SIGTERM answers what is in flight, stops the balancer first, and leaves nothing behind", async () => {
  const slow = ask(system.balancerPort, { path: "/work?ms=1000" });
  await eventually("the balancer works on it", oneInFlight, 10_000);
  assert.equal(await system.end("SIGTERM"), 0);
  assert.equal((await slow).status, 200);
  assert.deepEqual(system.alive(), []);
  const order = ["balancer", ...Array(2).fill("proxy"), ...Array(6).fill("server"), "watchdog"];
  await eventually("all have said so", () => system.stopped.length >= order.length);
  assert.deepEqual(system.stopped, order);
});

async function load(scope: Scope): Promise<Load> {
  const clients = loadOn(scope, system.balancerPort, fewClients);
  await clients.more(50);
  return clients;
}

function othersThan(id: string, pids: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...pids].filter(([other]) => other !== id).sort());
}

async function oneInFlight(): Promise<boolean> {
  const balancer = await system.member("balancer");
  const { body } = await ask(balancer?.adminPort as number, { path: "/metrics" });
  return /^evenkeel_requests_in_flight 1$/m.test(body);
}

/** Nothing held yet, where another has the port; whatever else went wrong goes on. */
function onlyInUse(error: NodeJS.ErrnoException): void {
  assert.equal(error.code, "EADDRINUSE");
}
