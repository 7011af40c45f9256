// The watchdog apart from its guardian, in containers as docker-compose.yml makes them: what the watchdog's process holds, what it can
// reach, that it is killed and started all the same, and that what an earlier watchdog left, which was root, goes on.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { openBrowser, openPage } from "../tools/browser/browser.ts";
import { type ComposeSystem, emptyProject } from "../tools/compose/system.ts";
import { docker, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { whyNo } from "../tools/process/programs.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

/** Of the whole system, what one group needs. */
const MEMBERS = ["balancer", "proxy-1", "server-1", "server-2"];
const WITHIN_MS = 60_000;
const SHOWN = { timeout: WITHIN_MS };
/** As the image's WATCHDOG_USER has it. */
const AS_WATCHDOG = ["--user", "1000:8404"];
const DIRECTORY = "/run/evenkeel";

const scope = fileScope();
let system: ComposeSystem;

before(async () => {
  if (skip !== false) return;
  system = await emptyProject(scope);
  await system.must("up", "--build", "--wait", "--no-deps", ...MEMBERS, "watchdog");
});

const inside = (user: readonly string[], service: string, script: string) =>
  system.compose("exec", "-T", ...user, service, "sh", "-c", script);
/** Process 1 is an init; its child is the guardian, and that one's the watchdog. */
const GUARDIAN = "$(cat /proc/1/task/1/children | tr -d ' ')";
const WATCHDOG = `$(cat /proc/${GUARDIAN}/task/${GUARDIAN}/children | tr -d ' ')`;

async function statusOf(process: string): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await inside([], "watchdog", `cat /proc/${process}/status`);
  return new Map(stdout.split("\n").map((line) => line.split(/:\s+/, 2) as [string, string]));
}

const log = async () => (await docker("logs", (await system.container("watchdog")).Id)).split("\n");
const events = async (event: string) => (await log()).filter((line) => line.includes(`"event":"${event}"`));

test("the guardian is root with two capabilities; the watchdog is node with none, and gets none back", {
  skip,
}, async () => {
  const [guardian, watchdog] = [await statusOf(GUARDIAN), await statusOf(WATCHDOG)];
  const rights = (status: ReadonlyMap<string, string>) =>
    ["Uid", "Gid", "CapEff", "CapPrm", "NoNewPrivs"].map((name) => status.get(name)?.split("\t")[0]);
  const setuidSetgid = "00000000000000c0";
  const none = "0000000000000000";
  assert.deepEqual(rights(guardian), ["0", "0", setuidSetgid, setuidSetgid, "1"]);
  assert.deepEqual(rights(watchdog), ["1000", "8404", none, none, "1"]);
  assert.equal(watchdog.get("Groups")?.trim() ?? "", "");
});

test("who has broken into the watchdog reaches no raw socket, no chaos, and not what its guardian keeps", {
  skip,
}, async () => {
  const reach = (path: string) =>
    `node -e 'require("net").connect("${path}").on("error", (e) => console.log(e.code)).on("connect", () => console.log("open"))'`;
  const said = async (script: string) => (await inside(AS_WATCHDOG, "watchdog", script)).stdout.trim();
  assert.equal(await said(reach("/var/run/docker.sock")), "EACCES");
  assert.equal(await said(reach("/tmp/evenkeel/chaos.sock")), "ENOENT");
  assert.equal(await said(`cat /proc/${GUARDIAN}/environ || echo refused`), "refused");
  assert.equal(await said(`kill -KILL ${GUARDIAN} || echo refused`), "refused");
  assert.equal(await said(`ls ${DIRECTORY}/guardian || echo refused`), "refused");
  assert.equal(await said(`mv ${DIRECTORY}/guardian ${DIRECTORY}/mine || echo refused`), "refused");
  assert.equal(await said(`rm /tmp/evenkeel/engine.sock || echo refused`), "refused");
});

test("a call that no watchdog makes is refused, with a line in the log", { skip }, async () => {
  const call = `node -e 'require("http").get({ socketPath: "/tmp/evenkeel/engine.sock", path: "/images/json", agent: false }, (r) => console.log(r.resume().statusCode))'`;
  assert.equal((await inside(AS_WATCHDOG, "watchdog", call)).stdout.trim(), "403");
  const [line = ""] = await eventually("a line", async () => {
    const lines = await events("call-refused");
    return lines.length > 0 ? lines : undefined;
  });
  assert.match(line, /"level":"warn".*"method":"GET","target":"\/images\/json","reason":"no such call is made"/);
});

test("members, which are node too, read the registry and nothing else there", { skip }, async () => {
  const { code, stdout } = await inside([], "server-1", `cat ${DIRECTORY}/registry.json`);
  assert.deepEqual([code, JSON.parse(stdout).schema], [0, 1]);
  for (const name of ["templates", "incidents", "lease", "guardian"]) {
    assert.notEqual((await inside([], "server-1", `ls ${DIRECTORY}/${name}`)).code, 0, name);
  }
});

test("a watchdog that hangs is killed by its guardian, which is another user, and the next one heals", {
  skip,
}, async () => {
  assert.equal((await inside(AS_WATCHDOG, "watchdog", `kill -STOP ${WATCHDOG}`)).code, 0);
  await eventually("it is respawned", async () => (await events("watchdog-respawned")).length > 0, WITHIN_MS);
  await heals("server-1");
});

test("in a browser a killed container turns and its incident comes, and a restarted watchdog is missed, and is back", {
  skip: skip || whyNo("chromium"),
}, async (t) => {
  const url = `http://127.0.0.1:${system.watchdogPort}/`;
  const { page, context, complaints } = await openPage(await openBrowser(t), url, { scheme: "light", width: 1280 });
  t.after(() => context.close());
  await page.getByRole("heading", { name: "Serving" }).waitFor(SHOWN);
  // Gone if the page is loaded anew.
  await page.evaluate("window.loadedOnce = true");
  const healed = page.locator(".timeline > li", { hasText: "server-1: it exited with code 137" });
  const before = await healed.count();
  await docker("kill", (await system.container("server-1")).Id);
  await page.locator("#member-server-1:not(.good)").waitFor(SHOWN);
  await healed.nth(before).getByText("healed in").waitFor(SHOWN);
  await page.locator("#member-server-1.good").waitFor(SHOWN);
  const missed = page.getByText(/Watchdog unreachable since .* UTC; traffic goes on/).waitFor(SHOWN);
  await docker("restart", (await system.container("watchdog")).Id);
  await missed;
  await page.getByRole("heading", { name: "Serving" }).waitFor(SHOWN);
  await page.locator(".banner").waitFor({ ...SHOWN, state: "detached" });
  assert.equal(await page.evaluate("window.loadedOnce"), true);
  assert.deepEqual(complaints, []);
});

test("what an earlier watchdog left as root goes on: its registry, its templates", { skip }, async () => {
  const before = await version();
  await system.must("stop", "watchdog");
  const { Id } = await system.container("watchdog");
  // As it was left by one that was root itself, in directories of its own.
  const asItWas = `chown -R 0:0 ${DIRECTORY} && chmod 755 ${DIRECTORY} && chmod 700 ${DIRECTORY}/*/ && rm -rf ${DIRECTORY}/guardian`;
  await docker(
    "run",
    "--rm",
    "--user",
    "0:0",
    "--volumes-from",
    Id,
    "--entrypoint",
    "sh",
    "node:26-bookworm-slim",
    "-c",
    asItWas,
  );
  await system.must("start", "watchdog");
  await heals("server-2");
  assert.ok((await version()) > before);
  assert.deepEqual(await events("rounds-failing"), []);
});

test("with the capabilities of an earlier Compose file it heals as before, and a line says what to change", {
  skip,
}, async () => {
  const file = join(await temporaryDirectory(scope), "earlier.yml");
  await writeFile(file, "services: { watchdog: { cap_add: !override [] } }\n");
  const earlier = system.with([file]);
  await earlier.must("up", "--wait", "--no-deps", "watchdog");
  const [line = ""] = await events("watchdog-unseparated");
  assert.match(line, /give it user: \\"0:0\\" and cap_add: \[SETUID, SETGID\]/);
  await heals("server-1");
});

async function version(): Promise<number> {
  return (JSON.parse(await system.watchdog("/api/state")) as { registry: { version: number } }).registry.version;
}

async function heals(slot: string): Promise<void> {
  await system.serves();
  await system.healsAfter(slot, () => system.must("kill", slot));
  await system.settled(MEMBERS.length + 1);
  assert.deepEqual(
    (await events("call-refused")).filter((line) => !line.includes("/images/json")),
    [],
  );
}
