// Which programs from outside are on this machine, and in which version. Debian keeps servers in /usr/sbin, which is not on
// everybody's PATH.

import { spawnSync } from "node:child_process";

const VERSION_MS_MAX = 10_000;

const ask = {
  nginx: ["-v"],
  haproxy: ["-v"],
  caddy: ["version"],
  wrk: ["-v"],
} as const;
export type Tool = keyof typeof ask;

/** The first line that the tool says of its version, or undefined where there is none. */
export function versionOf(tool: Tool): string | undefined {
  const { error, stdout, stderr } = spawnSync(tool, ask[tool], { encoding: "utf8", timeout: VERSION_MS_MAX });
  if (error !== undefined) return undefined;
  const line = `${stdout}${stderr}`.trim().split("\n")[0] ?? "";
  return line.toLowerCase().includes(tool) ? line : `${tool} ${line}`;
}
