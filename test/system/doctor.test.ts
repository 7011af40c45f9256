// doctor as a process of its own, looking at a whole system of real processes, at one whose members die under it, at nothing,
// and at a Compose project on a real Docker Engine.

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, type TestContext, test } from "node:test";
import * as z from "zod";
import { PROJECT } from "../tools/docker/containers.ts";
import { docker, dockerSkip } from "../tools/docker/docker.ts";
import { bringUp } from "../tools/docker/stage.ts";
import { eventually, within } from "../tools/eventually.ts";
import { freePort } from "../tools/ports.ts";
import { run } from "../tools/process/run.ts";
import { ProcessSystem } from "../tools/process/system.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const scope = fileScope();

before(async () => {
  if (dockerSkip === false) await bringUp(scope);
});

const findingSchema = z.object({ check: z.string(), level: z.string(), what: z.string(), fix: z.string().optional() });

/** Whoever has the default ports on this machine is not asked. */
const freePorts = async () => ({
  WATCHDOG_PORT: String(await freePort()),
  BALANCER_PORT: String(await freePort()),
});

interface Examined {
  readonly code: number | null;
  /** "level check: what", in order. */
  readonly lines: readonly string[];
}

async function doctor(t: TestContext, environment: Readonly<Record<string, string>>): Promise<Examined> {
  const ended = run(t, "watchdog/ctl/watchdogctl", environment, ["doctor", "--json"]).ended;
  const { code, stdout, stderr } = await within(60_000, "the end of doctor", ended);
  assert.equal(stderr, "");
  const findings = z.array(findingSchema).parse(JSON.parse(stdout));
  for (const { level, fix } of findings)
    assert.equal(fix !== undefined, level !== "ok", "what is not ok says what to do");
  return { code, lines: findings.map(({ level, check, what }) => `${level} ${check}: ${what}`) };
}

test("a system of processes is found well, and a member that is killed, or the watchdog, is found gone", async (t) => {
  const registryFile = `${await temporaryDirectory(t)}/registry.json`;
  const environment = { REGISTRY_FILE: registryFile, ...(await freePorts()) };
  const watchdog = run(t, "main", { ROLE: "watchdog", ENGINE: "process", ...environment });
  const system = new ProcessSystem(watchdog, {
    balancerPort: Number(environment.BALANCER_PORT),
    watchdogPort: Number(environment.WATCHDOG_PORT),
    registryFile,
  });
  t.after(() => system.alive().forEach((pid) => void process.kill(pid, "SIGKILL")));
  await system.serves();
  const well = await doctor(t, environment);
  assert.equal(well.code, 0, well.lines.join("\n"));
  assert.ok(well.lines.includes("ok members: 9 of 9 serve and answer on their ports"), well.lines.join("\n"));
  assert.equal(well.lines.length, 7);

  await system.end("SIGKILL");
  await eventually("no process of it is left", () => system.alive().length === 0);
  const gone = await doctor(t, environment);
  assert.equal(gone.code, 1);
  // Somebody else on this machine may have taken one of the ports since; not all of them.
  for (const check of ["members", "balancer", "watchdog"]) {
    assert.ok(
      gone.lines.some((line) => line.startsWith(`fault ${check}: `)),
      gone.lines.join("\n"),
    );
  }
});

test("where nothing runs and nothing ever did, each finding says so", async (t) => {
  const REGISTRY_FILE = `${await temporaryDirectory(t)}/none/registry.json`;
  const { code, lines } = await doctor(t, { REGISTRY_FILE, ...(await freePorts()) });
  assert.equal(code, 1);
  assert.deepEqual(lines.slice(2, 4), [
    `fault registry directory: ${dirname(REGISTRY_FILE)} cannot be written (ENOENT)`,
    `fault registry: ${REGISTRY_FILE}: it cannot be read (ENOENT)`,
  ]);
  assert.equal(lines.length, 6);
});

test("a Docker socket that is missing is a fault, and the rest is looked at all the same", async (t) => {
  const directory = await temporaryDirectory(t);
  const DOCKER_SOCKET = `${directory}/docker.sock`;
  const { code, lines } = await doctor(t, {
    ENGINE: "docker",
    DOCKER_SOCKET,
    REGISTRY_FILE: `${directory}/registry.json`,
    ...(await freePorts()),
  });
  assert.equal(code, 1);
  assert.ok(lines.includes(`fault docker: there is no Docker socket at ${DOCKER_SOCKET}`), lines.join("\n"));
  assert.ok(lines.includes(`ok registry directory: ${directory} can be written`));
});

test("a Compose project is looked at through the engine: what is well, and what somebody did to it", {
  skip: dockerSkip,
}, async (t) => {
  const REGISTRY_FILE = `${await temporaryDirectory(t)}/registry.json`;
  const environment = { ENGINE: "docker", COMPOSE_PROJECT_NAME: PROJECT, REGISTRY_FILE, ...(await freePorts()) };
  const well = await doctor(t, environment);
  assert.match(well.lines.find((line) => line.startsWith("ok docker: ")) ?? "", /Docker \d+\.\S+, API 1\.\d+$/);
  for (const expected of [
    "ok containers: one for each of 2 slots",
    "ok leftovers: none",
    "ok labels: as they should be",
    "ok one image: all run the same",
    "fault one healer: no watchdog runs in the project",
  ]) {
    assert.ok(well.lines.includes(expected), `${expected}, got\n${well.lines.join("\n")}`);
  }

  await docker("rename", `${PROJECT}-server-1-1`, `${PROJECT}-server-1-1-aside`);
  await docker("update", "--restart", "always", `${PROJECT}-server-2-1`);
  await docker("kill", `${PROJECT}-server-2-1`);
  const { code, lines } = await doctor(t, environment);
  assert.equal(code, 1);
  for (const expected of [
    "warning containers: server-2 does not run: exited with code 137",
    `warning leftovers: ${PROJECT}-server-1-1-aside is a previous container, kept for a rollback`,
    `fault one healer: ${PROJECT}-server-2-1 has restart: always`,
  ]) {
    assert.ok(lines.includes(expected), `${expected}, got\n${lines.join("\n")}`);
  }
});
