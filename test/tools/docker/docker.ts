// The gate before every test that needs Docker, and the few calls those tests share. No engine: they are skipped with a
// reason, unless EVENKEEL_REQUIRE_DOCKER=1, which turns a missing engine into a failure. The image is always of this checkout.

import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export const repository = fileURLToPath(new URL("../../..", import.meta.url));
export const IMAGE = "evenkeel";

/** For a test's `skip` option: false where an engine with Compose answers, or has to. */
export const dockerSkip: string | false = whyNoDocker();

/** What `docker ...` printed, trimmed. Rejects with its stderr in the message when it fails. */
export async function docker(...parameters: readonly string[]): Promise<string> {
  const { stdout } = await run("docker", [...parameters], { maxBuffer: OUTPUT_BYTES_MAX });
  return stdout.trim();
}

/** What `docker inspect` shows of those that are still there: whoever is listed may be removed before it is looked at. */
export async function inspectThere<Document>(ids: readonly string[]): Promise<Document[]> {
  if (ids.length === 0) return [];
  try {
    return JSON.parse(await docker("inspect", ...ids)) as Document[];
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    const isGone = (line: string) => /^Error: No such object: /.test(line);
    if (stdout === undefined || !stderr?.trimEnd().split("\n").every(isGone)) throw error;
    return JSON.parse(stdout) as Document[];
  }
}

/** Builds the image from this checkout: within a second or two when nothing has changed. A stale one would be tested in vain. */
export async function ensureImage(): Promise<void> {
  await docker("build", "--quiet", "--tag", IMAGE, repository);
}

function whyNoDocker(): string | false {
  if (process.env.EVENKEEL_REQUIRE_DOCKER === "1") return false;
  const engine = spawnSync("docker", ["info", "--format", "{{.ServerVersion}}"], { encoding: "utf8", timeout: 20_000 });
  if (engine.status !== 0)
    return "no Docker engine answers `docker info`; EVENKEEL_REQUIRE_DOCKER=1 makes that a failure";
  const compose = spawnSync("docker", ["compose", "version"], { encoding: "utf8", timeout: 20_000 });
  return compose.status === 0 ? false : "there is no `docker compose` on this machine";
}
