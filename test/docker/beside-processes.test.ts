// `docker compose up` beside `npm start` on one machine, on a real engine: what Compose gives up for is named with its fix, and with
// another port for the balancer both serve.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { emptyProject } from "../tools/compose/system.ts";
import { dockerSkip as skip } from "../tools/docker/docker.ts";
import { ask } from "../tools/http/ask.ts";
import { startSystem } from "../tools/process/system.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const SERVICES = ["--no-deps", "balancer", "proxy-1", "server-1", "watchdog"];
const DOCTOR = ["run", "--rm", "--no-deps", "-T", "watchdog", "node", "watchdogctl.js", "doctor"];

test("a port that npm start has is named with its setting, and on another one both serve", { skip }, async (t) => {
  const project = await emptyProject(t);
  const own = await startSystem(t);
  const override = join(await temporaryDirectory(t), "ports.yml");
  await writeFile(override, `services: { balancer: { ports: !override ["${own.balancerPort}:8080"] } }\n`);
  const clashing = project.with([override]);
  await clashing.must("build");
  const refused = await clashing.compose("up", "--detach", ...SERVICES);
  assert.notEqual(refused.code, 0);
  const { stdout } = await clashing.compose(...DOCTOR);
  const lines = stdout.split("\n").map((line) => line.replace(/ +/g, " ").trim());
  const said = lines.filter((line) => /^(?:fault|warning) (?:ports|containers|one healer) /.test(line));
  assert.deepEqual(said, [`fault ports balancer was not started: port ${own.balancerPort} on this host is in use`]);
  const fix = `> BALANCER_PORT=${own.balancerPort + 1} in .env, or stop what listens there; then docker compose up -d`;
  assert.ok(lines.includes(fix), stdout);
  await project.must("up", "--detach", "--wait", ...SERVICES);
  for (const port of [own.balancerPort, project.balancerPort]) assert.equal((await ask(port)).status, 200);
});
