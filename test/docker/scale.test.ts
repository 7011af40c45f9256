// A service of somebody's own scaled up and down on a real engine, under counted load: by the plugin's command, with the watchdog killed
// in the middle, and where one more cannot start. Compose finds nothing to do.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { COMPOSE_FILE, type OwnApp, ownApp } from "../tools/compose/app.ts";
import { docker, repository, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { assertNoneFailed, loadOn } from "../tools/load/load.ts";
import { freePort } from "../tools/ports.ts";
import { fileScope } from "../tools/scope.ts";

const WITHIN_MS = 60_000;
const READS = { get: { perSecond: 200 } } as const;

const scope = fileScope();
let app: OwnApp;

before(async () => {
  if (skip !== false) return;
  app = await ownApp(scope);
  // Of one with a port of the host there can be no second one.
  const worker = `  worker:
    image: \${EVENKEEL_IMAGE}-app
    labels: { evenkeel.heal: "on" }
    ports: ["127.0.0.1:${await freePort()}:3000"]
`;
  const scratch = COMPOSE_FILE.replace("    deploy: { replicas: 3 }\n", (line) => `${line}    volumes: [/scratch]\n`);
  await app.write(scratch.replace("  db:\n", `${worker}  db:\n`));
  await app.must("build", "balancer", "app");
  await app.must("up", "-d", "--wait", "--no-build", "watchdog", "worker");
});

/** By the plugin. */
const scale = (...words: readonly string[]) =>
  app.says({}, "sh", join(repository, "bin/docker-evenkeel"), "evenkeel", "scale", ...words);
const rows = async (service: string) =>
  [...(await app.rows()).values()].filter(({ slot }) => slot.startsWith(`${service}-`));
const served = async (service: string) =>
  (await rows(service)).flatMap(({ slot, state }) => (state === "serving" ? [slot] : [])).join(" ");
const names = (service: string, ...numbers: readonly number[]) =>
  numbers.map((number) => `${service}-${number}`).join(" ");
const wouldDo = (service: string, count: number) => app.wouldDo({}, "--scale", `${service}=${count}`);

test("scaled up, five more serve before it ends, no GET fails, and Compose finds nothing to do", {
  skip,
}, async (t) => {
  const load = loadOn(t, app.balancerPort, READS);
  await load.more(50);
  const { code, stdout, stderr } = await scale("app=8");
  t.diagnostic(stdout);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^app {2}3 -> 8 {2}5 started, all healthy in \d+\.\d s$/m);
  assert.match(stdout, /^write "replicas: 8" under deploy in your Compose file: /m);
  assert.equal(await served("app"), names("app", 1, 2, 3, 4, 5, 6, 7, 8));
  for (const number of [4, 5, 6, 7, 8]) await load.more(5, `app-${number}`);
  assert.deepEqual(await wouldDo("app", 8), []);
  const mounts = await docker("inspect", "--format", "{{range .Mounts}}{{.Name}}{{end}}", ...(await app.idsOf("app")));
  assert.equal(new Set(mounts.split("\n").filter(Boolean)).size, 8, "each has an anonymous volume of its own");
  await assertNoneFailed(load);
});

test("the new ones are healed like the others, and a weight of 0 keeps requests from one", { skip }, async (t) => {
  const load = loadOn(t, app.balancerPort, READS);
  const before = (await app.rows()).get("app-7")?.generation ?? 0;
  await docker("kill", app.name("app-7"));
  const healed = async () => ((await app.rows()).get("app-7")?.generation ?? 0) > before;
  await eventually("app-7 is filled anew", healed, WITHIN_MS);
  await eventually("all serve", async () => (await served("app")) === names("app", 1, 2, 3, 4, 5, 6, 7, 8), WITHIN_MS);
  assert.deepEqual(await wouldDo("app", 8), []);
  await app.must("exec", "-T", "watchdog", "node", "watchdogctl.js", "weight", "app-8", "0");
  const answering = async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(app.balancerPort)));
    return new Set(answers.map(({ headers }) => headers["x-served-by"])).size;
  };
  await eventually("seven get requests", async () => (await answering()) === 7, WITHIN_MS);
  await assertNoneFailed(load);
});

test("scaled down, the highest numbers are drained and removed, no GET fails, and nothing is left of them", {
  skip,
}, async (t) => {
  const load = loadOn(t, app.balancerPort, READS);
  await load.more(50);
  const { code, stdout, stderr } = await scale("app=2", "--json");
  assert.equal(code, 0, stdout + stderr);
  const lines = stdout.trim().split("\n");
  const { phase, from, to, slots } = JSON.parse(lines.at(-1) ?? "");
  assert.deepEqual([phase, from, to, slots.length], ["done", 8, 2, 6]);
  assert.deepEqual(
    (await rows("app")).map(({ slot }) => slot),
    ["app-1", "app-2"],
  );
  assert.equal((await app.idsOf("app")).length, 2);
  assert.deepEqual(await wouldDo("app", 2), []);
  await assertNoneFailed(load);
});

test("a watchdog that is killed in the middle leaves what the next one ends, up and down", { skip }, async (t) => {
  const load = loadOn(t, app.balancerPort, READS);
  for (const [count, numbers] of [
    [6, [1, 2, 3, 4, 5, 6]],
    [3, [1, 2, 3]],
  ] as const) {
    const was = (await app.idsOf("app")).length;
    const scaling = scale(`app=${count}`);
    await eventually("it has begun", async () => (await app.idsOf("app")).length !== was, WITHIN_MS);
    await app.killWatchdog();
    const { code, stdout, stderr } = await scaling;
    assert.equal(code, 0, stdout + stderr);
    assert.equal(await served("app"), names("app", ...numbers));
    assert.equal((await app.idsOf("app")).length, count);
    assert.deepEqual(await wouldDo("app", count), []);
  }
  await assertNoneFailed(load);
});

test("proxies are scaled too, and each has servers behind it", { skip }, async (t) => {
  const load = loadOn(t, app.balancerPort, READS);
  for (const count of [3, 2]) {
    const { code, stdout, stderr } = await scale(`proxy=${count}`);
    assert.equal(code, 0, stdout + stderr);
    assert.equal((await served("proxy")).split(" ").length, count);
    assert.deepEqual(await wouldDo("proxy", count), []);
  }
  await assertNoneFailed(load);
});

test("where one more cannot start, it is taken away again: exit 3, the reason, and all as it was", {
  skip,
}, async () => {
  const { code, stdout, stderr } = await scale("worker=2");
  assert.equal(code, 3, stdout + stderr);
  assert.match(stdout, /^worker {2}1 -> 2 {2}undone, 1 as before: worker-2: .*port is already allocated/m);
  assert.equal((await app.idsOf("worker")).length, 1);
  assert.deepEqual(
    (await rows("worker")).map(({ slot }) => slot),
    ["worker-1"],
  );
});

test("what cannot be scaled is refused in one line that says why", { skip }, async () => {
  const refusals: readonly (readonly [words: string, code: number, RegExp])[] = [
    ["db=2", 1, /^there are no replicas of db here: there are those of app, proxy, worker$/m],
    ["balancer=2", 1, /^balancer is a balancer, and there is one of it$/m],
    ["app=0", 2, /^scale app=0: it must be a whole number from 1 to 64$/m],
    ["app=65", 2, /^scale app=65: it must be a whole number from 1 to 64$/m],
  ];
  for (const [words, wanted, line] of refusals) {
    const { code, stderr } = await scale(words);
    assert.equal(code, wanted, stderr);
    assert.match(stderr, line);
  }
  assert.ok(!(await app.must("logs", "watchdog")).includes('"event":"call-refused"'));
});
