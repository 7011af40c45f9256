// The soak in its short form: twenty thousand requests, or as many as a quarter of a minute allows, with swaps, clients that
// leave and WebSockets among them, and every process as large after them as before. `npm run soak` is the long one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { say } from "../tools/process/programs.ts";

const SOAK_MS_MAX = 240_000;

const SOAK = fileURLToPath(new URL("../tools/soak/soak.ts", import.meta.url));

test("thousands of requests among swaps, aborts and WebSockets all succeed and leave nothing behind", async (t) => {
  const { code, stdout, stderr } = await say(process.execPath, ["--import", "tsx", SOAK, "--short"], {
    limitMs: SOAK_MS_MAX,
  });
  for (const line of stdout.trimEnd().split("\n")) t.diagnostic(line);
  assert.deepEqual([code, stderr], [0, ""], stdout);
});
