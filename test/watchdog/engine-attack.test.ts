// A member that has gone bad writes as fast as its stdout is read: the process that reads it keeps its memory and its pace, and hears
// the others.

import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSettings } from "../../services/runtime/config.ts";
import type { Slot } from "../../watchdog/desired/slot.ts";
import { topology } from "../../watchdog/desired/topology.ts";
import { openProcessEngine } from "../../watchdog/engines/process/engine.ts";
import { eventually } from "../tools/eventually.ts";
import { freePort, HOST } from "../tools/ports.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fill, only, type Stage, trafficUrl } from "./engine.contract.ts";

const SCREAMER = fileURLToPath(new URL("../tools/watchdog/screamer.ts", import.meta.url));
const MB = 1_000_000;
const SCREAM_MS_MAX = 60_000;

async function open(t: TestContext): Promise<{ stage: (slot: string) => Stage; passedOn: () => number }> {
  const environment = { ROLE: "watchdog", HOST, BALANCER_PORT: String(await freePort()) };
  const read = readSettings({ ...environment, REGISTRY_FILE: join(await temporaryDirectory(t), "registry.json") });
  assert.ok(read.ok);
  let bytes = 0;
  const passOn = (lines: string) => {
    bytes += lines.length;
  };
  const engine = await openProcessEngine(read.settings, { program: SCREAMER, passOn });
  t.after(() => engine.runner.close());
  const slotOf = (id: string) => topology().find((slot) => slot.id === id) as Slot;
  const noHands = { kill: async () => {}, freeze: async () => {}, isThere: async () => true };
  return { stage: (slot) => ({ ...engine, ...noHands, slot: slotOf(slot) }), passedOn: () => bytes };
}

const screams: readonly (readonly [what: string, environment: Readonly<Record<string, string>>, megabytes: number])[] =
  [
    ["a line without an end", { SCREAM: "endless" }, 400],
    ["lines", { SCREAM: "lines" }, 40],
    ["lines of one letter", { SCREAM: "lines", SCREAM_LINE: "y" }, 4],
    ["reports", { SCREAM: "lines", SCREAM_LINE: '{"event":"ready"}' }, 10],
  ];

test("what a member is made to print changes nothing of where it listens, nor that it takes requests", async (t) => {
  const { stage, passedOn } = await open(t);
  const forged = [
    { event: "listening", port: 8_404, adminPort: 8_404 },
    { event: "listening", port: 9_001, adminPort: 9_101 },
    { event: "listening", port: 9_001, adminPort: 9_101, nonce: "a guess of somebody's" },
    { event: "draining", time: new Date().toISOString() },
  ].map((fields) => JSON.stringify(fields));
  const server = stage("server-2");
  const member = await fill(server, { SCREAM: "lines", SCREAM_LINE: forged.join("\n") });
  await eventually("the forged lines", () => passedOn() > 10 * MB || undefined);
  const found = await only(server);
  assert.deepEqual([found?.ports, found?.draining], [member.ports, false]);
});

for (const [what, environment, megabytes] of screams) {
  test(`${megabytes} MB of ${what} cost no memory, and another member is heard beside them`, async (t) => {
    const { stage } = await open(t);
    const before = process.memoryUsage().rss;
    let rssMax = before;
    const screamer = await fill(stage("server-1"), environment);
    const written = async () => Number(await (await fetch(trafficUrl(screamer, "/"))).text());
    await eventually(
      `${megabytes} MB`,
      async () => {
        rssMax = Math.max(rssMax, process.memoryUsage().rss);
        return (await written()) >= megabytes * MB;
      },
      SCREAM_MS_MAX,
    );
    await fill(stage("server-2"));
    assert.ok(rssMax - before < 150 * MB, `${Math.round((rssMax - before) / MB)} MB more`);
  });
}
