// Two watchdogs on one system, on a real Docker Engine with Compose: the second stands by, takes over when the first dies,
// recreates it, and fights nobody who stops either.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { stateSchema } from "../../watchdog/api/schema.ts";
import { type ComposeSystem, emptyProject } from "../tools/compose/system.ts";
import { docker, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { assertNoneFailed, type Load, loadOn } from "../tools/load/load.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

/** Of the whole system, what one group needs. */
const MEMBERS = ["balancer", "proxy-1", "server-1", "server-2"];
const WITHIN_MS = 30_000;
/** It is 3 s on a machine that does nothing else. */
const LEADS_WITHIN_MS = 6_000;

/** Two of equal rank: neither gives the lead back. */
const OVERRIDE = { services: { "watchdog-2": { environment: { STANDBY: "no" } } } };

const scope = fileScope();
let system: ComposeSystem;

before(async () => {
  if (skip !== false) return;
  const override = join(await temporaryDirectory(scope), "standby.json");
  await writeFile(override, JSON.stringify(OVERRIDE));
  system = await emptyProject(scope, override);
  await system.must("up", "--build", "--wait", "--no-deps", ...MEMBERS, "watchdog");
  await system.must("up", "--wait", "--no-deps", "watchdog-2");
});

test("a second watchdog stands by: it is healthy, and says who leads", { skip }, async () => {
  const { Id } = await system.container("watchdog");
  assert.equal((await system.container("watchdog-2")).State.Health?.Status, "healthy");
  assert.deepEqual(await asked("watchdog-2", "/readyz"), [200, "standing by\n"]);
  const [status, said] = await asked("watchdog-2", "/api/state");
  const leader = `container ${Id.slice(0, 12)} leads, by epoch 1`;
  const detail = `this watchdog stands by: ${leader}; ask that one, or restart it, and this one leads`;
  const { type, error } = JSON.parse(said);
  assert.deepEqual([status, type, error], [503, "urn:evenkeel:problem:standing-by", detail]);
});

test("when the first is killed the second leads, recreates it, and no GET fails", { skip }, async (t) => {
  const load = await loaded(t);
  const first = await system.container("watchdog");
  const killedMs = Date.now();
  await docker("kill", first.Id);
  const ledMs = await leadsSince("watchdog-2", killedMs);
  t.diagnostic(`led ${ledMs - killedMs} ms after the kill`);
  assert.ok(ledMs - killedMs < LEADS_WITHIN_MS, `${ledMs - killedMs} ms`);
  await eventually("the first stands by", async () => (await saysStandby("watchdog")) || undefined, WITHIN_MS);
  await system.settled(MEMBERS.length + 2);
  const second = await system.container("watchdog");
  t.diagnostic(`stood by ${Date.now() - killedMs} ms after the kill`);
  assert.notEqual(second.Id, first.Id);
  assert.deepEqual([second.Name, second.Config.Labels], [first.Name, first.Config.Labels]);
  await endsWell(load);
});

test("a standby that somebody stops stays stopped, until it is started", { skip }, async () => {
  await assertStaysStopped("watchdog", "watchdog-2");
  await system.must("start", "watchdog");
  await eventually("it stands by", () => saysStandby("watchdog"), WITHIN_MS);
});

test("a leader that somebody stops stays stopped, and the other leads", { skip }, async (t) => {
  const load = await loaded(t);
  const stoppedMs = Date.now();
  await assertStaysStopped("watchdog-2", "watchdog");
  t.diagnostic(`led ${(await leadsSince("watchdog", stoppedMs)) - stoppedMs} ms after it was told to stop`);
  await endsWell(load);
});

test("neither guardian has refused a call", { skip }, async () => {
  for (const service of ["watchdog", "watchdog-2"]) assert.deepEqual(await system.refusedCalls(service), [], service);
});

test("docker compose down -v leaves nothing of both", { skip }, async () => {
  await system.must("start", "watchdog-2");
  await eventually("it stands by", () => saysStandby("watchdog-2"), WITHIN_MS);
  await system.must("down", "-v");
  assert.deepEqual(await system.leftovers(), []);
});

/** The one that goes on heals another member meanwhile, so it has had the time to think about this one too. */
async function assertStaysStopped(stopped: string, other: string): Promise<void> {
  await system.must("stop", stopped);
  const { Id } = await system.container(stopped);
  const server = await system.container("server-1");
  await docker("kill", server.Id);
  const healed = async () => {
    const { data } = stateSchema.safeParse(JSON.parse((await asked(other, "/api/state"))[1]));
    const row = data?.slots.find(({ slot }) => slot === "server-1");
    return row?.state === "serving" && row.instance !== server.Id;
  };
  await eventually(`server-1 is healed by ${other}`, healed, WITHIN_MS);
  await system.settled(MEMBERS.length + 2);
  const now = await system.container(stopped);
  assert.deepEqual([now.Id, now.State.Status], [Id, "exited"]);
}

async function loaded(t: TestContext): Promise<Load> {
  const load = loadOn(t, system.balancerPort, { get: { perSecond: 20 } });
  await load.more(10);
  return load;
}

async function endsWell(load: Load): Promise<void> {
  await load.more(20);
  await assertNoneFailed(load);
}

/** When a watchdog said that it leads. */
async function leadsSince(service: string, sinceMs: number): Promise<number> {
  const { Id } = await system.container(service);
  const look = async () => {
    const lines = (await docker("logs", "--since", new Date(sinceMs).toISOString(), Id)).split("\n").filter(Boolean);
    const events = lines.map((line) => JSON.parse(line) as { event: string; time: string });
    return Date.parse(events.find(({ event }) => event === "lease-acquired")?.time ?? "") || undefined;
  };
  return eventually(`${service} leads`, look, WITHIN_MS);
}

async function saysStandby(service: string): Promise<boolean> {
  return (await asked(service, "/healthz"))[1] === "standing by\n";
}

/** Only the first has a published port, so each is asked by its address. */
async function asked(service: string, path: string): Promise<[status: number, body: string]> {
  try {
    const { NetworkSettings } = await system.container(service);
    const host = Object.values(NetworkSettings.Networks)[0]?.IPAddress;
    const response = await fetch(`http://${host}:8404${path}`, { signal: AbortSignal.timeout(2_000) });
    return [response.status, await response.text()];
  } catch {
    return [0, "{}"];
  }
}
