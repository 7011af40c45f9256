// The client against the whole system as processes: what it counts is what the tiers' metrics count, also while a server is killed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { within } from "../tools/eventually.ts";
import { series } from "../tools/http/metrics.ts";
import { run } from "../tools/process/run.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";

interface Counted {
  readonly answered: number;
  readonly failed: number;
  readonly ways: readonly { readonly proxy: string; readonly server: string; readonly count: number }[];
}

/** Requests that a tier has answered, of whatever method and status. */
async function requestsAt(system: ProcessSystem, id: string): Promise<number> {
  const { adminPort } = (await system.member(id)) ?? {};
  const counts = [...(await series(adminPort as number))].filter(([name]) => /^evenkeel_requests_total\b/.test(name));
  return counts.reduce((sum, [, count]) => sum + count, 0);
}

function viaProxy(ways: Counted["ways"], wanted: string): number {
  return ways.filter(({ proxy }) => proxy === wanted).reduce((sum, { count }) => sum + count, 0);
}

test("the client's totals are the metrics', at the balancer and at each proxy, and a killed server fails nothing", async (t) => {
  const system = await startSystem(t);
  const ids = ["balancer", "proxy-1", "proxy-2"];
  const before = await Promise.all(ids.map((id) => requestsAt(system, id)));
  const words = ["7", "--requests", "3000", "--concurrency", "20", "--json"];
  const environment = { BALANCER_URL: `http://127.0.0.1:${system.balancerPort}` };
  const { code, stdout, stderr } = await within(
    60_000,
    "its end",
    run(t, "services/client/client", environment, words).ended,
  );
  assert.deepEqual([code, stderr], [0, ""]);
  const { answered, ways }: Counted = JSON.parse(stdout);
  assert.equal(answered, 3_000);
  const after = await Promise.all(ids.map((id) => requestsAt(system, id)));
  const counted = after.map((count, index) => count - (before[index] as number));
  assert.deepEqual(counted, [3_000, viaProxy(ways, "proxy-1"), viaProxy(ways, "proxy-2")]);
  assert.equal(new Set(ways.map(({ server }) => server)).size, 6);

  const running = run(t, "services/client/client", environment, ["7", "--duration", "3s", "--rate", "200", "--json"]);
  await system.healsAfter("SIGKILL", "server-4");
  const killed = await within(60_000, "its end", running.ended);
  assert.equal(killed.code, 0, killed.stdout);
  assert.equal((JSON.parse(killed.stdout) as Counted).failed, 0);
});
