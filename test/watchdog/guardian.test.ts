// The watchdog's parent, on real processes: whatever becomes of the watchdog, another one serves; whatever becomes of the
// guardian, nothing is left behind. Its rules as a table.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { exitCode } from "../../services/runtime/exit.ts";
import { MEMBER_OPTIONS } from "../../watchdog/engines/process/children.ts";
import { SMALL_NEW_SPACE } from "../../watchdog/guardian/child.ts";
import {
  afterEnd,
  isStalled,
  respawnDelayMs,
  shortRuns,
  type WatchdogEnd,
  type WatchdogRun,
} from "../../watchdog/guardian/rules.ts";
import { eventually, within } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { freePort, takenPort } from "../tools/ports.ts";
import { exists } from "../tools/process/pids.ts";
import { run } from "../tools/process/run.ts";
import { startSystem } from "../tools/process/system.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope, type Scope } from "../tools/scope.ts";

const MAIN = fileURLToPath(new URL("../../dist/services/main.js", import.meta.url));
const GONE_WITHIN_MS = 20_000;
const ENDS_WITHIN_MS = 20_000;
const PROCESSES = 10;
/** It holds 8 to 12 MB; with what checks settings it would be past this. */
const GUARDIAN_KB_MAX = 15_000;
const noProc = !existsSync("/proc/self/smaps_rollup") && "no /proc/PID/smaps_rollup here";
const BY_HAND = { first: true, stopping: false };

const HANDED_OVER: WatchdogEnd = { kind: "exited", code: exitCode.handedOver };

const scope = fileScope();
const system = await startSystem(scope);

test("a killed watchdog is respawned, and the system serves again", async () => {
  const killed = system.pid("watchdog");
  await system.respawnsAfter(() => void process.kill(killed, "SIGKILL"));
  assert.notEqual(system.pid("watchdog"), killed);
  assert.equal((await ask(system.balancerPort)).status, 200);
  assert.deepEqual(system.respawns, ["it was ended by SIGKILL"]);
});

test("a watchdog whose event loop does not turn is killed and respawned", async () => {
  const frozen = system.pid("watchdog");
  await system.respawnsAfter(() => void process.kill(frozen, "SIGSTOP"));
  assert.equal(exists(frozen), false);
  assert.equal((await ask(system.balancerPort)).status, 200);
  assert.match(String(system.respawns[1]), /^its event loop stalled: no heartbeat for \d+ s$/);
});

test("what the watchdogs before have left is gone", async () => {
  await eventually("ten processes are left", () => system.alive().length === PROCESSES, GONE_WITHIN_MS);
});

test("SIGTERM to the guardian ends watchdog and members in order, with code 0", async () => {
  const stopped = system.stopped.length;
  assert.equal(await system.end("SIGTERM"), 0);
  assert.deepEqual(system.alive(), []);
  const order = ["balancer", ...Array(2).fill("proxy"), ...Array(6).fill("server"), "watchdog"];
  await eventually("all have said so", () => system.stopped.length >= stopped + order.length);
  assert.deepEqual(system.stopped.slice(stopped), order);
});

test("the guardian is small, its watchdog's heap is kept small too, and each member's as in the image", {
  skip: noProc,
}, async (t) => {
  const own = await startSystem(t);
  const commandOf = (pid: number) => readFile(`/proc/${pid}/cmdline`, "utf8");
  const limits = async (pid: number) =>
    (await commandOf(pid)).split("\0").filter((word) => /^--(max-semi-space|v8-pool)-size/.test(word));
  assert.deepEqual(await limits(own.pid("watchdog")), [SMALL_NEW_SPACE]);
  assert.deepEqual(await limits(own.pid("server-1")), [...MEMBER_OPTIONS]);
  const image = /NODE_OPTIONS="([^"]*)"/.exec(await readFile("Dockerfile", "utf8"))?.[1];
  assert.equal(image, MEMBER_OPTIONS.join(" "));
  if ((await commandOf(own.guardian)).includes("tsx"))
    return t.skip("what compiles the sources is larger than the guardian");
  const smaps = await readFile(`/proc/${own.guardian}/smaps_rollup`, "utf8");
  const ownKb = Number(/^Anonymous: +(\d+) kB$/m.exec(smaps)?.[1]);
  t.diagnostic(`the guardian holds ${ownKb} kB of its own`);
  assert.ok(ownKb > 0 && ownKb < GUARDIAN_KB_MAX, `${ownKb} kB`);
});

test("a killed guardian leaves no process behind", async (t) => {
  const own = await startSystem(t);
  assert.equal(own.alive().length, PROCESSES);
  await own.end("SIGKILL");
  await eventually("no process is left", () => own.alive().length === 0, GONE_WITHIN_MS);
});

test("Ctrl-C, which a terminal sends to all of a group and npm once more, is one orderly stop", async (t) => {
  const environment = await settings(t);
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  t.after(() => void child.kill("SIGKILL"));
  let stdout = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  const exited = once(child, "close");
  await eventually("all serve", () => stdout.includes('"event":"ready"'), 30_000);
  process.kill(-(child.pid as number), "SIGINT");
  child.kill("SIGINT");
  assert.deepEqual(await within(ENDS_WITHIN_MS, "the end of the guardian", exited), [0, null]);
  assert.equal(stdout.match(/"event":"stopped"/g)?.length, PROCESSES);
});

test("a refusal to start is passed on with its code and its one line, and not tried again", async (t) => {
  const WATCHDOG_PORT = String(await takenPort(t));
  const { ended } = run(t, "main", { ...(await settings(t)), WATCHDOG_PORT });
  const { code, stdout, stderr } = await within(ENDS_WITHIN_MS, "the end of the guardian", ended);
  assert.equal(code, exitCode.portTaken);
  assert.match(stderr, new RegExp(`^evenkeel: port ${WATCHDOG_PORT} .*set WATCHDOG_PORT.*\n$`));
  assert.doesNotMatch(stdout, /watchdog-respawned/);
});

test("faulty settings are passed on with 78 and a line for each, and not tried again", async (t) => {
  const { ended } = run(t, "main", { ROLE: "watchdog", PROBE_FAILURES: "0", LOG_LEVEL: "loud" });
  const { code, stdout, stderr } = await within(ENDS_WITHIN_MS, "the end of the guardian", ended);
  assert.equal(code, exitCode.settings);
  assert.match(stderr, /^evenkeel: PROBE_FAILURES="0".*\nevenkeel: LOG_LEVEL="loud".*\n$/);
  assert.equal(stdout, "");
});

test("an orderly end of the watchdog is the guardian's own", async (t) => {
  const own = await startSystem(t);
  const ended = own.ended();
  process.kill(own.pid("watchdog"), "SIGTERM");
  assert.equal(await within(ENDS_WITHIN_MS, "the end of the guardian", ended), 0);
  assert.deepEqual(own.respawns, []);
});

test("a guardian with STOP_WITH_STDIN stops when its own stdin closes", async (t) => {
  const member = run(t, "main", { ...(await settings(t)), STOP_WITH_STDIN: "yes" });
  await member.event("listening", { role: "watchdog" });
  member.child.stdin?.end();
  const { code } = await within(ENDS_WITHIN_MS, "the end of the guardian", member.ended);
  assert.equal(code, 0);
});

const endings: readonly [
  what: string,
  WatchdogEnd,
  circumstances: Partial<typeof BY_HAND>,
  outcome: number | RegExp,
][] = [
  ["an orderly end", { kind: "exited", code: 0 }, {}, 0],
  ["a refusal of the first watchdog", { kind: "exited", code: 71 }, {}, 71],
  ["the highest refusal", { kind: "exited", code: 78 }, {}, 78],
  ["a refusal of a later one, whose way was free before", { kind: "exited", code: 71 }, { first: false }, /code 71/],
  ["a bug", { kind: "exited", code: 1 }, {}, /code 1$/],
  ["Node's own end, such as a full heap", { kind: "killed", signal: "SIGABRT", number: 6 }, {}, /SIGABRT/],
  ["a stall", { kind: "stalled", silentMs: 6_000 }, {}, /no heartbeat for 6 s/],
  ["a hand-over", HANDED_OVER, {}, /gave the lead back/],
  ["no process", { kind: "not-started", code: "EAGAIN" }, {}, /EAGAIN/],
  ["a bug while stopping", { kind: "exited", code: 1 }, { stopping: true }, 1],
  ["a kill while stopping", { kind: "killed", signal: "SIGKILL", number: 9 }, { stopping: true }, 137],
  ["a stall while stopping", { kind: "stalled", silentMs: 6_000 }, { stopping: true }, 137],
  ["no process while stopping", { kind: "not-started", code: "EAGAIN" }, { stopping: true }, 1],
];

for (const [what, ending, circumstances, outcome] of endings) {
  const leaves = typeof outcome === "number";
  test(`${what} ${leaves ? `makes the guardian leave with ${outcome}` : "is followed by another watchdog"}`, () => {
    const verdict = afterEnd(ending, { ...BY_HAND, ...circumstances });
    if (leaves) assert.deepEqual(verdict, { kind: "exit", code: outcome });
    else assert.match(verdict.kind === "respawn" ? verdict.reason : "", outcome);
  });
}

test("a watchdog is stalled after 5 s without a heartbeat, and after 20 s when there never was one", () => {
  assert.deepEqual([isStalled(5_000, true), isStalled(6_000, true)], [false, true]);
  assert.deepEqual([isStalled(20_000, false), isStalled(21_000, false)], [false, true]);
});

test("respawns come at once, then after 0.5 s doubled to 10 s, and at once again after a minute of life", () => {
  const delays: number[] = [];
  let lives: number | undefined;
  for (let n = 0; n < 8; n += 1) {
    lives = shortRuns(lives, crashedAfter(1_000));
    delays.push(respawnDelayMs(lives));
  }
  assert.deepEqual(delays, [0, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  assert.equal(respawnDelayMs(shortRuns(lives, crashedAfter(60_000))), 0);
});

test("a standby that gave the lead back is there again at once, however often it did within a minute", () => {
  let lives: number | undefined = shortRuns(undefined, { end: HANDED_OVER, ranMs: 30_000 });
  for (let n = 0; n < 6; n += 1) {
    lives = shortRuns(lives, { end: HANDED_OVER, ranMs: 8_000 });
    assert.equal(respawnDelayMs(lives), 0);
  }
  // One that gives it back as soon as it has it gains nothing by being quick.
  assert.equal(respawnDelayMs(shortRuns(lives, { end: HANDED_OVER, ranMs: 1_000 })), 500);
});

const crash = { kind: "exited", code: 1 } as const;
const lifeRows: readonly [what: string, ends: readonly WatchdogEnd[], most: number][] = [
  ["lives", [crash], 12],
  ["lives and hand-overs", [crash, HANDED_OVER], 18],
];

for (const [what, ends, most] of lifeRows) {
  test(`whatever ${what} a watchdog has, a minute sees at most ${most} of them begin`, () => {
    const run = fc.record({ end: fc.constantFrom(...ends), ranMs: fc.nat({ max: 70_000 }) });
    fc.assert(
      fc.property(fc.array(run, { minLength: 30, maxLength: 60 }), (lives) => {
        const begun = begunMs(lives);
        const counts = begun.map((from) => begun.filter((at) => at >= from && at < from + 60_000).length);
        assert.ok(Math.max(...counts) <= most, `${Math.max(...counts)} in a minute`);
      }),
    );
  });
}

function crashedAfter(ranMs: number): WatchdogRun {
  return { end: crash, ranMs };
}

/** When each next one begins. */
function begunMs(lives: readonly WatchdogRun[]): number[] {
  let nowMs = 0;
  let short: number | undefined;
  return lives.map((run) => {
    short = shortRuns(short, run);
    nowMs += run.ranMs + respawnDelayMs(short);
    return nowMs;
  });
}

async function settings(t: Scope): Promise<Record<string, string>> {
  const REGISTRY_FILE = `${await temporaryDirectory(t)}/registry.json`;
  const [BALANCER_PORT, WATCHDOG_PORT] = [String(await freePort()), String(await freePort())];
  return { ROLE: "watchdog", ENGINE: "process", BALANCER_PORT, WATCHDOG_PORT, REGISTRY_FILE };
}
