// The whole system on a real Docker Engine with Compose, from `up` to `down`: what it is made of, how it is used, what becomes of
// it when its balancer or its watchdog dies. What befalls the others is in matrix.test.ts. One project serves all facts, in this
// order.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { type ComposeSystem, type Container, emptyProject } from "../tools/compose/system.ts";
import { docker, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { assertNoneFailed, fewClients, type Load, loadOn } from "../tools/load/load.ts";
import type { Said } from "../tools/process/programs.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const SERVERS = [1, 2, 3, 4, 5, 6].map((number) => `server-${number}`);
const MEMBERS = ["balancer", "client", "proxy-1", "proxy-2", ...SERVERS];
const WATCHDOGS = ["watchdog", "watchdog-2"];
const SERVICES = [...MEMBERS, ...WATCHDOGS];

const scope = fileScope();
let system: ComposeSystem;
let up: Said;

before(async () => {
  if (skip !== false) return;
  system = await emptyProject(scope);
  up = await system.compose("up", "--build", "--wait");
});

test("docker compose up --build --wait ends well, with every service healthy", { skip }, async () => {
  assert.equal(up.code, 0, up.stderr);
  const lines = (await system.must("ps", "--format", "{{.Service}} {{.State}} {{.Health}}")).trim().split("\n");
  assert.deepEqual(
    lines.sort(),
    SERVICES.map((service) => `${service} running healthy`),
  );
});

test("every service runs one image, and proxies and servers differ in label, ROLE, ID and GROUP alone", {
  skip,
}, async () => {
  const services = await configured();
  assert.equal(new Set(Object.values(services).map(({ image }) => image)).size, 1);
  const [first, ...others] = MEMBERS.filter((id) => /^(proxy|server)/.test(id)).map((id) => {
    const { environment, labels, ...rest } = services[id] as Service;
    const { ROLE, ID, GROUP, ...same } = environment;
    assert.equal(`${ID} of ${GROUP}`, `${id} of ${groupOf(id)}`);
    assert.equal(ROLE, id.split("-")[0]);
    assert.equal(labels["evenkeel.role"], ROLE);
    return { ...rest, same };
  });
  for (const other of others) assert.deepEqual(other, first);
});

test("the watchdog alone has Docker's socket, and its port is on 127.0.0.1; members run as node", {
  skip,
}, async () => {
  const services = Object.entries(await configured());
  const mounts = services.filter(([, { volumes }]) => volumes.some(({ target }) => /docker\.sock$/.test(target)));
  assert.deepEqual(
    mounts.map(([name]) => name),
    WATCHDOGS,
  );
  const published = services.flatMap(([name, { ports = [] }]) =>
    ports.map(({ host_ip = "any" }) => `${name} ${host_ip}`),
  );
  assert.deepEqual(published.sort(), ["balancer any", "watchdog 127.0.0.1"]);
  for (const id of MEMBERS) assert.equal((await system.container(id)).Config.User, "node", id);
});

test("a setting in .env reaches every member, the token the watchdog alone, and an application's secret nobody", {
  skip,
}, async (t) => {
  const file = join(await temporaryDirectory(t), ".env");
  await writeFile(file, "POLICY=random\nAPI_TOKEN=0123456789abcdef\nDATABASE_URL=postgres://secret\nHOST=10.0.0.1\n");
  const services: Record<string, Service> = JSON.parse(
    await system.must("--env-file", file, "config", "--format", "json"),
  ).services;
  const told = (name: string) => SERVICES.filter((id) => typeof services[id]?.environment[name] === "string").sort();
  assert.deepEqual(told("POLICY"), [...SERVICES].sort());
  assert.deepEqual(told("API_TOKEN"), WATCHDOGS);
  assert.deepEqual([told("DATABASE_URL"), told("HOST")], [[], []]);
});

test("every setting of .env.example that a container can use is told by name", { skip }, async () => {
  const example = await readFile(".env.example", "utf8");
  const names = [...example.matchAll(/^# ([A-Z_]+)=/gm)].map(([, name]) => name as string);
  const services = await configured();
  const told = new Set(Object.values(services).flatMap(({ environment }) => Object.keys(environment)));
  // Compose itself reads the other one.
  const untold = names.filter((name) => !told.has(name) && name !== "COMPOSE_PROJECT_NAME");
  assert.deepEqual(untold, []);
});

test("every container is bounded in processes, memory and what it writes, and starts nothing from there", {
  skip,
}, async () => {
  for (const id of SERVICES) {
    const { Id } = await system.container(id);
    const { HostConfig } = JSON.parse(await docker("inspect", "--format", "{{json .}}", Id));
    assert.deepEqual([HostConfig.PidsLimit, HostConfig.Memory], [1024, 512 * 1_048_576], id);
    assert.deepEqual(Object.keys(HostConfig.Tmpfs), ["/tmp"]);
    assert.match(HostConfig.Tmpfs["/tmp"], /size=16m.*noexec/);
  }
});

test("whoever sends requests reaches the balancer, and neither the tiers behind it nor the watchdog", {
  skip,
}, async () => {
  const networks = async (id: string) =>
    Object.keys((await system.container(id)).NetworkSettings.Networks).map((name) => name.split("_").at(-1));
  assert.deepEqual(await networks("client"), ["edge"]);
  assert.deepEqual((await networks("balancer")).sort(), ["edge", "mesh"]);
  for (const id of ["proxy-1", "server-4", "watchdog"]) assert.deepEqual(await networks(id), ["mesh"]);
});

test("a client that the watchdog cannot reach is judged by its own health check, and healed when it dies", {
  skip,
}, async () => {
  const before = await system.container("client");
  await system.must("kill", "client");
  const healed = async () => (await system.incidents("client")).at(-1)?.outcome === "healed";
  await eventually("its heal is over", healed, 60_000);
  assert.notEqual((await system.container("client")).Id, before.Id);
});

test("docker compose exec client node client.js 7 says who served client 7", { skip }, async () => {
  const { code, stdout } = await system.compose("exec", "-T", "client", "node", "client.js", "7");
  assert.equal(code, 0);
  assert.match(stdout, /^client 7: served by server-[1-6] through proxy-[12] in /);
});

test("a client's id that is no number is wrong usage, exit code 2", { skip }, async () => {
  const { code, stdout, stderr } = await system.compose("exec", "-T", "client", "node", "client.js", "seven");
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /^ID seven: .*\nusage: /);
});

test("a killed balancer is back on its published port", { skip }, async (t) => {
  await system.healsAfter("balancer", () => system.must("kill", "balancer"));
  const load = loadOn(t, system.balancerPort, fewClients);
  await load.more(50);
  await load.more(100);
  await settle(t, load);
});

test("after that Compose still owns every container and finds nothing to recreate", { skip }, async () => {
  await system.settled(SERVICES.length);
  const lines = (await system.must("ps", "--format", "{{.Service}} {{.State}}")).trim().split("\n");
  assert.deepEqual(
    lines.sort(),
    SERVICES.map((service) => `${service} running`),
  );
  const { code, stdout, stderr } = await system.compose("--dry-run", "up", "-d");
  const said = `${stdout}${stderr}`
    .trim()
    .split("\n")
    .map((line) => line.replace(/^.*evenkeel-test-\d+-(\S+)-1\s+/, "$1 "));
  assert.deepEqual([code, said.sort()], [0, SERVICES.map((service) => `${service} Running`)]);
});

test("requests go on without a watchdog, and the next one adopts every member as it is", { skip }, async (t) => {
  await system.settled(SERVICES.length);
  const members = await identities();
  const load = loadOn(t, system.balancerPort, fewClients);
  await load.more(50);
  await system.must("kill", ...WATCHDOGS);
  await load.more(200);
  await system.must("up", "-d", ...WATCHDOGS);
  await system.serves();
  await load.more(100);
  await settle(t, load);
  assert.deepEqual(await identities(), members);
});

test("what dies while no watchdog looks is healed by the next one; what was stopped, before or meanwhile, stays so", {
  skip,
}, async () => {
  const stopped = ["server-2", "server-3"] as const;
  const before = await Promise.all(stopped.map((service) => system.container(service)));
  await system.must("stop", "server-2");
  await system.shows("server-2", "stopped", ({ life }) => life === "stopped on purpose");
  await system.healsAfter("server-1", async () => {
    await system.must("kill", ...WATCHDOGS);
    await system.must("stop", "server-3");
    await docker("kill", (await system.container("server-1")).Id);
    // Compose would itself start what the watchdog depends on.
    await system.must("up", "-d", "--no-deps", ...WATCHDOGS);
  });
  for (const service of stopped) {
    await system.shows(service, "stopped", ({ life }) => life === "stopped on purpose");
  }
  const after = await Promise.all(stopped.map((service) => system.container(service)));
  assert.deepEqual(
    after.map(({ Id, State }) => [Id, State.Status]),
    before.map(({ Id }) => [Id, "exited"]),
  );
});

test("docker compose down -v leaves nothing", { skip }, async () => {
  await assertDownLeavesNothing();
});

test("docker compose down -v in the middle of a heal leaves nothing, the second time at the latest", {
  skip,
}, async (t) => {
  await system.must("up", "-d");
  await system.serves();
  await system.must("kill", "server-1");
  // Compose lists once: what is made in that very moment it does not know of, or looks for in vain (README).
  const { code } = await system.compose("down", "-v");
  t.diagnostic(`the first time: ${code}`);
  await assertDownLeavesNothing();
});

interface Service {
  readonly image: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly volumes: readonly { readonly target: string }[];
  readonly ports?: readonly { readonly host_ip?: string }[];
}

async function configured(): Promise<Record<string, Service>> {
  return JSON.parse(await system.must("config", "--format", "json")).services;
}

const groupOf = (id: string) => (/^proxy-1|^server-[123]/.test(id) ? "1" : "2");

/** Which run of which container this is. */
const identity = ({ Id, State }: Container) => `${Id} since ${State.StartedAt}`;

async function identities(): Promise<string[]> {
  return Promise.all(MEMBERS.map(async (id) => identity(await system.container(id))));
}

/** Ends a load under which no member died: nothing has failed. */
async function settle(t: TestContext, load: Load): Promise<void> {
  await load.finish();
  t.diagnostic(JSON.stringify(load.tally()));
  await assertNoneFailed(load);
}

async function assertDownLeavesNothing(): Promise<void> {
  const { code, stderr } = await system.compose("down", "-v");
  assert.deepEqual({ code, leftovers: await system.leftovers() }, { code: 0, leftovers: [] }, stderr);
}
