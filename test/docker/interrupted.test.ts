// A test run that is killed in the middle leaves nothing on the engine.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { docker, ensureImage, IMAGE, leftoversOf, repository, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";

const PROJECT = `evenkeel-interrupted-${process.pid}`;
const RUN = `
import { reapWhenKilled } from "./test/tools/docker/reaper.ts";
reapWhenKilled(${JSON.stringify(PROJECT)});
process.stdin.resume();
console.log("under way");
`;

test("what a run that was killed has made is taken away", { skip }, async (t) => {
  await ensureImage();
  const parameters = ["--import", "tsx", "--input-type=module", "--eval", RUN];
  const run = spawn(process.execPath, parameters, { cwd: repository, stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => void run.kill("SIGKILL"));
  await once(run.stdout, "data");
  const label = `com.docker.compose.project=${PROJECT}`;
  await docker("network", "create", "--label", label, PROJECT);
  await docker("run", "--detach", "--label", label, "--network", PROJECT, "--volume", "/data", IMAGE, "sleep", "600");
  assert.equal((await leftoversOf(PROJECT)).length, 2);
  run.kill("SIGKILL");
  await eventually("nothing is left", async () => (await leftoversOf(PROJECT)).length === 0, 60_000);
});
