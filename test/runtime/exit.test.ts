// A member that cannot start says why in one line on stderr, without a stack, and its exit code tells one reason from another.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { exitCode } from "../../services/runtime/exit.ts";
import { within } from "../tools/eventually.ts";
import { takenPort, takenRange } from "../tools/ports.ts";
import { run } from "../tools/process/run.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const ANY_PORTS = { PORT: "0", ADMIN_PORT: "0" };
const REGISTRY = '{"schema":1,"version":1,"writtenAt":"2026-11-22T12:00:00.000Z","members":[]}';

interface Refusal {
  readonly environment: Readonly<Record<string, string>>;
  readonly code: number;
  /** One for each line on stderr. */
  readonly lines: readonly RegExp[];
}

async function refuses(t: TestContext, { environment, code, lines }: Refusal): Promise<void> {
  const { ended } = run(t, "main", environment);
  const result = await within(10_000, "the end of the process", ended);
  assert.equal(result.code, code, result.stderr);
  assert.ok(result.stderr.endsWith("\n"));
  const said = result.stderr.trimEnd().split("\n");
  assert.equal(said.length, lines.length, result.stderr);
  for (const [index, line] of lines.entries()) assert.match(said[index] as string, line);
  assert.ok(said.every((line) => line.startsWith("evenkeel: ")));
  assert.doesNotMatch(result.stdout, /"listening"/);
}

test("faulty settings end the start with 78 and a line for each", async (t) => {
  const environment = { ROLE: "watchdog,proxy", PORT: "http", DRAIN_TIMEOUT_MS: "8s" };
  await refuses(t, { environment, code: exitCode.settings, lines: [/ROLE="watchdog,proxy"/, /PORT="http"/, /"8s"/] });
});

test("no ROLE at all ends the start with 78 and names the roles", async (t) => {
  await refuses(t, {
    environment: {},
    code: 78,
    lines: [/ROLE is not set: .*watchdog, balancer, proxy, server, client/],
  });
});

test("a fixed port that is taken ends the start with 71 and names the setting", async (t) => {
  const taken = await takenPort(t);
  const PORT = String(taken);
  const environments = {
    PORT: { ROLE: "server", PORT, ADMIN_PORT: "0" },
    BALANCER_PORT: { ROLE: "balancer", BALANCER_PORT: PORT, ADMIN_PORT: "0", REGISTRY },
    ADMIN_PORT: { ROLE: "server", PORT: "0", ADMIN_PORT: PORT },
  };
  const refusals = Object.entries(environments).map(([setting, environment]) => {
    return refuses(t, {
      environment,
      code: exitCode.portTaken,
      lines: [new RegExp(`port ${taken} .*set ${setting} `)],
    });
  });
  await Promise.all(refusals);
});

test("a full range ends the start with 75 and names the setting", async (t) => {
  const first = await takenRange(t, 2);
  await refuses(t, {
    environment: { ROLE: "proxy", ADMIN_PORT: "0", PORT_RANGE: `${first}-${first + 1}`, REGISTRY },
    code: exitCode.portsExhausted,
    lines: [new RegExp(`${first}-${first + 1} .*set PORT_RANGE `)],
  });
});

test("an address of another machine ends the start with 71 and names HOST", async (t) => {
  const environment = { ROLE: "server", HOST: "192.0.2.1", ...ANY_PORTS };
  await refuses(t, { environment, code: exitCode.portTaken, lines: [/192\.0\.2\.1 .*set HOST/] });
});

test("a registry that cannot be read ends a tier's start with 65 and names its setting", async (t) => {
  const REGISTRY_FILE = join(await temporaryDirectory(t), "registry.json");
  await writeFile(REGISTRY_FILE, '{"schema": 2}');
  const fromFile = { ROLE: "proxy", REGISTRY_FILE, ...ANY_PORTS };
  await refuses(t, {
    environment: fromFile,
    code: exitCode.registry,
    lines: [/REGISTRY_FILE .*registry\.json: schema/],
  });
  const inline = { ROLE: "balancer", REGISTRY: "[1, 2", ...ANY_PORTS };
  await refuses(t, { environment: inline, code: exitCode.registry, lines: [/REGISTRY .*not JSON/] });
});
