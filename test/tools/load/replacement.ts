// One member replaced under a steady load, and what that may cost: no GET fails, no POST is executed twice, and an orderly
// end loses nothing at all. The same facts for members that are processes and for members that are containers.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { type Load, loadOn, type Traffic } from "./load.ts";

/** 300 requests a second. */
const TRAFFIC: Traffic = { get: { perSecond: 200 }, post: { perSecond: 100 } };

/** In each server, before our own code: notes every POST that arrives and where, whatever becomes of it. */
const NOTE_ARRIVALS = `
  import { subscribe } from "node:diagnostics_channel";
  import { appendFileSync } from "node:fs";
  if (process.env.ROLE === "server") subscribe("http.server.request.start", ({ request }) => {
    if (request.method !== "POST") return;
    appendFileSync(process.env.ARRIVALS_FILE, request.url.replace(/.*=/, "") + " " + process.env.ID + "\\n");
  });
`;

/** The environment of servers that note in this file, which all of them can write. */
export function notingArrivals(file: string): Readonly<Record<"ARRIVALS_FILE" | "NODE_OPTIONS", string>> {
  const options = `--import=data:text/javascript,${encodeURIComponent(NOTE_ARRIVALS)}`;
  return { ARRIVALS_FILE: file, NODE_OPTIONS: options };
}

export interface Replacement {
  readonly member: string;
  /** Can it finish what it works on? Otherwise the POSTs that are with it are lost. */
  readonly orderly: boolean;
  /** Does it to the member, and returns when its slot serves again. */
  readonly replace: (load: Load) => Promise<unknown>;
}

export interface Stage {
  readonly balancerPort: number;
  /** The file of arrivals as it is. */
  readonly arrivals: () => Promise<string>;
}

/** For a test's name. */
export function costOf(orderly: boolean): string {
  return orderly ? "nothing at all" : "no GET, and of the POSTs only what it was working on";
}

/** Replaces it under load; the load passes it before and after. */
export async function assertReplaced(t: TestContext, stage: Stage, replacement: Replacement): Promise<void> {
  const { member, orderly, replace } = replacement;
  const startedMs = performance.now();
  const load = loadOn(t, stage.balancerPort, TRAFFIC);
  await load.more(20, member);
  await replace(load);
  await load.more(5, member);
  await load.more(100);
  await load.finish();

  const { get, post } = load;
  const seconds = (performance.now() - startedMs) / 1000;
  t.diagnostic(`${Math.round((get.sent.length + post.sent.length) / seconds)} requests a second`);
  t.diagnostic(`${get.sent.length} GETs, ${get.failed.size} failed, slowest ${Math.round(get.slowestMs)} ms`);
  t.diagnostic(`${post.sent.length} POSTs, ${post.failed.size} failed, slowest ${Math.round(post.slowestMs)} ms`);
  assert.deepEqual([...get.failed.values()], []);
  assert.equal(get.answered.length, get.sent.length);
  assertExecutedOnce(load, await stage.arrivals());
  if (orderly) assert.deepEqual([...post.failed.values()], []);
  else assertLostWith(member, load, await stage.arrivals());
}

/** Every POST that was answered arrived at one server, once; one that failed, at most once. */
function assertExecutedOnce({ post }: Load, arrivals: string): void {
  const servers = arrivedAt(arrivals);
  const not = (wanted: (count: number) => boolean) => (id: string) => !wanted(servers.get(id)?.length ?? 0);
  assert.deepEqual(post.answered.filter(not((count) => count === 1)), []);
  assert.deepEqual([...post.failed.keys()].filter(not((count) => count <= 1)), []);
}

/** Each POST that failed did so because its connection broke, and had arrived nowhere but at the member, or behind it. */
function assertLostWith(member: string, { post }: Load, arrivals: string): void {
  const servers = arrivedAt(arrivals);
  const behind = GROUPS[member] ?? [member];
  for (const [id, failure] of post.failed) {
    assert.equal(failure, "502 reset");
    for (const server of servers.get(id) ?? []) assert.ok(behind.includes(server), `lost at ${server}`);
  }
}

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  "proxy-1": ["server-1", "server-2", "server-3"],
  "proxy-2": ["server-4", "server-5", "server-6"],
};

/** Where each POST arrived. */
function arrivedAt(arrivals: string): ReadonlyMap<string, readonly string[]> {
  const servers = new Map<string, string[]>();
  for (const line of arrivals.trimEnd().split("\n")) {
    const [id = "", server = ""] = line.split(" ");
    servers.set(id, [...(servers.get(id) ?? []), server]);
  }
  return servers;
}
