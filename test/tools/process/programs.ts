// Programs from outside that a test runs to their end, against our own or for them: whether they are there, and what they say.

import { spawn, spawnSync } from "node:child_process";
import { text } from "node:stream/consumers";

const TOOL_MS_MAX = 60_000;

/** What a program said and how it ended. */
export interface Said {
  /** Null: a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SayOptions {
  readonly stdin?: string | Buffer;
  readonly limitMs?: number;
  readonly cwd?: string;
  /** Beside our own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Tells it to stop. */
  readonly stop?: AbortSignal;
}

/** For a test's `skip`: false, or the reason. EVENKEEL_REQUIRE_TOOLS=1 makes a missing tool a failure instead. */
export function whyNo(tool: string): string | false {
  const { error } = spawnSync(tool, ["--version"], { stdio: "ignore", timeout: TOOL_MS_MAX });
  if (error === undefined || process.env.EVENKEEL_REQUIRE_TOOLS === "1") return false;
  return `there is no ${tool} on this machine; EVENKEEL_REQUIRE_TOOLS=1 makes that a failure`;
}

/** Runs a program to its end; one that takes too long is told to stop. How it ended is the caller's to judge. */
export async function say(program: string, parameters: readonly string[], options: SayOptions = {}): Promise<Said> {
  const { stdin = "", limitMs = TOOL_MS_MAX, cwd, env, stop } = options;
  const child = spawn(program, parameters, {
    stdio: "pipe",
    timeout: limitMs,
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  stop?.addEventListener("abort", () => child.kill(), { once: true });
  child.stdin.on("error", () => {}).end(stdin);
  const code = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

/** The same for programs that are means to an end. @throws with what it said when it fails */
export async function must(program: string, parameters: readonly string[], options: SayOptions = {}): Promise<Said> {
  const said = await say(program, parameters, options);
  if (said.code === 0) return said;
  throw new Error(`${program} ${parameters.join(" ")} ended with ${said.code}: ${said.stderr}`);
}
