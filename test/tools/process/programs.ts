// Programs from outside that a test runs against our own: whether they are there, and what they say.

import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";

const TOOL_MS_MAX = 60_000;

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** For a test's `skip`: false, or the reason. EVENKEEL_REQUIRE_TOOLS=1 makes a missing tool a failure instead. */
export function whyNo(tool: string): string | false {
  const { error } = spawnSync(tool, ["--version"], { stdio: "ignore", timeout: TOOL_MS_MAX });
  if (error === undefined || process.env.EVENKEEL_REQUIRE_TOOLS === "1") return false;
  return `there is no ${tool} on this machine; EVENKEEL_REQUIRE_TOOLS=1 makes that a failure`;
}

/** Runs a tool to its end; one that takes too long is told to stop. */
export async function say(
  tool: string,
  parameters: readonly string[],
  { stdin = "", limitMs = TOOL_MS_MAX }: { stdin?: string | Buffer; limitMs?: number } = {},
): Promise<Said> {
  const child = spawn(tool, parameters, { stdio: "pipe", timeout: limitMs });
  child.stdin.on("error", () => {}).end(stdin);
  const code = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}
