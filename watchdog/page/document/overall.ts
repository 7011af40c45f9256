// Pure. The state of all in a word, the worst that any part of it deserves, and of each pool. What nobody has looked at yet is unknown,
// never well.

import type { Registry } from "../../../services/registry/document.ts";
import { takesTraffic } from "../../../services/runtime/roles.ts";
import type { MemberShown, Overview, PoolShown } from "./document.ts";

export function poolsShown(members: readonly MemberShown[], { pools = [] }: Pick<Registry, "pools">): PoolShown[] {
  const names = new Set(members.flatMap(({ pool }) => pool ?? []));
  return [...names].map((name) => {
    const own = members.filter(({ pool }) => pool === name);
    const serving = own.filter(({ severity }) => severity === "good").length;
    const routes = pools.find((pool) => pool.name === name)?.routes ?? [];
    return {
      name,
      kind: own.some(({ role }) => role === "worker") ? "workers" : "servers",
      services: [...new Set(own.map(({ service }) => service))],
      routes: routes.map(({ host = "", path }) => `${host}${path}`),
      serving,
      of: own.length,
      word: wordOf(own, serving),
      paused: own.some(({ paused }) => paused),
    };
  });
}

/** What was stopped on purpose is nobody's failure, and serves nobody. */
function wordOf(own: readonly MemberShown[], serving: number): PoolShown["word"] {
  if (own.every(({ severity }) => severity === "off")) return "stopped";
  if (serving === 0) return "outage";
  return own.every(({ severity }) => severity === "good" || severity === "off") ? "serving" : "degraded";
}

type Judged = Pick<Overview, "word" | "reason">;

/** @param failing why the watchdog's rounds fail: what it says is of before then */
export function overallOf(
  members: readonly MemberShown[],
  pools: readonly PoolShown[],
  failing: string | undefined,
): Judged {
  if (members.length === 0) return { word: "unknown", reason: failing ?? "the watchdog has yet to look" };
  const taking = members.filter(({ role }) => takesTraffic(role));
  if (taking.length === 0) return { word: "unknown", reason: "no member takes traffic" };
  const outage = outageOf(members, pools);
  if (outage !== undefined) return { word: "outage", reason: outage };
  if (failing !== undefined) return { word: "unknown", reason: `the watchdog's rounds fail: ${failing}` };
  const count = taking.filter(({ severity }) => severity === "good").length;
  const all = `${count} of ${taking.length} members serve`;
  const odd = members.filter(({ severity }) => severity === "odd" || severity === "bad");
  const stopped = pools.find(({ word, kind }) => word === "stopped" && kind === "servers");
  if (odd.length === 0 && stopped === undefined) return { word: "serving", reason: all };
  const [first] = odd;
  const why = first === undefined ? `${stopped?.name} was stopped on purpose` : `${first.id} is ${first.status}`;
  const more = odd.length > 1 ? `, and ${odd.length - 1} more` : "";
  return { word: "degraded", reason: `${all}: ${why}${more}` };
}

/** Without proxies the balancer forwards to the servers by itself. @returns why requests fail; undefined: none has to */
function outageOf(members: readonly MemberShown[], pools: readonly PoolShown[]): string | undefined {
  const fronts = members.filter(({ role }) => role === "balancer");
  const down = fronts.find(({ severity }) => severity === "bad" || severity === "off");
  if (down !== undefined && !fronts.some(({ severity }) => severity === "good")) return `${down.id} is ${down.status}`;
  const servers = pools.filter(({ kind }) => kind === "servers");
  const out = servers.filter(({ word }) => word === "outage");
  const [first] = out;
  if (first !== undefined)
    return `${first.name}: none of ${first.of} serves${out.length > 1 ? `, and ${out.length - 1} more pools` : ""}`;
  const allStopped = servers.length > 0 && servers.every(({ word }) => word === "stopped");
  return allStopped ? "every server was stopped on purpose" : undefined;
}
