// A real Prometheus over a system of processes, with the configuration, the rules and the dashboard of deploy/: it finds every member,
// also one that was healed elsewhere, and each query of the dashboard has something to show.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { fewClients, type Load, loadOn } from "../tools/load/load.ts";
import { listening } from "../tools/ports.ts";
import { must, say, whyNo } from "../tools/process/programs.ts";
import { deployed, type Prometheus, startPrometheus } from "../tools/process/prometheus.ts";
import { startMember } from "../tools/process/run.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { startTier } from "../tools/process/tiers.ts";
import { fileScope, type Scope } from "../tools/scope.ts";

const skip = whyNo("prometheus");
const MEMBERS = ["balancer", "proxy-1", "proxy-2", ...[1, 2, 3, 4, 5, 6].map((n) => `server-${n}`), "watchdog"];
const SOON_MS = 60_000;

const scope = fileScope();
let system: ProcessSystem;
let prometheus: Prometheus;
let load: Load;

before(async () => {
  if (skip !== false) return;
  // Six servers take one request each: so some requests wait, and there is a queue to show.
  system = await startSystem(scope, { MEMBER_REQUESTS_MAX: "1" });
  prometheus = await startPrometheus(scope, system.watchdogPort);
  load = loadOn(scope, system.balancerPort, { ...fewClients, get: { clients: 12, pauseMs: 5 } });
});

/** The members whose `up` is 1. */
async function up(): Promise<string[]> {
  const series = await prometheus.query('up{job="evenkeel"} == 1');
  return series.map(({ metric }) => metric.member as string).sort();
}

test("the configuration, the rules and the tests of the rules are as promtool wants them", { skip }, async () => {
  const within = { cwd: join(deployed, "prometheus") };
  await must("promtool", ["check", "config", "prometheus.yml"], within);
  await must("promtool", ["check", "rules", "--lint-fatal", "rules.yml"], within);
  await must("promtool", ["test", "rules", "rules.test.yml"], within);
});

test("every alert has a test in which it fires", { skip }, async () => {
  const read = (name: string) => readFile(join(deployed, "prometheus", name), "utf8");
  const alerts = [...(await read("rules.yml")).matchAll(/- alert: (\w+)/g)].map(([, alert]) => alert as string);
  const tests = await read("rules.test.yml");
  const fires = (alert: string) =>
    new RegExp(`alertname: ${alert}\\n +exp_alerts:`).test(tests) || tests.includes(`{alertname="${alert}"`);
  assert.ok(alerts.length > 10);
  assert.deepEqual(
    alerts.filter((alert) => !fires(alert)),
    [],
  );
});

test("it finds every member and the watchdog, and all are up", { skip }, async () => {
  await eventually("all are up", async () => (await up()).join() === MEMBERS.join(), SOON_MS);
  const [server] = await prometheus.query('up{member="server-1"}');
  assert.deepEqual(
    { ...server?.metric, __name__: undefined },
    { __name__: undefined, job: "evenkeel", member: "server-1", instance: "server-1", role: "server", group: "1" },
  );
});

test("what each role tells of itself is as promtool wants metrics, also a tier of several workers", {
  skip,
}, async (t) => {
  const members = await system.members();
  const ports = new Map(members.map(({ id, adminPort }) => [id, adminPort as number]));
  const client = await startMember(t, { ROLE: "client", ID: "client" });
  const workers = await startTier(t, members, { ROLE: "proxy", ID: "proxy-1", GROUP: "1", WORKERS: "2" });
  const told = [
    ...["balancer", "proxy-1", "server-1"].map((id) => [id, ports.get(id) as number, "/metrics"] as const),
    ["client", client.adminPort, "/metrics"],
    ["workers", workers.adminPort, "/metrics"],
    ["watchdog", system.watchdogPort, "/metrics"],
    ["all as one", system.watchdogPort, "/metrics/all"],
  ] as const;
  for (const [who, port, path] of told) {
    const { body } = await ask(port, { path });
    const { code, stdout, stderr } = await say("promtool", ["check", "metrics"], { stdin: body });
    assert.deepEqual([code, stdout + stderr], [0, ""], who);
  }
});

test("a server that is killed and healed at another port is up there, with no edit and as the same series", {
  skip,
}, async (t) => {
  const before = await system.member("server-1");
  assert.ok(before !== undefined);
  process.kill(system.pid("server-1"), "SIGKILL");
  // Somebody else has its ports from now on.
  await Promise.all([before.port, before.adminPort as number].map((port) => ownSoon(t, port)));
  const healed = async () => {
    const now = await system.member("server-1");
    return now?.state === "serving" && now.port !== before.port ? now : undefined;
  };
  const now = await eventually("it serves elsewhere", healed, SOON_MS);
  assert.notEqual(now.adminPort, before.adminPort);
  await load.more(1, "server-1");
  const scraped = async () => {
    const [series] = await prometheus.query('evenkeel_heals_total{slot="server-1",outcome="healed"}');
    return series?.value === 1;
  };
  await eventually("its heal is counted", scraped, SOON_MS);
  await eventually("all are up", async () => (await up()).join() === MEMBERS.join(), SOON_MS);
  const another = 'changes(process_start_time_seconds{member="server-1"}[5m]) > 0';
  await eventually("it is another process", async () => (await prometheus.query(another)).length > 0, SOON_MS);
});

test("a member that stays down has an up of 0, until it serves again", { skip }, async () => {
  const order = (kind: string) =>
    ask(system.watchdogPort, {
      method: "POST",
      path: `/api/v1/slots/server-2/${kind}`,
      headers: { "Content-Type": "application/json" },
    });
  const isUp = async () => (await prometheus.query('up{member="server-2"}'))[0]?.value;
  assert.equal((await order("hold")).status, 200);
  process.kill(system.pid("server-2"), "SIGKILL");
  await eventually("it is down", async () => (await isUp()) === 0, SOON_MS);
  assert.equal((await order("release")).status, 200);
  await eventually("it is up", async () => (await isUp()) === 1, SOON_MS);
});

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
}

/** As Grafana has it for the last minute of all pools. */
const filledIn = (expr: string) =>
  expr.replaceAll("$__rate_interval", "1m").replaceAll("$__range", "10m").replaceAll("$pool", ".*");

test("every query of the dashboard has data under load", { skip }, async () => {
  const { panels } = JSON.parse(
    await readFile(join(deployed, "grafana/dashboards/evenkeel.json"), "utf8"),
  ) as Dashboard;
  const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
  assert.ok(queries.length > 40);
  for (const { title, expr } of queries) {
    const shows = async () => (await prometheus.query(filledIn(expr))).some(({ value }) => Number.isFinite(value));
    await eventually(`${title} shows something: ${expr}`, shows, SOON_MS);
  }
});

test("the heal is an annotation of the dashboard; a roll would be one", { skip }, async () => {
  const { annotations } = JSON.parse(
    await readFile(join(deployed, "grafana/dashboards/evenkeel.json"), "utf8"),
  ) as Dashboard;
  const [heals, rolls] = annotations.list;
  const expr = (heals?.expr ?? "").replace("[15s]", "[10m]");
  const shown = await prometheus.query(expr.replace("evenkeel_heals_total", 'evenkeel_heals_total{slot="server-1"}'));
  assert.deepEqual(
    shown.map(({ metric }) => metric),
    [{ slot: "server-1", outcome: "healed" }],
  );
  assert.deepEqual(await prometheus.query(rolls?.expr ?? ""), []);
  assert.equal((await prometheus.query((rolls?.expr ?? "").replace(" > 0", ""))).length, 1);
});

test("the rules are loaded and evaluated, and none that wakes somebody fires", { skip }, async () => {
  const evaluated = async () => (await prometheus.rules()).every(({ health }) => health === "ok");
  await eventually("each has been evaluated", evaluated, SOON_MS);
  const firing = (await prometheus.rules()).filter(({ state }) => state === "firing").map(({ name }) => name);
  assert.deepEqual(
    firing.filter((name) => !["RequestsTurnedAway", "EventLoopLags"].includes(name)),
    [],
  );
});

/** Holds a port as soon as it is free; whoever comes is sent away. */
async function ownSoon(t: Scope, port: number): Promise<void> {
  const sendAway = (socket: Socket) => void socket.on("error", () => {}).destroy();
  const take = () =>
    listening(t, createServer(sendAway), port).then(
      () => true,
      () => false,
    );
  await eventually(`port ${port} is free`, take, SOON_MS);
}
