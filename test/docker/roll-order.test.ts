// The order of a roll, how many at a time, and its failures, on a real engine under counted load: the only one of a service, which
// publishes a port; four, two at a time; and a version of which the first replica works and the next one does not.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { COMPOSE_FILE, type OwnApp, ownApp } from "../tools/compose/app.ts";
import { repository, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { assertNoneFailed, loadOn } from "../tools/load/load.ts";
import { freePort } from "../tools/ports.ts";
import { fileScope } from "../tools/scope.ts";

const WITHIN_MS = 120_000;
const TRAFFIC = { get: { perSecond: 60 } } as const;
const LABELS = "evenkeel.start: 5s, evenkeel.hold: 60s, evenkeel.update.monitor: 500ms";
const REPLICAS = "deploy: { replicas: 3 }";

const scope = fileScope();
let app: OwnApp;

/** With these labels more, and these lines in the place of its replicas. */
const fileWith = (labels: string, ...lines: readonly string[]) =>
  COMPOSE_FILE.replace("evenkeel.start: 8s", `${LABELS}${labels}`).replace(
    REPLICAS,
    [...lines, 'volumes: ["./shared:/shared:ro"]'].join("\n    "),
  );

before(async () => {
  if (skip !== false) return;
  app = await ownApp(scope);
  await app.break("none");
  await app.write(fileWith("", "deploy: { replicas: 1 }", `ports: ["127.0.0.1:${await freePort()}:3000"]`));
  await app.must("build", "balancer", "app");
  await app.must("up", "-d", "--wait", "--no-build", "watchdog");
});

const serving = async () =>
  [...(await app.rows()).values()].filter(({ slot, state }) => slot.startsWith("app-") && state === "serving");
const versions = async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(app.balancerPort)));
  return [...new Set(answers.map(({ body }) => (JSON.parse(body) as { version: string }).version))];
};
const order = (what: "roll" | "rollback", environment: Readonly<Record<string, string>> = {}) =>
  app.says(environment, "sh", join(repository, "bin/docker-evenkeel"), "evenkeel", what, "app");

test("the only one, which publishes a port, goes first and requests wait: the reason, exit 0, none failed", {
  skip,
}, async (t) => {
  const load = loadOn(t, app.balancerPort, TRAFFIC);
  await load.more(30);
  const { code, stdout, stderr } = await order("roll", { VERSION: "2" });
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^app {2}start-first is impossible: host port \d+ is published; using stop-first$/m);
  assert.deepEqual([await versions(), (await app.idsOf("app")).length], [["2"], 1]);
  assert.deepEqual(await app.wouldDo({ VERSION: "2" }), []);
  await assertNoneFailed(load);
});

test("to a version that does not work it goes, and back to what was kept: exit 3, none failed", { skip }, async (t) => {
  const load = loadOn(t, app.balancerPort, TRAFFIC);
  await load.more(30);
  const { code, stdout, stderr } = await order("roll", { VERSION: "3", BROKEN: "yes" });
  assert.equal(code, 3, stdout + stderr);
  assert.match(stdout, /app {2}rolled back, all is as it was before: app-1: it does not answer within 5000 ms$/m);
  assert.deepEqual([await versions(), (await app.idsOf("app")).length], [["2"], 1]);
  assert.deepEqual(await app.wouldDo({ VERSION: "2" }), []);
  await assertNoneFailed(load);
});

test("four are rolled two at a time, and there are never fewer than four", { skip }, async (t) => {
  await app.write(fileWith(", evenkeel.update.parallelism: 2", "deploy: { replicas: 4 }"));
  await app.mustWith({ VERSION: "2" }, "up", "-d", "app");
  await eventually("four serve", async () => (await serving()).length === 4, WITHIN_MS);
  const load = loadOn(t, app.balancerPort, TRAFFIC);
  await load.more(30);
  let [least, most, over] = [Number.POSITIVE_INFINITY, 0, false];
  const watching = (async () => {
    while (!over) {
      const count = (await serving()).length;
      if (count > 0) [least, most] = [Math.min(least, count), Math.max(most, count)];
    }
  })();
  const { code, stdout, stderr } = await order("roll", { VERSION: "4" });
  over = true;
  await watching;
  assert.equal(code, 0, stdout + stderr);
  assert.deepEqual([least, most], [4, 6]);
  assert.deepEqual([await versions(), (await app.idsOf("app")).length], [["4"], 4]);
  assert.deepEqual(await app.wouldDo({ VERSION: "4" }), []);
  await assertNoneFailed(load);
});

/** Rolls to a version whose first replicas work, and the others do not. */
async function halfBroken(version: string) {
  const rolling = order("roll", { VERSION: version });
  const isOneNew = async () => {
    const { body } = await ask(app.watchdogPort, { path: "/api/rolls" });
    const [roll] = (JSON.parse(body) as { rolls: { phase: string; rolled: number }[] }).rolls;
    return roll?.phase === "rolling" && roll.rolled > 0;
  };
  await eventually("one is new", isOneNew, WITHIN_MS);
  await app.break(version);
  return rolling;
}

test("a version that fails midway is taken back, one at a time: exit 3, none failed", { skip }, async (t) => {
  await app.write(fileWith("", "deploy: { replicas: 4 }"));
  await app.mustWith({ VERSION: "4" }, "up", "-d", "app");
  await eventually("four serve", async () => (await serving()).length === 4, WITHIN_MS);
  const load = loadOn(t, app.balancerPort, TRAFFIC);
  await load.more(30);
  const { code, stdout, stderr } = await halfBroken("5");
  assert.equal(code, 3, stdout + stderr);
  assert.match(stdout, /app {2}rolled back, all is as it was before: app-\d: it does not answer within 5000 ms$/m);
  assert.deepEqual([await versions(), (await app.idsOf("app")).length], [["4"], 4]);
  assert.deepEqual(await app.wouldDo({ VERSION: "4" }), []);
  await assertNoneFailed(load);
});

test("where its label says so it stands still instead: exit 4; and rollback makes all as it was", {
  skip,
}, async (t) => {
  await app.write(fileWith(", evenkeel.update.failure: pause", "deploy: { replicas: 4 }"));
  await app.mustWith({ VERSION: "4" }, "up", "-d", "app");
  await eventually("four serve", async () => (await serving()).length === 4, WITHIN_MS);
  await eventually(
    "none is of the file before",
    async () => (await app.wouldDo({ VERSION: "4" })).length === 0,
    WITHIN_MS,
  );
  const load = loadOn(t, app.balancerPort, TRAFFIC);
  await load.more(200);
  const { code, stdout, stderr } = await halfBroken("6");
  assert.equal(code, 4, stdout + stderr);
  assert.match(stdout, /app {2}paused: some are new and some are old, .*: app-\d: it does not answer within 5000 ms$/m);
  assert.deepEqual((await versions()).sort(), ["4", "6"]);
  const back = await order("rollback");
  assert.equal(back.code, 0, back.stdout + back.stderr);
  assert.deepEqual([await versions(), (await app.idsOf("app")).length], [["4"], 4]);
  assert.deepEqual(await app.wouldDo({ VERSION: "4" }), []);
  await assertNoneFailed(load);
  assert.ok(!(await app.must("logs", "watchdog")).includes('"event":"call-refused"'));
});
