// The lease on real files: as many contenders as there are, one leads at a time, whatever becomes of the others; in one
// process, and as processes that are killed and frozen. Its rules as a table, and as a walk of watchdogs that stall anywhere.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { holderId } from "../../watchdog/leader/holder.ts";
import { openLease } from "../../watchdog/leader/lease.ts";
import { eventually, throughout, within } from "../tools/eventually.ts";
import { recordedLog } from "../tools/log.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const HOLDER = fileURLToPath(new URL("../tools/watchdog/lease-holder.ts", import.meta.url));
const LEADS_WITHIN_MS = 10_000;
/** An unchanged claim is taken after 2 s: what comes sooner did not wait for that. */
const AT_ONCE_MS = 1_500;

/** How to end what has a lease beside each registry. */
const ends = new Map<string, (() => Promise<unknown>)[]>();

function atEnd(registryFile: string, end: () => Promise<unknown>): void {
  ends.set(registryFile, [...(ends.get(registryFile) ?? []), end]);
}

async function registryIn(t: TestContext): Promise<string> {
  // Leases first: one that still renews would put back what is being removed. Hooks run in the order in which they were made.
  t.after(async () => {
    await Promise.all((ends.get(registryFile) ?? []).map((end) => end()));
  });
  const registryFile = join(await temporaryDirectory(t), "registry.json");
  return registryFile;
}

async function leaseOf(registryFile: string, id: string, hasEnded = async (_holder: string) => false) {
  const { log, events } = recordedLog();
  const stopping = new AbortController();
  const lease = await openLease({ registryFile, id, hasEnded, log, stop: stopping.signal });
  const leading = lease.lead();
  leading.catch(() => {});
  atEnd(registryFile, () => lease.release());
  return { lease, leading, events, stop: () => stopping.abort(new Error("told to stop")) };
}

const claimsIn = (registryFile: string) => readdir(join(registryFile, "../lease"));

test("the first one leads at once, with epoch 1, and goes on to hold", async (t) => {
  const { lease, leading } = await leaseOf(await registryIn(t), "one");
  assert.equal(lease.held(), false);
  assert.equal(await within(AT_ONCE_MS, "the lease", leading), 1);
  await throughout(1_800, () => assert.ok(lease.held()));
  assert.deepEqual(lease.leader(), { id: "one", epoch: 1 });
});

test("of five that claim at once exactly one leads, and it alone holds", async (t) => {
  const registryFile = await registryIn(t);
  const five = await Promise.all(["a", "b", "c", "d", "e"].map((id) => leaseOf(registryFile, id)));
  const held = () => five.filter(({ lease }) => lease.held());
  await within(LEADS_WITHIN_MS, "a leader", Promise.race(five.map(({ leading }) => leading)));
  const [first] = held();
  await throughout(3_000, () => assert.deepEqual(held(), [first]));
  const leader = first?.lease.leader();
  for (const { lease } of five) assert.deepEqual(lease.leader(), leader);
});

test("a standby leads at once after a release, with the next epoch, and the claims before are gone", async (t) => {
  const registryFile = await registryIn(t);
  const one = await leaseOf(registryFile, "one");
  await one.leading;
  const two = await leaseOf(registryFile, "two");
  await eventually("the standby has seen the leader", () => two.lease.leader()?.id === "one");
  await one.lease.release();
  assert.equal(one.lease.held(), false);
  assert.equal(await within(AT_ONCE_MS, "the lease", two.leading), 2);
  await eventually("one claim is left", async () => (await claimsIn(registryFile)).length === 1);
  assert.deepEqual(await claimsIn(registryFile), ["000002.json"]);
});

test("a release is no loss", async (t) => {
  const { lease, leading } = await leaseOf(await registryIn(t), "one");
  await leading;
  await lease.release();
  assert.equal(lease.lost.aborted, false);
  assert.equal(lease.leader(), undefined);
});

test("a standby that is told to stop gives up, and a leader keeps its lease until it releases it", async (t) => {
  const registryFile = await registryIn(t);
  const one = await leaseOf(registryFile, "one");
  await one.leading;
  const two = await leaseOf(registryFile, "two");
  two.stop();
  one.stop();
  await assert.rejects(two.leading, /told to stop/);
  await throughout(2_000, () => assert.ok(one.lease.held()));
});

test("files that are no claims are no obstacle, and broken claims no more than two seconds of one", async (t) => {
  const registryFile = await registryIn(t);
  const directory = join(registryFile, "../lease");
  await mkdir(join(directory, "000009.json"), { recursive: true });
  const broken = { "000003.json": "", "000007.json": '{"id":', "000004.json": '{"id":7}', "notes.json": "{}" };
  for (const [name, text] of Object.entries(broken)) await writeFile(join(directory, name), text);
  const { lease, leading } = await leaseOf(registryFile, "one");
  assert.equal(await within(LEADS_WITHIN_MS, "the lease", leading), 10);
  assert.ok(lease.held());
  await eventually("old claims are removed", async () => (await claimsIn(registryFile)).length === 3);
  assert.deepEqual((await claimsIn(registryFile)).sort(), ["000009.json", "000010.json", "notes.json"]);
});

test("a leader whose directory is removed makes its claim again, and its standby goes on waiting", async (t) => {
  const registryFile = await registryIn(t);
  const one = await leaseOf(registryFile, "one");
  await one.leading;
  const two = await leaseOf(registryFile, "two");
  await eventually("the standby has seen the leader", () => two.lease.leader()?.id === "one");
  await rm(join(registryFile, "../lease"), { recursive: true });
  await eventually("the claim is back", async () => (await claimsIn(registryFile).catch(() => [])).length === 1);
  await throughout(3_000, () => assert.deepEqual([one.lease.held(), two.lease.held()], [true, false]));
});

test("a directory that cannot be read for a while is told once, and costs the hold but not the lease", async (t) => {
  const registryFile = await registryIn(t);
  const { lease, leading, events } = await leaseOf(registryFile, "one");
  await leading;
  const directory = join(registryFile, "../lease");
  await rm(directory, { recursive: true });
  await writeFile(directory, "");
  await eventually("the hold runs out", () => !lease.held());
  await throughout(1_200, () => assert.equal(lease.held(), false));
  await rm(directory);
  await eventually("it holds again", () => lease.held());
  const told = events.map(({ event }) => event).filter((event) => event !== "lease-acquired");
  assert.deepEqual(told, ["lease-failing", "lease-recovered"]);
  assert.equal(lease.lost.aborted, false);
});

/** A process with a lease, and what it told. */
interface Holder {
  readonly child: ChildProcess;
  readonly lines: readonly Told[];
}

interface Told {
  readonly event: "opened" | "leads" | "act" | "lost";
  readonly id: string;
  readonly epoch?: number;
  readonly atNs?: string;
}

async function holder(registryFile: string, id: string): Promise<Holder> {
  const child = spawn(process.execPath, ["--import", "tsx", HOLDER, registryFile, id], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  atEnd(registryFile, () => {
    child.kill("SIGKILL");
    return exited;
  });
  const lines: Told[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.endsWith("}")) lines.push(JSON.parse(line));
  });
  await eventually(`${id} is there`, () => lines.length > 0, LEADS_WITHIN_MS);
  return { child, lines };
}

const has = ({ lines }: Holder, event: Told["event"]) => lines.some((line) => line.event === event);
const acts = ({ lines }: Holder) => lines.filter(({ event }) => event === "act");

async function leaderOf(holders: readonly Holder[]): Promise<Holder> {
  const leads = () => holders.find((each) => has(each, "leads"));
  return eventually("one leads", leads, LEADS_WITHIN_MS);
}

/** Each act of an epoch comes before all of the next epoch: nobody acted who had been followed. */
function assertOneAtATime(holders: readonly Holder[]): void {
  const all = holders.flatMap(acts).sort((a, b) => Number(BigInt(a.atNs as string) - BigInt(b.atNs as string)));
  const epochs = all.map(({ epoch }) => epoch as number);
  assert.deepEqual(
    epochs,
    epochs.toSorted((a, b) => a - b),
  );
  const holdersOf = new Map(all.map(({ epoch, id }) => [epoch, id]));
  for (const { epoch, id } of all) assert.equal(id, holdersOf.get(epoch));
}

test("of three processes the next one leads within three seconds of the leader's kill, one at a time", async (t) => {
  const registryFile = await registryIn(t);
  const holders = await Promise.all(["a", "b", "c"].map((id) => holder(registryFile, id)));
  let waiting: readonly Holder[] = holders;
  for (let kills = 0; kills < 2; kills += 1) {
    const leader = await leaderOf(waiting);
    await eventually("it acts", () => acts(leader).length > 10);
    const exited = once(leader.child, "exit");
    leader.child.kill("SIGKILL");
    await exited;
    const killedAt = performance.now();
    waiting = waiting.filter((each) => each !== leader);
    await leaderOf(waiting);
    const tookMs = performance.now() - killedAt;
    t.diagnostic(`led after ${Math.round(tookMs)} ms`);
    assert.ok(tookMs < 3_000, `${tookMs} ms`);
  }
  await eventually("the last one acts", () => acts(waiting[0] as Holder).length > 10);
  assertOneAtATime(holders);
});

test("a frozen leader that comes back has lost before it acts", async (t) => {
  const registryFile = await registryIn(t);
  const holders = await Promise.all(["a", "b"].map((id) => holder(registryFile, id)));
  const frozen = await leaderOf(holders);
  await eventually("it acts", () => acts(frozen).length > 10);
  frozen.child.kill("SIGSTOP");
  const next = await leaderOf(holders.filter((each) => each !== frozen));
  await eventually("the next one acts", () => acts(next).length > 10);
  frozen.child.kill("SIGCONT");
  await eventually("it knows", () => has(frozen, "lost"));
  const actsNow = acts(next).length;
  await eventually("the next one goes on", () => acts(next).length > actsNow + 50);
  assertOneAtATime(holders);
});

test("a leader that releases and leaves is followed at once by another process", async (t) => {
  const registryFile = await registryIn(t);
  const holders = await Promise.all(["a", "b"].map((id) => holder(registryFile, id)));
  const leader = await leaderOf(holders);
  const exited = once(leader.child, "exit");
  leader.child.stdin?.write("release\n");
  assert.deepEqual(await exited, [0, null]);
  const next = holders.filter((each) => each !== leader);
  await within(AT_ONCE_MS, "the next leader", leaderOf(next));
});

test("a watchdog of the same name takes over the lease of its killed self at once, and another one does not", async (t) => {
  const registryFile = await registryIn(t);
  const killed = await holder(registryFile, "same");
  await leaderOf([killed]);
  const exited = once(killed.child, "exit");
  killed.child.kill("SIGKILL");
  await exited;
  const other = await leaseOf(registryFile, "other");
  const same = await leaseOf(registryFile, "same");
  assert.equal(await within(AT_ONCE_MS, "the lease", same.leading), 2);
  assert.deepEqual([same.lease.held(), other.lease.held()], [true, false]);
});

test("where members are processes two guardians give two names, and one guardian always the same", async () => {
  const named = (GUARDED: string) => holderId({ ENGINE: "process", GUARDED });
  assert.equal(await named("one"), await named("one"));
  assert.notEqual(await named("one"), await named("two"));
});

test("a leader that is late is asked about: when it has ended, the next one leads before its time would be over", async (t) => {
  const registryFile = await registryIn(t);
  const directory = join(registryFile, "../lease");
  await mkdir(directory, { recursive: true });
  const claim = JSON.stringify({ id: "dead", led: true, released: false, count: 9, pid: 1 });
  await writeFile(join(directory, "000004.json"), claim.padEnd(256));
  const asked: string[] = [];
  const { leading } = await leaseOf(registryFile, "one", async (holder) => {
    asked.push(holder);
    return true;
  });
  assert.equal(await within(AT_ONCE_MS, "the lease", leading), 5);
  assert.deepEqual(asked, ["dead"]);
});
