// A heal as two terminals show it: `npm start`, and a client that asks on while servers and a proxy are killed. With
// EVENKEEL_PICTURES=docs/pictures the moving picture of it is made anew.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { stateSchema } from "../../watchdog/api/schema.ts";
import { eventually, within } from "../tools/eventually.ts";
import { animationOf } from "../tools/picture/animation.ts";
import { record } from "../tools/picture/recording.ts";
import { freePort, HOST } from "../tools/ports.ts";
import { inTerminal } from "../tools/process/pseudo-terminal.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const WITHIN_MS = 90_000;
const PICTURES = process.env.EVENKEEL_PICTURES;
const [SYSTEM, CLIENT] = [
  { columns: 100, rows: 9 },
  { columns: 100, rows: 11 },
];
const KILLED = ["server-4", "server-1", "proxy-2"];
/** Asked between two kills, for somebody who looks. */
const REQUESTS_BETWEEN = PICTURES === undefined ? 50 : 160;
const skip = spawnSync("script", ["--version"]).error !== undefined && "there is no util-linux script here";

test("two terminals show a heal: who died and is back, and a client that loses nothing", { skip }, async (t) => {
  const ports = PICTURES === undefined ? [await freePort(), await freePort()] : [8080, 8404];
  const [BALANCER_PORT, WATCHDOG_PORT] = ports.map(String) as [string, string];
  const REGISTRY_FILE = join(await temporaryDirectory(t), "registry.json");
  const settings = { ROLE: "watchdog", ENGINE: "process", REGISTRY_FILE, BALANCER_PORT, WATCHDOG_PORT };
  const startedMs = performance.now();
  const system = inTerminal(t, "services/main", [], settings, SYSTEM);
  const ofSystem = record(t, system, SYSTEM, startedMs);
  const says = (pattern: RegExp) =>
    eventually(
      () => `${pattern} in ${system.written()}`,
      () => pattern.test(system.written()),
      WITHIN_MS,
    );
  await says(/ {2}serving on /);
  const words = ["7", "--watch", ...(PICTURES === undefined ? ["--url", `http://${HOST}:${BALANCER_PORT}`] : [])];
  const client = inTerminal(t, "services/client/client", words, {}, CLIENT);
  const ofClient = record(t, client, CLIENT, startedMs);
  const answered = () => Number(/ (\d+) answered/.exec(client.written().split("\x1b[J").at(-1) ?? "")?.[1] ?? 0);
  const more = async () => {
    const until = answered() + REQUESTS_BETWEEN;
    await eventually("more answers", () => answered() >= until, WITHIN_MS);
  };
  for (const slot of KILLED) {
    await more();
    const { slots } = stateSchema.parse(await (await fetch(`http://${HOST}:${WATCHDOG_PORT}/api/state`)).json());
    process.kill(slots.find((row) => row.slot === slot)?.pid as number, "SIGKILL");
    await says(new RegExp(`${slot} is back, after \\d+\\.\\d s`));
  }
  await more();
  const screens = { system: await ofSystem.end(), client: await ofClient.end() };
  const lastsMs = performance.now() - startedMs + 1_000;
  client.type("\x03");
  assert.equal(await within(WITHIN_MS, "its end", client.ended), 0, client.written());
  assert.match(client.written(), /client 7: \d+ answered, 0 failed\r\n/);
  const text = (screens.client.at(-1)?.rows ?? []).map((runs) => runs.map((run) => run.text).join("")).join("\n");
  assert.match(text, /^client 7 {2}.* 0 failed/);
  assert.match(text, /^proxy-\d +server-\d +\d+ +\d+ +[▁-█ ]*$/m);
  const panes = [
    { title: "npm start", ...SYSTEM, screens: screens.system },
    { title: "npm run client -- 7 --watch", ...CLIENT, screens: screens.client },
  ];
  const about =
    "Two servers and a proxy are killed with kill -9 and are back within a second; the client loses no request";
  const picture = animationOf(panes, lastsMs, about);
  for (const slot of KILLED) assert.ok(picture.includes(`${slot} is back`));
  if (PICTURES !== undefined) await writeFile(join(PICTURES, "heal-terminal.svg"), picture);
});
