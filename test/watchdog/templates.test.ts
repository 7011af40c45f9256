// What members are made from, where the disk takes nothing: it is kept in memory, said once, and written when it can be.

import assert from "node:assert/strict";
import { mkdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Condition } from "../../services/runtime/log.ts";
import { Templates } from "../../watchdog/engines/docker/twin/templates.ts";
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
