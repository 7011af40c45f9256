// What members are made from, where the disk takes nothing: it is kept in memory, said once, and written when it can be. And what is
// forgotten stays forgotten, whatever a look that began before tells.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { monotonicMs } from "../../services/runtime/clock.ts";
import { Condition } from "../../services/runtime/log.ts";
import type { Listed, Listing } from "../../watchdog/engines/docker/containers/listing.ts";
import { type Template, Templates } from "../../watchdog/engines/docker/twin/templates.ts";
import { inspected } from "../tools/docker/inspected.ts";
import { recordedLog } from "../tools/log.ts";
import { temporaryDirectory } from "../tools/registry.ts";

test("what cannot be written stops no heal, and is written later", async (t) => {
  const directory = join(await temporaryDirectory(t), "templates");
  const { log, events } = recordedLog();
  const open = async () => {
    const templates = new Templates(directory, new Set(), new Condition(log, "templates"));
    await templates.open();
    return templates;
  };
  const templates = await open();
  const like = { slot: { id: "app-1", role: "server" }, inspected: inspected(), parents: {} } as const;
  const blocked = join(directory, "app-1.json.tmp");
  // Nothing can be written there: whoever runs this may write anywhere else.
  await mkdir(blocked);
  await templates.made("app-1", "successor", like);
  await templates.mend();
  assert.deepEqual(templates.get("app-1")?.made, ["successor"]);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["templates-failing"],
  );
  await rmdir(blocked);
  await templates.mend();
  assert.equal(events.at(-1)?.event, "templates-recovered");
  assert.deepEqual(JSON.parse(await readFile(join(directory, "app-1.json"), "utf8")).made, ["successor"]);
  assert.deepEqual((await open()).get("app-1")?.made, ["successor"]);
});

test("what is forgotten comes back by no look that began before, and by no write", async (t) => {
  const directory = join(await temporaryDirectory(t), "templates");
  const templates = new Templates(directory, new Set(), new Condition(recordedLog().log, "templates"));
  await templates.open();
  const slot = { id: "app-1", role: "server" } as const;
  const listedAs = (Id: string) =>
    ({ slot, inspected: { ...inspected(), Id, State: { Running: true } } }) as unknown as Listed;
  const before = listedAs("first");
  const listing = (begunMs: number): Listing => ({ members: [before], all: [], self: undefined, begunMs });
  const early = listing(monotonicMs());
  const known = () => [templates.all.length, existsSync(join(directory, "app-1.json"))];
  await templates.look(before, early);
  assert.deepEqual(known(), [1, true]);
  const written = templates.made("app-1", "twin", templates.get("app-1") as Template);
  await templates.forget("app-1");
  await written;
  assert.deepEqual(known(), [0, false]);
  for (const late of [before, listedAs("first"), listedAs("twin")]) await templates.look(late, early);
  assert.deepEqual(known(), [0, false]);
  await templates.look(listedAs("first"), listing(monotonicMs() + 1));
  assert.deepEqual(known(), [1, true], "who is there after that is there again");
});
