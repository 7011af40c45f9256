// The engine contract on plain child processes, with the real members, and what only processes can show: that they end
// with the process that owns the engine, in what order, and that a taken port is told before anything starts.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSettings, type Settings } from "../../services/runtime/config.ts";
import { exitCode } from "../../services/runtime/exit.ts";
import type { Slot } from "../../watchdog/desired/slot.ts";
import { topology } from "../../watchdog/desired/topology.ts";
import { openProcessEngine } from "../../watchdog/engines/process/engine.ts";
import { eventually } from "../tools/eventually.ts";
import { freePort, HOST, takenPort } from "../tools/ports.ts";
import { type ChildLine, isAlive, pidOf } from "../tools/process/pids.ts";
import { engineContract, fill, GRACE, listed, only, type Stage, trafficUrl } from "./engine.contract.ts";

const MAIN = fileURLToPath(new URL("../../services/main.ts", import.meta.url));
const OWNER = fileURLToPath(new URL("../tools/watchdog/engine-owner.ts", import.meta.url));
const START_MS_MAX = 15_000;

interface ProcessStage extends Stage {
  readonly lines: readonly ChildLine[];
}

async function environmentFor(t: TestContext): Promise<Record<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), "evenkeel-processes-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const port = String(await freePort());
  return { ROLE: "watchdog", HOST, BALANCER_PORT: port, REGISTRY_FILE: join(directory, "registry.json") };
}

function settingsOf(environment: Record<string, string>): Settings {
  const read = readSettings(environment);
  assert.ok(read.ok);
  return read.settings;
}

const slotNamed = (id: string) => topology().find((slot) => slot.id === id) as Slot;

async function open(t: TestContext): Promise<ProcessStage> {
  const lines: ChildLine[] = [];
  const hear = (text: string) => {
    for (const line of text.trimEnd().split("\n")) lines.push(JSON.parse(line) as ChildLine);
  };
  const engine = await openProcessEngine(settingsOf(await environmentFor(t)), { program: MAIN, passOn: hear });
  t.after(() => engine.runner.close());
  return {
    ...engine,
    slot: slotNamed("server-1"),
    lines,
    kill: async ({ slot }) => void process.kill(pidOf(lines, slot), "SIGKILL"),
    freeze: async ({ slot }) => void process.kill(pidOf(lines, slot), "SIGSTOP"),
    isThere: async ({ slot }) => isAlive(pidOf(lines, slot)),
  };
}

engineContract({ open, skip: false });

/** Fills several slots of one engine. */
const fillAll = (stage: Stage, ids: readonly string[]) =>
  Promise.all(ids.map((id) => fill({ ...stage, slot: slotNamed(id) })));

test("its slots are a balancer, two proxies and six servers, three to a proxy", async (t) => {
  const { discovery } = await open(t);
  const slots = (await discovery.slots()).map(({ id, group }) => `${id}/${group ?? ""}`);
  const servers = ["server-1/1", "server-2/1", "server-3/1", "server-4/2", "server-5/2", "server-6/2"];
  assert.deepEqual(slots, ["balancer/", "proxy-1/1", "proxy-2/2", ...servers]);
});

test("members that are killed together are each listed with their signal", async (t) => {
  const stage = await open(t);
  const members = await fillAll(stage, ["server-1", "server-2", "server-3"]);
  await Promise.all(members.map(stage.kill));
  for (const { slot } of members) {
    const { life } = await listed({ ...stage, slot: slotNamed(slot) }, ({ life }) => life.kind === "exited");
    assert.deepEqual(life, { kind: "exited", code: undefined, signal: "SIGKILL", oom: false });
  }
});

test("a member that was asked to stop from outside is draining, then exited with code 0", async (t) => {
  const stage = await open(t);
  const member = await fill(stage, GRACE);
  const working = fetch(trafficUrl(member, "/work?ms=1000"));
  process.kill(pidOf(stage.lines, "server-1"), "SIGTERM");
  const draining = await listed(stage, (found) => found.draining);
  assert.equal(draining.life.kind, "running");
  assert.equal((await working).status, 200);
  const { life } = await listed(stage, ({ life }) => life.kind === "exited");
  assert.deepEqual(life, { kind: "exited", code: 0, oom: false });
});

test("a member that refuses to start is listed with the exit code of its refusal", async (t) => {
  const stage = await open(t);
  const port = await takenPort(t);
  const range = `${port}-${port}`;
  const instance = await stage.runner.create(stage.slot, { environment: { PORT_RANGE: range } });
  await stage.runner.start(instance);
  const { life } = await listed(stage, ({ life }) => life.kind === "exited");
  assert.deepEqual(life, { kind: "exited", code: exitCode.portsExhausted, oom: false });
});

test("the previous member is gone when its successor is committed", async (t) => {
  const stage = await open(t);
  await fill(stage);
  const first = pidOf(stage.lines, "server-1");
  await fill(stage);
  const second = pidOf(stage.lines, "server-1");
  assert.notEqual(first, second);
  assert.ok(!isAlive(first));
  assert.ok(isAlive(second));
});

test("closing it stops the balancer first, then the proxies, then the servers, each in good order", async (t) => {
  const stage = await open(t);
  const ids = ["server-1", "proxy-1", "balancer", "server-2"];
  await fillAll(stage, ids);
  const pids = ids.map((id) => pidOf(stage.lines, id));
  await stage.runner.close();
  assert.deepEqual(pids.filter(isAlive), []);
  const all = (event: string) => stage.lines.filter((line) => line.event === event);
  await eventually("the last line of each child", () => all("stopped").length === ids.length || undefined);
  const times = (event: string, role: string) =>
    all(event)
      .filter((line) => line.role === role)
      .map(({ time }) => time)
      .sort();
  for (const [sooner, later] of [
    ["balancer", "proxy"],
    ["proxy", "server"],
  ] as const) {
    const ended = times("stopped", sooner).at(-1) as string;
    const told = times("draining", later)[0] as string;
    assert.ok(ended <= told, `the last ${sooner} ended at ${ended}, the first ${later} was told at ${told}`);
  }
});

test("closing it while nothing runs, or twice, is no error", async (t) => {
  const stage = await open(t);
  await stage.runner.close();
  await fill(stage);
  await stage.runner.close();
  await stage.runner.close();
  assert.equal((await only(stage))?.life.kind, "exited");
});

test("a taken balancer port is told before anything is started", async (t) => {
  const environment = { ...(await environmentFor(t)), BALANCER_PORT: String(await takenPort(t)) };
  await assert.rejects(openProcessEngine(settingsOf(environment)), {
    exitCode: exitCode.portTaken,
    message: new RegExp(`port ${environment.BALANCER_PORT} .*BALANCER_PORT`),
  });
});

test("children leave when the process that owns the engine is killed outright", async (t) => {
  const environment = await environmentFor(t);
  const owner = spawn(process.execPath, ["--import", "tsx", OWNER, "server-1"], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => void owner.kill("SIGKILL"));
  const lines: ChildLine[] = [];
  createInterface({ input: owner.stdout }).on("line", (line) => lines.push(JSON.parse(line) as ChildLine));
  const has = (event: string) => lines.find((line) => line.event === event);
  await eventually("a member that listens", () => has("listening"), START_MS_MAX);
  const pid = pidOf(lines, "server-1");
  t.after(() => {
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });
  assert.ok(isAlive(pid));

  owner.kill("SIGKILL");
  await once(owner, "exit");
  await eventually(`the end of pid ${pid}`, () => !isAlive(pid) || undefined);
});
