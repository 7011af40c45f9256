// A program of the user's as a member of the process engine: how a shell starts it, which port it is told, what is logged of what it
// writes, and how its process group ends. The whole system with it: test/system/own-program.test.ts.

import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readSettings } from "../../services/runtime/config.ts";
import type { Slot } from "../../watchdog/desired/slot.ts";
import { topology } from "../../watchdog/desired/topology.ts";
import type { Found } from "../../watchdog/engines/discovery.ts";
import type { Engine } from "../../watchdog/engines/engine.ts";
import { openProcessEngine } from "../../watchdog/engines/process/engine.ts";
import { shellText } from "../../watchdog/engines/process/own-program.ts";
import { type OutputLine, ProgramOutput } from "../../watchdog/engines/process/program-output.ts";
import { GroupGuard } from "../../watchdog/guardian/members/group-guard.ts";
import { eventually } from "../tools/eventually.ts";
import { freePort, HOST, takenPort } from "../tools/ports.ts";
import { childrenOf, isAlive } from "../tools/process/pids.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const shells: readonly (readonly [command: string, text: string])[] = [
  ["node app.js", "exec node app.js"],
  ["NODE_ENV=production node app.js", "exec env NODE_ENV=production node app.js"],
  ["cd web && node app.js", "cd web && node app.js"],
  ["exec node app.js", "exec node app.js"],
  ["node app.js 2>&1 | tee log", "node app.js 2>&1 | tee log"],
];

for (const [command, text] of shells) {
  test(`a shell is told \`${text}\` for \`${command}\``, () => assert.equal(shellText(command), text));
}

test("the servers are shared among the proxies in order, and two proxies share a single server", () => {
  const groups = (count: number) =>
    topology({ count })
      .filter(({ role }) => role !== "balancer")
      .map(({ id, group }) => `${id}: ${group}`);
  assert.deepEqual(groups(1), ["proxy-1: 1", "proxy-2: 1", "server-1: 1"]);
  assert.deepEqual(groups(3), ["proxy-1: 1", "proxy-2: 2", "server-1: 1", "server-2: 1", "server-3: 2"]);
  assert.deepEqual(topology({ count: 64 }).filter(({ role, group }) => role === "server" && group === "2").length, 32);
});

test("a thousand lines a second are logged, and the next one says how many were not", () => {
  const told: OutputLine[] = [];
  const output = new ProgramOutput((line) => told.push(line));
  for (let line = 0; line < 1_500; line += 1) output.push(String(line), 7_000);
  assert.deepEqual([told.length, told.at(-1)], [1_000, { line: "999" }]);
  output.push("next", 8_000);
  output.push("after", 8_001);
  assert.deepEqual(told.slice(-2), [{ line: "next", dropped: 500 }, { line: "after" }]);
});

interface OwnStage extends Engine {
  readonly lines: Readonly<Record<string, unknown>>[];
  readonly slots: readonly Slot[];
  readonly found: (slot: string) => Promise<Found | undefined>;
}

async function open(t: TestContext, settings: Readonly<Record<string, string>>): Promise<OwnStage> {
  const registryFile = join(await temporaryDirectory(t), "registry.json");
  const whole = { ROLE: "watchdog", HOST, BALANCER_PORT: String(await freePort()), REGISTRY_FILE: registryFile };
  const read = readSettings({ ...whole, ...settings });
  assert.ok(read.ok);
  const lines: Readonly<Record<string, unknown>>[] = [];
  const engine = await openProcessEngine(read.settings, {
    log: (event, facts) => void lines.push({ event, ...facts }),
  });
  t.after(() => engine.runner.close());
  const found = async (slot: string) => (await engine.discovery.list()).find((member) => member.slot === slot);
  return { ...engine, lines, slots: await engine.discovery.slots(), found };
}

async function begin({ runner, slots }: OwnStage, id: string): Promise<void> {
  const slot = slots.find((one) => one.id === id) as Slot;
  await runner.start(await runner.create(slot, { environment: {} }));
}

test("no two are told the same port, nor one that somebody else has, on whatever address", async (t) => {
  // Both would have the next one then.
  const first = await takenPort(t);
  const stage = await open(t, {
    ...{ SERVERS: "2", SERVER_COMMAND: "echo told $APP_PORT; sleep 60", SERVER_PORT_ENV: "APP_PORT" },
    PORT_RANGE: `${first}-${first + 99}`,
  });
  await Promise.all([begin(stage, "server-1"), begin(stage, "server-2")]);
  const ports = [await stage.found("server-1"), await stage.found("server-2")].map((found) => found?.ports?.port);
  assert.equal(new Set(ports).size, 2);
  assert.ok(
    ports.every((port) => port !== undefined && port !== first),
    String(ports),
  );
  for (const [index, port] of ports.entries()) {
    const told = { event: "output", slot: `server-${index + 1}`, stream: "stdout", line: `told ${port}` };
    await eventually(`server-${index + 1} says its port`, () =>
      stage.lines.some((line) => JSON.stringify(line) === JSON.stringify(told)),
    );
  }
});

test("what it was begun by ends with its group, and one that is asked to stop has the time of its whole group", async (t) => {
  // The shell ends at once; what it has started takes a moment, and says when it is over.
  const slow = "trap 'sleep 1; echo over; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
  const stage = await open(t, { SERVERS: "1", SERVER_COMMAND: `sh -c "${slow}" & wait` });
  await begin(stage, "server-1");
  await eventually("it is ready", () => stage.lines.some(({ line }) => line === "ready"));
  const { instance, pid } = (await stage.found("server-1")) as Found;
  await stage.runner.stop(instance, 10_000);
  await eventually("its last word", () => stage.lines.some(({ line }) => line === "over"));
  assert.throws(() => process.kill(-(pid as number), 0), { code: "ESRCH" });
});

test("a guard that is killed is followed by another one, as long as there is a group", {
  skip: process.platform !== "linux",
}, async (t) => {
  const before = new Set(childrenOf(process.pid));
  const guards = () => childrenOf(process.pid).filter((pid) => !before.has(pid));
  const guard = new GroupGuard();
  // A group that nobody is in.
  const group = 4_194_305;
  guard.add(group);
  t.after(() => guard.emptied(group));
  const [first] = await eventually("the guard", () => (guards().length === 1 ? guards() : undefined));
  process.kill(first as number, "SIGKILL");
  await eventually("the next one", () => guards().some((pid) => pid !== first));
  assert.ok(!isAlive(first as number));
});
