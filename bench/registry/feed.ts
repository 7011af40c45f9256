// A watchdog's port with a registry of so many members, as a process of its own, so that what it costs can be told from what following
// costs. Publishes when its parent says so, and says when that was and what it has cost by then.

import { gzipSync } from "node:zlib";
import express from "express";
import type { Registry } from "../../services/registry/document.ts";
import { adminServer } from "../../services/runtime/admin-server.ts";
import { entry, registry } from "../../test/tools/registry.ts";
import { RegistryFeed } from "../../watchdog/act/registry-feed.ts";

/** Sent to the parent after each order. */
export interface Published {
  readonly port: number;
  readonly version: number;
  /** By the wall clock, in ms. */
  readonly atMs: number;
  /** Of this process so far, in ms. */
  readonly cpuMs: number;
  readonly waiting: number;
  readonly bytes: number;
  readonly packedBytes: number;
}

const members = Number(process.argv[2]);
const FOLLOWERS_MAX = 1_024;

let current = documentOf(1);
const text = JSON.stringify(current);
const packedBytes = gzipSync(text).length;
const feed = new RegistryFeed({ registry: () => current, onHeard: () => {} });
const app = express().get("/registry", feed.answer);
const server = adminServer(app, FOLLOWERS_MAX).listen(0, "127.0.0.1", () => tell());
process.on("message", (order: "publish" | "tell") => {
  if (order === "publish") {
    current = documentOf(current.version + 1);
    feed.published();
  }
  tell();
});
process.on("disconnect", () => process.exit());

/** One member is new in each version. */
function documentOf(version: number): Registry {
  const all = Array.from({ length: members }, (_, index) => {
    const host = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    const generation = index === version % members ? version : 1;
    return { ...entry(`server-${index + 1}.x7k2p`, 9001), host, adminPort: 9101, generation };
  });
  return registry(version, all);
}

function tell(): void {
  const { user, system } = process.cpuUsage();
  const told: Published = {
    port: (server.address() as { port: number }).port,
    version: current.version,
    atMs: performance.timeOrigin + performance.now(),
    cpuMs: (user + system) / 1_000,
    waiting: feed.waiting,
    bytes: text.length,
    packedBytes,
  };
  process.send?.(told);
}
