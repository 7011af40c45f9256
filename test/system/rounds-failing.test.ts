// A whole system whose watchdog cannot write: it says so and why wherever it is asked, and what runs goes on.

import assert from "node:assert/strict";
import { mkdir, rename, rmdir } from "node:fs/promises";
import { before, test } from "node:test";
import { stateSchema } from "../../watchdog/api/schema.ts";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { fileScope } from "../tools/scope.ts";

const scope = fileScope();
let system: ProcessSystem;

before(async () => {
  system = await startSystem(scope);
});

test("rounds that fail are told by /readyz, the page and the state, each with the reason, until they are well", async () => {
  const asked = (path: string) => ask(system.watchdogPort, { path });
  // The registry says that all serve a moment before the watchdog says that it is ready.
  await eventually("it is ready", async () => (await asked("/readyz")).status === 200);
  const { registryFile } = system;
  await rename(registryFile, `${registryFile}.kept`);
  // Nothing can be renamed over a directory: whoever runs this may write anywhere else.
  await mkdir(registryFile);
  const killed = system.pid("server-2");
  process.kill(killed, "SIGKILL");
  const refused = await eventually("it is not ready", async () => {
    const reply = await asked("/readyz");
    return reply.body.includes("rounds fail") ? reply.body : undefined;
  });
  assert.match(refused, /^not ready: its rounds fail: EISDIR: .*registry\.json/);
  await eventually("the page says so", async () => /rounds fail: .*EISDIR/.test((await asked("/")).body));
  const { failing } = stateSchema.parse(JSON.parse((await asked("/api/state")).body));
  assert.match(failing ?? "", /^EISDIR/);
  await eventually("its row is as new as its incident", async () => {
    const { slots } = stateSchema.parse(JSON.parse((await asked("/api/state")).body));
    return slots.some(({ slot, pid }) => slot === "server-2" && pid !== null && pid !== killed);
  });
  assert.equal((await ask(system.balancerPort)).status, 200);
  await rmdir(registryFile);
  await system.serves();
  await eventually("it is ready", async () => (await asked("/readyz")).status === 200);
});
