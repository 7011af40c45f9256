// One member replaced under a steady load, and what that may cost: no GET fails, no POST is executed twice, and an orderly
// end loses nothing at all. The same facts for members that are processes and for members that are containers.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { PacedLoad } from "./paced-load.ts";

/** 24 clients, each with a request every 80 ms: 300 requests a second. */
const PACE = { getters: 16, posters: 8, periodMs: 80 };

/** In each server, before our own code: notes every POST that arrives, whatever becomes of it. */
const NOTE_ARRIVALS = `
  import { subscribe } from "node:diagnostics_channel";
  import { appendFileSync } from "node:fs";
  if (process.env.ROLE === "server") subscribe("http.server.request.start", ({ request }) => {
    if (request.method === "POST") appendFileSync(process.env.ARRIVALS_FILE, request.url.replace(/.*=/, "") + "\\n");
  });
`;

/** The environment of servers that note in this file, which all of them can write. */
export function notingArrivals(file: string): Readonly<Record<"ARRIVALS_FILE" | "NODE_OPTIONS", string>> {
  const options = `--import=data:text/javascript,${encodeURIComponent(NOTE_ARRIVALS)}`;
  return { ARRIVALS_FILE: file, NODE_OPTIONS: options };
}

export interface Replacement {
  readonly member: string;
  /** Is it told, so that it can finish what it works on? Otherwise POSTs that are with it are lost, one of each client at most. */
  readonly orderly: boolean;
  /** Ends the member, and returns when its slot is filled anew and serves. */
  readonly replace: () => Promise<unknown>;
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
export async function assertReplaced(
  t: TestContext,
  stage: Stage,
  { member, orderly, replace }: Replacement,
): Promise<void> {
  const startedMs = performance.now();
  const load = new PacedLoad(stage.balancerPort, PACE);
  t.after(() => load.finish());
  await load.more(20, member);
  await replace();
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
  assert.equal(post.answered.length + post.failed.size, post.sent.length);
  assert.ok(post.failed.size <= (orderly ? 0 : PACE.posters), [...post.failed.values()].join(", "));
  assertExecutedOnce(load, await stage.arrivals());
}

/** Every POST that was answered arrived at one server, once; one that failed, at most once. */
function assertExecutedOnce({ post }: PacedLoad, arrivals: string): void {
  const times = new Map<string, number>();
  for (const id of arrivals.split("\n")) times.set(id, (times.get(id) ?? 0) + 1);
  const not = (wanted: (count: number) => boolean) => (id: string) => !wanted(times.get(id) ?? 0);
  assert.deepEqual(post.answered.filter(not((count) => count === 1)), []);
  assert.deepEqual([...post.failed.keys()].filter(not((count) => count <= 1)), []);
}
