// What `npm start` writes: people's lines on a terminal, JSON in a pipe and where the setting says so, and never a secret.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { stateSchema } from "../../watchdog/api/schema.ts";
import { eventually, within } from "../tools/eventually.ts";
import { freePort, HOST } from "../tools/ports.ts";
import { inTerminal } from "../tools/process/pseudo-terminal.ts";
import { run } from "../tools/process/run.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const WITHIN_MS = 90_000;
const TOKEN = "never-to-be-logged-0123456789";
const skip = spawnSync("script", ["--version"]).error !== undefined && "there is no util-linux script here";

async function settings(t: TestContext) {
  const REGISTRY_FILE = join(await temporaryDirectory(t), "registry.json");
  const [BALANCER_PORT, WATCHDOG_PORT] = [String(await freePort()), String(await freePort())];
  return { ROLE: "watchdog", ENGINE: "process", REGISTRY_FILE, BALANCER_PORT, WATCHDOG_PORT, API_TOKEN: TOKEN };
}

async function pidOf(slot: string, watchdogPort: string): Promise<number> {
  const state = stateSchema.parse(await (await fetch(`http://${HOST}:${watchdogPort}/api/v1/state`)).json());
  return state.slots.find((row) => row.slot === slot)?.pid as number;
}

test("on a terminal it says where it serves, who died and who is back, and when it has stopped", {
  skip,
}, async (t) => {
  const environment = await settings(t);
  const { BALANCER_PORT, WATCHDOG_PORT } = environment;
  const shown = inTerminal(t, "services/main", [], environment, { columns: 200, rows: 40 });
  const says = (pattern: RegExp) =>
    eventually(
      () => `${pattern} in ${shown.written()}`,
      () => pattern.test(shown.written()),
      WITHIN_MS,
    );
  const status = `status on http://localhost:${WATCHDOG_PORT}`;
  await says(new RegExp(`^\\d\\d:\\d\\d:\\d\\d  starting, ${status}\\r$`, "m"));
  await says(new RegExp(`^\\S+  serving on http://localhost:${BALANCER_PORT}, ${status}\\r$`, "m"));
  process.kill(await pidOf("server-4", WATCHDOG_PORT), "SIGKILL");
  await says(/^\S+ {2}server-4: it was killed by SIGKILL; a new one is on its way\r$/m);
  await says(/^\S+ {2}server-4 is back, after \d+\.\d s\r$/m);
  shown.type("\x03");
  assert.equal(await within(WITHIN_MS, "its end", shown.ended), 0);
  assert.match(shown.written(), /^\S+ {2}stopped\r$/m);
  assert.doesNotMatch(shown.written(), /\{"|nonce/);
  assert.ok(!shown.written().includes(TOKEN));
});

test("with LOG_FORMAT=json a terminal gets JSON", { skip }, async (t) => {
  const environment = { ...(await settings(t)), LOG_FORMAT: "json" };
  const shown = inTerminal(t, "services/main", [], environment, { columns: 200, rows: 40 });
  const isReady = () => /"role":"watchdog",.*"event":"ready"\}\r$/m.test(shown.written());
  await eventually("it is ready", isReady, WITHIN_MS);
  shown.type("\x03");
  assert.equal(await within(WITHIN_MS, "its end", shown.ended), 0);
  const lines = shown
    .written()
    .split("\r\n")
    .filter((line) => line !== "" && !line.startsWith("^C"));
  assert.ok(
    lines.every((line) => line.replace(/^\^C/, "").startsWith("{")),
    shown.written(),
  );
});

test("in a pipe it is JSON, without the token", async (t) => {
  const running = run(t, "main", await settings(t));
  await within(WITHIN_MS, "all serve", running.event("ready", { role: "watchdog" }));
  running.child.kill("SIGTERM");
  const { code, stdout, stderr } = await within(WITHIN_MS, "its end", running.ended);
  assert.equal(code, 0);
  for (const line of stdout.split("\n").filter(Boolean)) assert.ok(line.startsWith("{"), line);
  assert.ok(!`${stdout}${stderr}`.includes(TOKEN));
});
