// A service of somebody's own rolled from one version to the next on a real engine, under counted load: by the plugin's commands, to a
// version that works, to one that does not, and with the watchdog killed in the middle.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { openBrowser, openPage } from "../tools/browser/browser.ts";
import { COMPOSE_FILE, type OwnApp, ownApp } from "../tools/compose/app.ts";
import { docker, repository, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { assertNoneFailed, loadOn } from "../tools/load/load.ts";
import { whyNo } from "../tools/process/programs.ts";
import { fileScope } from "../tools/scope.ts";

const WITHIN_MS = 120_000;
const TRAFFIC = { get: { perSecond: 200 }, post: { perSecond: 30 } } as const;
const MUCH = { get: { perSecond: 270 }, post: { perSecond: 30 } } as const;
/** Each new one need not serve for two seconds before the next one's turn. */
const THREE = COMPOSE_FILE.replace("evenkeel.start: 8s", "evenkeel.start: 8s, evenkeel.update.monitor: 500ms");
const SIX = THREE.replace("replicas: 3", "replicas: 6");

const scope = fileScope();
let app: OwnApp;

before(async () => {
  if (skip !== false) return;
  app = await ownApp(scope);
  await app.write(THREE);
  await app.must("build", "balancer", "app");
  await app.must("up", "-d", "--wait", "--no-build", "watchdog");
});

const serving = async () =>
  [...(await app.rows()).values()].filter(({ slot, state }) => slot.startsWith("app-") && state === "serving");
const said = async (what: "version" | "release") => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(app.balancerPort)));
  return [...new Set(answers.map(({ body }) => (JSON.parse(body) as Record<typeof what, string>)[what]))];
};
const versions = () => said("version");

/** By the plugin, which for a roll does what the function below does. */
const plugin = (environment: Readonly<Record<string, string>>, order = "roll") =>
  app.says(environment, "sh", join(repository, "bin/docker-evenkeel"), "evenkeel", order, "app");

async function roll(environment: Readonly<Record<string, string>>) {
  await app.mustWith(environment, "up", "--no-start", "--no-recreate", "--scale", "app=4", "app");
  return app.compose(environment, "exec", "-T", "watchdog", "node", "watchdogctl.js", "roll", "app");
}

/** The page in the middle of the roll, as progress; with EVENKEEL_PICTURES=docs/pictures its picture is taken anew. */
async function showsRoll(t: TestContext): Promise<void> {
  if (whyNo("chromium") !== false) return;
  const url = `http://127.0.0.1:${app.watchdogPort}/`;
  const { page, complaints } = await openPage(await openBrowser(t), url, { scheme: "light", width: 1280 });
  const progress = page.locator("#rolls").getByText(/Roll of app .*, [2-4] of 6/);
  await progress.waitFor({ timeout: WITHIN_MS });
  if (process.env.EVENKEEL_PICTURES !== undefined) {
    const { y = 0, height = 0 } = (await page.locator("#rolls").boundingBox()) ?? {};
    const clip = { x: 0, y: 0, width: 1280, height: Math.ceil(y + height) + 16 };
    const path = `${process.env.EVENKEEL_PICTURES}/page-roll.png`;
    await page.screenshot({ path, animations: "disabled", fullPage: true, clip });
  }
  assert.deepEqual(complaints, []);
}

test("before anything was rolled there is nothing to go back to, and one line says so", { skip }, async () => {
  const { code, stderr } = await plugin({}, "rollback");
  assert.equal(code, 1);
  assert.match(stderr, /^there is nothing to go back to: of app no other version than this has worked here$/m);
});

test("a roll of six at 300 requests a second loses none, GET or POST, and there are never fewer than six", {
  skip,
}, async (t) => {
  await app.write(SIX);
  await app.must("up", "-d", "--no-recreate", "app");
  await eventually("six serve", async () => (await serving()).length === 6, WITHIN_MS);
  const load = loadOn(t, app.balancerPort, MUCH);
  await load.more(50);
  let least = Number.POSITIVE_INFINITY;
  let over = false;
  const watching = (async () => {
    while (!over) least = Math.min(least, (await serving()).length || least);
  })();
  const shown = showsRoll(t);
  const { code, stdout } = await plugin({ VERSION: "2" });
  over = true;
  await watching;
  await shown;
  assert.equal(code, 0, stdout);
  assert.match(stdout, /app {2}rolled$/m);
  assert.ok(least >= 6, `${least} served`);
  assert.deepEqual(await versions(), ["2"]);
  assert.deepEqual(await app.wouldDo({ VERSION: "2" }), []);
  await load.finish();
  assert.deepEqual([load.get.failed.size, load.post.failed.size], [0, 0], JSON.stringify(load.tally()));
  await app.write(THREE);
  await app.mustWith({ VERSION: "2" }, "up", "-d", "--no-recreate", "app");
  await eventually("three are left", async () => (await serving()).length === 3, WITHIN_MS);
});

test("a version that never gets healthy is not rolled out: exit 1, the reason, and all as it was", {
  skip,
}, async (t) => {
  const load = loadOn(t, app.balancerPort, TRAFFIC);
  const { code, stdout } = await roll({ VERSION: "3", BROKEN: "yes" });
  assert.equal(code, 1, stdout);
  assert.match(stdout, /app {2}not rolled, nothing was changed: app-4: it does not answer within 8000 ms$/m);
  assert.deepEqual(await versions(), ["2"]);
  assert.equal((await app.idsOf("app")).length, 3);
  assert.deepEqual(await app.wouldDo({ VERSION: "2" }), []);
  await assertNoneFailed(load);
});

test("a watchdog that is killed in the middle of a roll leaves what the next one ends", { skip }, async (t) => {
  const load = loadOn(t, app.balancerPort, { get: { perSecond: 100 } });
  const rolling = roll({ VERSION: "4" });
  for (const count of [1, 2, 3]) {
    await eventually(`${count} are new`, async () => (await rolled()) >= count, WITHIN_MS);
    await app.killWatchdog();
  }
  const { code, stdout } = await rolling;
  assert.equal(code, 0, stdout);
  assert.deepEqual(await versions(), ["4"]);
  assert.deepEqual(await app.wouldDo({ VERSION: "4" }), []);
  await assertNoneFailed(load);
});

test("a roll that is paused stands still between two steps while requests go on, and resumed it goes on", {
  skip,
}, async (t) => {
  const load = loadOn(t, app.balancerPort, { get: { perSecond: 100 } });
  const ctl = (...words: readonly string[]) => app.must("exec", "-T", "watchdog", "node", "watchdogctl.js", ...words);
  const rolling = roll({ VERSION: "5" });
  await eventually("one is new", async () => (await lastRoll())?.rolled === 1, WITHIN_MS);
  await ctl("pause", "app");
  const stands = async () => {
    const { paused = false, slots = [] } = (await lastRoll()) ?? {};
    return paused && slots.every(({ busy }) => !busy);
  };
  await eventually("it stands still", stands, WITHIN_MS);
  const ids = await app.idsOf("app");
  const { status, body } = await ask(app.watchdogPort, { path: "/api/state" });
  const rows = (JSON.parse(body) as { slots: { slot: string; paused: boolean }[] }).slots;
  assert.deepEqual([status, rows.filter(({ paused }) => paused).length], [200, 4]);
  await load.more(500);
  assert.deepEqual(await app.idsOf("app"), ids);
  await ctl("resume", "app");
  const { code, stdout } = await rolling;
  assert.equal(code, 0, stdout);
  assert.match(stdout, /stands still until "resume app"/);
  assert.deepEqual(await versions(), ["5"]);
  await assertNoneFailed(load);
});

test("a rollback makes the version before again, also by a watchdog that begins after it and is killed in it", {
  skip,
}, async (t) => {
  const load = loadOn(t, app.balancerPort, TRAFFIC);
  await app.must("restart", "--no-deps", "watchdog");
  await eventually("all are known again", async () => (await serving()).length === 3, WITHIN_MS);
  const rolling = plugin({}, "rollback");
  await eventually("one is as before", async () => (await rolled()) >= 1, WITHIN_MS);
  await app.killWatchdog();
  const { code, stdout } = await rolling;
  assert.equal(code, 0, stdout);
  assert.match(
    stdout,
    /app {2}rolled back to the version before; your Compose file and image are the later ones still/,
  );
  assert.deepEqual(await versions(), ["4"]);
  assert.equal((await app.idsOf("app")).length, 3);
  assert.deepEqual(await app.wouldDo({ VERSION: "4" }), []);
  await assertNoneFailed(load);
});

test("without a sample a newer image is rolled out by the watchdog alone, with the configuration that runs, and back", {
  skip,
}, async (t) => {
  await app.write(THREE, "2");
  await app.must("build", "app");
  // Of the same image: Compose makes anew whatever depends on one that it makes anew.
  await app.must("up", "-d", "--no-deps", "migrate");
  const load = loadOn(t, app.balancerPort, TRAFFIC);
  const ctl = (order: string) => app.compose({}, "exec", "-T", "watchdog", "node", "watchdogctl.js", order, "app");
  const { code, stdout } = await ctl("roll");
  assert.equal(code, 0, stdout);
  assert.match(stdout, /app {2}rolled to the newer image, with the configuration that it had$/m);
  assert.deepEqual([await said("release"), await versions()], [["2"], ["4"]]);
  assert.equal((await app.idsOf("app")).length, 3);
  assert.deepEqual(await app.wouldDo({ VERSION: "4" }), []);
  const [id] = await app.idsOf("app");
  assert.equal(await docker("inspect", "--format", "{{.Config.Labels.release}}", id as string), "2");
  assert.equal((await ctl("rollback")).code, 0);
  assert.deepEqual([await said("release"), await versions()], [["1"], ["4"]]);
  assert.equal((await ctl("rollback")).code, 0);
  assert.deepEqual(await app.wouldDo({ VERSION: "4" }), []);
  await assertNoneFailed(load);
});

test("without a sample there is nothing to roll to, and the line says what makes one", { skip }, async () => {
  const { code, stderr } = await app.compose({}, "exec", "-T", "watchdog", "node", "watchdogctl.js", "roll", "app");
  assert.equal(code, 1);
  assert.match(stderr, /there is no sample of what app is to become: .*--scale app=4 app makes one/);
  assert.match(stderr, /; and its image \S+-app is still the one that it runs$/m);
  assert.ok(!(await app.must("logs", "watchdog")).includes('"event":"call-refused"'));
});

interface RollSeen {
  readonly phase: string;
  readonly rolled: number;
  readonly paused: boolean;
  readonly slots: readonly { readonly busy: boolean }[];
}

async function lastRoll(): Promise<RollSeen | undefined> {
  const { body } = await ask(app.watchdogPort, { path: "/api/rolls" }).catch(() => ({ body: '{"rolls":[]}' }));
  return (JSON.parse(body) as { rolls?: RollSeen[] }).rolls?.[0];
}

async function rolled(): Promise<number> {
  const last = await lastRoll();
  return last?.phase === "rolling" ? last.rolled : last?.phase === "done" ? 3 : 0;
}
