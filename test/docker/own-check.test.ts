// An app whose image has a health check of its own, on a real engine: it listens at once, and gets its first request when that has passed.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { COMPOSE_FILE, type OwnApp, ownApp } from "../tools/compose/app.ts";
import { docker, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { assertNoneFailed, loadOn } from "../tools/load/load.ts";
import { fileScope } from "../tools/scope.ts";

const WITHIN_MS = 60_000;
/** Version 1 is well when it is told so, any other one never. */
const CHECK = 'test -f /well -a "$$VERSION" = 1 -o "$$VERSION" = 3';
const HEALTHCHECK = `healthcheck: { test: '${CHECK}', interval: 1s, retries: 2, start_period: "\${START:-60s}" }
    stop_signal: SIGUSR2
    command: [sh, -c, "trap 'sleep 3; exit 0' USR2; node /app.cjs & wait"]
    depends_on: { migrate`;

const scope = fileScope();
let app: OwnApp;

before(async () => {
  if (skip !== false) return;
  app = await ownApp(scope);
  await app.write(
    COMPOSE_FILE.replace("replicas: 3", "replicas: 1").replace("depends_on: { migrate", () => HEALTHCHECK),
  );
  await app.must("build", "balancer", "app");
  await app.must("up", "-d", "--no-build", "watchdog");
});

const row = async (slot: string) => (await app.rows()).get(slot);
const answer = async () => (await ask(app.balancerPort)).status;

test("it listens, and gets no request before its own health check has passed", { skip }, async () => {
  await eventually("it answers", async () => (await row("app-1"))?.life === "running", WITHIN_MS);
  const listens = () => docker("exec", app.name("app-1"), "node", "-e", "fetch('http://127.0.0.1:3000').then(() => 0)");
  await eventually(
    "it listens",
    () =>
      listens().then(
        () => true,
        () => false,
      ),
    WITHIN_MS,
  );
  await eventually("the balancer answers", async () => (await answer().catch(() => 0)) === 503, WITHIN_MS);
  assert.equal((await row("app-1"))?.state, "starting");
  assert.equal((await row("app-1"))?.step, "wait: its own health check has yet to pass");
  assert.equal(await answer(), 503);
  await docker("exec", app.name("app-1"), "touch", "/well");
  await eventually("it serves", async () => (await row("app-1"))?.state === "serving", WITHIN_MS);
  assert.equal(await answer(), 200);
});

test("what has passed it once stays in traffic until its successor is there", { skip }, async (t) => {
  const load = loadOn(t, app.balancerPort, { get: { perSecond: 50 } });
  await load.more(20);
  await app.mustWith({ VERSION: "1" }, "up", "-d", "--no-recreate", "--scale", "app=2", "app");
  await eventually("another one is there", async () => (await row("app-2"))?.life === "running", WITHIN_MS);
  await docker("exec", app.name("app-2"), "touch", "/well");
  await eventually("both serve", async () => (await row("app-2"))?.state === "serving", WITHIN_MS);
  await load.more(20);
  await assertNoneFailed(load);
});

/** Makes a sample of the version beside the two, and rolls the service to it. */
async function rolled(version: Readonly<Record<string, string>>) {
  await app.mustWith(version, "up", "--no-start", "--no-recreate", "--scale", "app=3", "app");
  return app.compose(version, "exec", "-T", "watchdog", "node", "watchdogctl.js", "roll", "app");
}

test("a version whose check never passes is not rolled out, though it answers", { skip }, async (t) => {
  const load = loadOn(t, app.balancerPort, { get: { perSecond: 50 } });
  await load.more(20);
  const { code, stdout } = await rolled({ VERSION: "2", START: "1s" });
  assert.equal(code, 1, stdout);
  assert.match(stdout, /not rolled, nothing was changed: app-3: its own health check fails$/m);
  assert.equal((await app.idsOf("app")).length, 2);
  await assertNoneFailed(load);
});

test("a version whose check passes is", { skip }, async (t) => {
  const load = loadOn(t, app.balancerPort, { get: { perSecond: 50 } });
  const { code, stdout } = await rolled({ VERSION: "3" });
  assert.equal(code, 0, stdout);
  await assertNoneFailed(load);
});

test("the signal that its service wants for a stop takes it out of traffic at once", { skip }, async (t) => {
  await eventually("both serve", async () => (await row("app-2"))?.state === "serving", WITHIN_MS);
  const load = loadOn(t, app.balancerPort, { get: { perSecond: 50 } });
  await load.more(20);
  const stopped = docker("stop", app.name("app-2"));
  await eventually("it drains", async () => (await row("app-2"))?.state === "draining", WITHIN_MS);
  assert.equal((await row("app-2"))?.life, "running");
  await stopped;
  await assertNoneFailed(load);
});
