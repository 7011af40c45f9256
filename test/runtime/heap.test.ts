// How far a member lets its heap grow before it looks for garbage: V8 tells of its flags by one number alone, in which this one counts.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { startMember } from "../tools/process/run.ts";

const TELLS = `
  import { cachedDataVersionTag } from "node:v8";
  process.on("SIGUSR2", () => console.error("flags " + cachedDataVersionTag()));`;
const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(TELLS)}`;

for (const ROLE of ["balancer", "proxy", "server"]) {
  test(`a ${ROLE}'s heap holds half as much garbage as lives in it, however fast it fills`, async (t) => {
    const member = await startMember(t, { ROLE, NODE_OPTIONS });
    let said = "";
    member.child.stderr?.on("data", (text) => {
      said += text;
    });
    member.child.kill("SIGUSR2");
    const [, flags] = await eventually("it tells its flags", () => /flags (\d+)/.exec(said));
    assert.equal(flags, flagsWith("--heap-growing-percent=50"));
    assert.notEqual(flags, flagsWith("--heap-growing-percent=0"));
  });
}

function flagsWith(flag: string): string {
  const program = `const v8 = require("v8"); v8.setFlagsFromString("${flag}"); console.log(v8.cachedDataVersionTag())`;
  return execFileSync(process.execPath, ["-e", program], { encoding: "utf8" }).trim();
}
