// The soaks in their short forms. Of the request path (`npm run soak`): twenty thousand requests, or as many as a quarter of a minute
// allows, with swaps, clients that leave and WebSockets among them, and every process as large after them as before. Of the watchdog
// (`npm run soak:rounds`): its rounds, idle and among kills.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { say } from "../tools/process/programs.ts";

const SOAK_MS_MAX = 240_000;

const [SOAK, ROUNDS] = ["soak.ts", "rounds.ts"].map((file) =>
  fileURLToPath(new URL(`../tools/soak/${file}`, import.meta.url)),
) as [string, string];

test("thousands of requests among swaps, aborts and WebSockets all succeed and leave nothing behind", async (t) => {
  const { code, stdout, stderr } = await say(process.execPath, ["--import", "tsx", SOAK, "--short"], {
    limitMs: SOAK_MS_MAX,
  });
  for (const line of stdout.trimEnd().split("\n")) t.diagnostic(line);
  assert.deepEqual([code, stderr], [0, ""], stdout);
});

test("hundreds of rounds, idle and among kills, leave nothing behind at the watchdog and its guardian", async (t) => {
  const order = ["--import", "tsx", ROUNDS, "--minutes", "0.3"];
  const { code, stdout, stderr } = await say(process.execPath, order, { limitMs: SOAK_MS_MAX });
  for (const line of stdout.trimEnd().split("\n")) t.diagnostic(line);
  assert.deepEqual([code, stderr], [0, ""], stdout);
});
