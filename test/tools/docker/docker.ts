// The gate before every test that needs Docker, and the few calls those tests share. No engine: they are skipped with a
// reason, unless EVENKEEL_REQUIRE_DOCKER=1, which turns a missing engine into a failure. The image is always of this checkout.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { must, say } from "../process/programs.ts";

/** A build from nothing is the longest of them. */
const LIMIT = { limitMs: 600_000 };

export const repository = fileURLToPath(new URL("../../..", import.meta.url));
export const IMAGE = "evenkeel";

/** For a test's `skip` option: false where an engine with Compose answers, or has to. */
export const dockerSkip: string | false = whyNoDocker();

/** What `docker ...` printed, trimmed. Rejects with its stderr in the message when it fails. */
export async function docker(...parameters: readonly string[]): Promise<string> {
  return (await must("docker", parameters, LIMIT)).stdout.trim();
}

/** The lines of it. */
export async function dockerLines(...parameters: readonly string[]): Promise<string[]> {
  return (await docker(...parameters)).split("\n").filter(Boolean);
}

/** What `docker inspect` shows of those that are still there: whoever is listed may be removed before it is looked at. */
export async function inspectThere<Document>(ids: readonly string[]): Promise<Document[]> {
  if (ids.length === 0) return [];
  const { code, stdout, stderr } = await say("docker", ["inspect", ...ids], LIMIT);
  const isGone = (line: string) => /^Error: No such object: /.test(line);
  if (code !== 0 && !stderr.trimEnd().split("\n").every(isGone)) throw new Error(`docker inspect: ${stderr}`);
  return JSON.parse(stdout) as Document[];
}

/** Full ids of a Compose project's containers, newest first. @param filters as `docker ps` takes them, such as status=running */
export function containersOfProject(project: string, ...filters: readonly string[]): Promise<string[]> {
  const all = [ofProject(project), ...filters].flatMap((filter) => ["--filter", filter]);
  return dockerLines("ps", "--all", "--quiet", "--no-trunc", ...all);
}

export function namesOfProject(project: string): Promise<string[]> {
  return dockerLines("ps", "--all", "--filter", ofProject(project), "--format", "{{.Names}}");
}

/** Containers, networks and volumes of a Compose project, such as `volume demo_registry`. */
export async function leftoversOf(project: string): Promise<string[]> {
  const filter = ["--filter", ofProject(project)];
  const [containers, ...others] = await Promise.all([
    namesOfProject(project),
    dockerLines("network", "ls", ...filter, "--format", "network {{.Name}}"),
    dockerLines("volume", "ls", ...filter, "--format", "volume {{.Name}}"),
  ]);
  return [...containers.map((name) => `container ${name}`), ...others.flat()];
}

const ofProject = (project: string) => `label=com.docker.compose.project=${project}`;

/** For containersOfProject: those of one service. */
export const ofService = (service: string) => `label=com.docker.compose.service=${service}`;

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
