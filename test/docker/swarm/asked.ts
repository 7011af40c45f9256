// What the watchdog asks its manager, all that time: GETs alone, by way of a recorder of its socket; what that costs while nothing
// happens; and who may give it orders, by a secret of Swarm's.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { throughout } from "../../tools/eventually.ts";
import { wallMs } from "../../tools/load/timed-load.ts";
import { must } from "../../tools/process/programs.ts";
import { type StackTask, type SwarmStage, TOKEN } from "../../tools/swarm/stage.ts";
import type { StackFact } from "./updates.ts";

const IDLE_MS = 5_000;
const CPU = "cat /sys/fs/cgroup/cpu.stat 2>/dev/null || cat /sys/fs/cgroup/cpuacct/cpuacct.usage";

async function getsAlone(t: TestContext, stage: SwarmStage): Promise<void> {
  const [watchdog] = await stage.tasks("watchdog");
  const container = await stage.container(watchdog as StackTask);
  // What asking for it costs itself.
  const [first, second] = [await cpuMsOf(container), await cpuMsOf(container)];
  const before = { cpuMs: await cpuMsOf(container), atMs: wallMs(), requests: stage.socket.requests.length };
  await throughout(IDLE_MS, () => {});
  const share = ((await cpuMsOf(container)) - before.cpuMs - (second - first)) / (wallMs() - before.atMs);
  const { requests } = stage.socket;
  const paths = requests.slice(before.requests).map((line) => line.replace(/\/v[\d.]+|\?.*|[a-z0-9]{25}/g, ""));
  t.diagnostic([...new Set(paths)].map((path) => `${path} ${paths.filter((each) => each === path).length}`).join(", "));
  t.diagnostic(
    `idle: ${(share * 100).toFixed(1)} % of a core, ${requests.length - before.requests} requests in ${IDLE_MS} ms`,
  );
  assert.ok(requests.some((line) => line.includes("/tasks?")));
  assert.deepEqual(
    requests.filter((line) => !line.startsWith("GET ")),
    [],
  );
}

/** Of its control group, of either version. */
async function cpuMsOf(container: string): Promise<number> {
  const { stdout } = await must("docker", ["exec", container, "sh", "-c", CPU]);
  const [, microseconds] = /^usage_usec (\d+)/.exec(stdout) ?? [];
  return microseconds === undefined ? Number(stdout) / 1e6 : Number(microseconds) / 1e3;
}

async function ordersByToken(_t: TestContext, stage: SwarmStage): Promise<void> {
  const [front] = await stage.tasks("balancer");
  const [{ member } = { member: "" }] = await stage.tasks("server");
  const order = async (token: string) => {
    const ask = `fetch("http://watchdog:8404/api/slots/${member}/weight", { method: "POST", body: '{"weight":null}',
      headers: { "Content-Type": "application/json", Authorization: "Bearer ${token}" } }).then(({ status }) => console.log(status))`;
    const container = await stage.container(front as StackTask);
    const engine = stage.engine((front as StackTask).node);
    return (await must("docker", [...engine, "exec", container, "node", "-e", ask])).stdout.trim();
  };
  assert.equal(await order(TOKEN), "200");
  assert.equal(await order(`${TOKEN}x`), "403");
}

export const asked: readonly StackFact[] = [
  ["the watchdog has asked its manager by GETs alone", getsAlone],
  ["orders from another host are taken with the token that stands in a secret", ordersByToken],
];
