// A member that screams, floods and forges, while others are killed: they are healed as quickly as without, and the watchdog's memory
// stays as it was. `ATTACK=full node --import tsx --test test/system/attack.test.ts` does it at full size: a gigabyte of one line, 50,000
// lines a second for 20 seconds, 500,000 suspects.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { RegistryMember } from "../../services/registry/document.ts";
import { stateSchema } from "../../watchdog/api/schema.ts";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { freePort, HOST } from "../tools/ports.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BAD = "server-6";
const isFull = process.env.ATTACK === "full";
const MB = 1_000_000;
const START_MS_MAX = 60_000;
const ATTACK_MS_MAX = 300_000;
const MEMBERS = 9;
const MEMORY_MB_MAX = 80;

interface Attack {
  readonly what: string;
  readonly order: string;
  /** Killed meanwhile, each once: a slot that fails again waits before it is healed. */
  readonly victims: readonly string[];
}

const attacks: readonly Attack[] = isFull
  ? [
      { what: "a line of a gigabyte", order: "endless 1000000000", victims: ["server-2"] },
      { what: "50,000 lines a second", order: "lines 1000000 50000", victims: ["server-3", "proxy-1"] },
      { what: "500,000 suspects", order: "suspects 500000", victims: ["server-5"] },
    ]
  : [
      { what: "a line of 100 MB", order: "endless 100000000", victims: ["server-2"] },
      { what: "50,000 lines a second", order: "lines 100000 50000", victims: ["server-3"] },
      { what: "50,000 suspects", order: "suspects 50000", victims: ["server-5"] },
    ];

const scope = fileScope();

async function startBadSystem() {
  const directory = await temporaryDirectory(scope);
  const [registryFile, orders] = [join(directory, "registry.json"), join(directory, "orders")];
  const [balancerPort, watchdogPort] = [await freePort(), await freePort()];
  const watchdog = spawn(process.execPath, ["dist/services/main.js"], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      NODE_OPTIONS: `--import ${join(ROOT, "test/tools/attack/bad-member.mjs")}`,
      ...{
        ROLE: "watchdog",
        ENGINE: "process",
        HOST,
        REGISTRY_FILE: registryFile,
        BAD_MEMBER: BAD,
        BAD_ORDERS: orders,
      },
      ...{ BALANCER_PORT: String(balancerPort), WATCHDOG_PORT: String(watchdogPort), STOP_WITH_STDIN: "yes" },
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => watchdog.once("exit", resolve));
  scope.after(async () => {
    watchdog.kill("SIGTERM");
    await ended;
  });
  let said = "";
  watchdog.stdout.on("data", (piece: Buffer) => {
    if (said.length < MB) said += piece.toString();
  });
  const members = async () => {
    const text = await readFile(registryFile, "utf8").catch(() => '{"members":[]}');
    return (JSON.parse(text) as { members: RegistryMember[] }).members;
  };
  const serving = async () => (await members()).filter(({ state }) => state === "serving").length === MEMBERS;
  await eventually("every member serves", serving, START_MS_MAX);
  const pid = Number(/"role":"watchdog"[^\n]*"pid":(\d+)/.exec(said)?.[1]);
  return { watchdog: pid, watchdogPort, orders, members };
}

test("a member that screams, floods and forges keeps nobody from being healed, and costs the watchdog no memory", async (t) => {
  const system = await startBadSystem();
  const { orders, members } = system;
  const rows = async () =>
    stateSchema.parse(JSON.parse((await ask(system.watchdogPort, { path: "/api/state" })).body)).slots;
  const member = async (id: string) => (await members()).find((each) => each.id === id);
  const memoryMb = async () => {
    const status = await readFile(`/proc/${system.watchdog}/status`, "utf8");
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_000);
  };
  const peakMb = async () =>
    Math.round(Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${system.watchdog}/status`, "utf8"))?.[1]) / 1_000);

  /** @returns from the kill until its successor serves, in ms */
  async function heal(id: string): Promise<number> {
    const pid = (await rows()).find(({ slot }) => slot === id)?.pid;
    const before = (await member(id))?.generation ?? 0;
    const began = performance.now();
    process.kill(z.int().parse(pid), "SIGKILL");
    const isBack = async () => {
      const now = await member(id);
      return now?.state === "serving" && (now.generation ?? 0) > before;
    };
    await eventually(`${id} serves again`, isBack, START_MS_MAX);
    return Math.round(performance.now() - began);
  }

  const isOver = async (order: string) => (await readFile(`${orders}.done`, "utf8").catch(() => "")) === `${order}\n`;

  const without = [await heal("server-1"), await heal("server-4")];
  const [badBefore, mbBefore] = [await member(BAD), await memoryMb()];
  const during: number[] = [];
  for (const { what, order, victims } of attacks) {
    await writeFile(orders, `${order}\n`);
    for (const victim of victims) during.push(await heal(victim));
    await eventually(`the end of ${what}`, () => isOver(order), ATTACK_MS_MAX);
    t.diagnostic(
      `${what}: ${victims.join(" and ")} back after ${during.slice(-victims.length).join(" and ")} ms; ${await memoryMb()} MB`,
    );
  }
  const [peak, slowest] = [await peakMb(), Math.max(...during)];
  t.diagnostic(`without: ${without.join(" and ")} ms; the watchdog had ${mbBefore} MB before, and ${peak} MB at most`);
  assert.deepEqual(await member(BAD), badBefore, "nothing of what it forged was believed");
  assert.ok(
    (await rows()).every(({ step }) => step === null),
    "nobody is suspected, nothing waits",
  );
  assert.ok(peak - mbBefore < MEMORY_MB_MAX, `${peak - mbBefore} MB more`);
  // It shares the processor with whoever screams.
  assert.ok(slowest < 2 * Math.max(...without) + 500, `${slowest} ms, and ${without.join(" and ")} ms without`);
});
