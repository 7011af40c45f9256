// The host's clock is set back by an hour, between two watchdogs or between two runs of a container: nothing waits for that hour.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { ContainerInspectInfo } from "dockerode";
import { nowMs } from "../../services/runtime/clock.ts";
import { runBeforeEndedMs } from "../../watchdog/engines/docker/containers/inspected.ts";
import { StateFile } from "../../watchdog/observe/state-file.ts";
import { StopIntents } from "../../watchdog/observe/stop-intents.ts";
import { recordedLog } from "../tools/log.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { exited } from "../tools/watchdog/slot-states.ts";

const HOUR_MS = 3_600_000;

test("an intent that an earlier watchdog has noted is no younger than this one", async (t) => {
  const directory = await temporaryDirectory(t);
  const member = exited("server-1");
  const atMs = nowMs() + HOUR_MS;
  const asked = { kind: "asked", atMs, engineMs: atMs, toStop: true };
  await writeFile(
    join(directory, "watchdog.json"),
    JSON.stringify({ intents: { [member.instance]: asked }, fillings: {} }),
  );
  const file = new StateFile(join(directory, "registry.json"));
  await file.open();
  const intents = new StopIntents(file, recordedLog().log);
  intents.open();
  const intent = intents.of("server-1", member);
  assert.ok(intent !== undefined && intent.atMs <= nowMs(), JSON.stringify(intent));
});

const runs = (StartedAt: string, FinishedAt: string) =>
  runBeforeEndedMs({ State: { StartedAt, FinishedAt } } as ContainerInspectInfo);

test("a run's log begins where the run before ended, or just before its own start where that seems to be later", () => {
  const started = "2026-11-22T12:00:00.000Z";
  assert.equal(runs(started, "2026-11-22T11:59:58.000Z"), Date.parse("2026-11-22T11:59:58.000Z"));
  assert.equal(runs(started, "2026-11-22T12:59:58.000Z"), Date.parse("2026-11-22T11:59:59.000Z"));
  assert.equal(runs(started, "0001-01-01T00:00:00Z"), 0);
});
