// Without Docker, a watchdog that is killed leaves its members as they are: its guardian is their parent, and the next watchdog takes
// them over, with what they wrote meanwhile. With the guardian gone, nothing is left behind.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { assertNoneFailed, loadOn } from "../tools/load/load.ts";
import { exists } from "../tools/process/pids.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { fileScope } from "../tools/scope.ts";

/** Whether or not the answers before have come. */
const STEADY = { get: { perSecond: 200 }, post: { perSecond: 20 } } as const;

const scope = fileScope();
let system: ProcessSystem;

before(async () => {
  system = await startSystem(scope);
});

const members = () => new Map([...system.pids].filter(([id]) => id !== "watchdog"));

async function incidentsOf(slot: string): Promise<{ outcome: string }[]> {
  const { body } = await ask(system.watchdogPort, { path: `/api/incidents?slot=${slot}` });
  return (JSON.parse(body) as { incidents: { outcome: string }[] }).incidents;
}

test("a watchdog killed three times at 200 requests a second costs none, and no member its process", async (t) => {
  const was = members();
  const clients = loadOn(t, system.balancerPort, STEADY);
  await clients.more(50);
  for (const _ of [1, 2, 3]) {
    const killed = system.pid("watchdog");
    await system.respawnsAfter(() => process.kill(killed, "SIGKILL"));
    assert.notEqual(system.pid("watchdog"), killed);
    await clients.more(200);
  }
  t.diagnostic(JSON.stringify((await clients.finish()).tally()));
  await assertNoneFailed(clients);
  assert.deepEqual(members(), was);
  assert.ok([...was.values()].every(exists));
  const { body } = await ask(system.watchdogPort, { path: "/api/incidents" });
  assert.deepEqual(JSON.parse(body), { incidents: [] });
});

test("the next watchdog hears of their ends, and heals them", async () => {
  await system.healsAfter("SIGKILL", "server-2");
  await system.healsAfter("SIGSTOP", "proxy-1");
  await eventually("both are recorded as healed", async () => {
    const [[one], [other]] = [await incidentsOf("server-2"), await incidentsOf("proxy-1")];
    return one?.outcome === "healed" && other?.outcome === "healed";
  });
});

test("a member that dies while there is no watchdog is healed by the next one", async () => {
  const server = system.pid("server-5");
  const generation = (await system.member("server-5"))?.generation ?? 0;
  await system.respawnsAfter(() => {
    process.kill(system.pid("watchdog"), "SIGKILL");
    process.kill(server, "SIGKILL");
  });
  assert.ok(((await system.member("server-5"))?.generation ?? 0) > generation);
  assert.notEqual(system.pid("server-5"), server);
});

test("a guardian has no more files open after six heals than before", async () => {
  const files = async () => (await readdir(`/proc/${system.guardian}/fd`)).length;
  const before = await files();
  for (const number of [1, 2, 3, 4, 5, 6]) await system.healsAfter("SIGKILL", `server-${number}`);
  await eventually("what the dead had is closed", async () => (await files()) <= before);
});

test("a member made by one watchdog is stopped in good order by the next one", async () => {
  const stopped = system.end("SIGTERM");
  assert.equal(await stopped, 0);
  assert.deepEqual(system.alive(), []);
});

test("guardian and watchdog killed together leave nothing behind", async () => {
  const other = await startSystem(scope);
  const all = other.alive();
  assert.equal(all.length, 10);
  process.kill(other.pid("watchdog"), "SIGKILL");
  process.kill(other.guardian, "SIGKILL");
  await eventually("nothing is left", () => other.alive().length === 0, 20_000);
});

test("a guardian that is killed takes its watchdog and all members with it", async () => {
  const other = await startSystem(scope);
  process.kill(other.guardian, "SIGKILL");
  await eventually("nothing is left", () => other.alive().length === 0, 20_000);
});
