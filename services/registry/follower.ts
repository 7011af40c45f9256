// A reader's side of the registry: starts from the environment or the file, whichever has the higher version, then follows the file,
// and a watchdog's port where it is told one. It keeps the last good document whatever happens to both, so a tier outlives its watchdog.

import { watch } from "node:fs";
import { basename, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Settings } from "../runtime/config.ts";
import { exitCode, StartupFailure } from "../runtime/exit.ts";
import { Condition, type Log } from "../runtime/log.ts";
import { isNewerVersion, parseRegistry, type Registry } from "./document.ts";
import { type ReadFile, RegistryFile } from "./registry-file.ts";
import { followUrl } from "./registry-url.ts";

/** Polling is what we rely on: bind mounts on Docker Desktop and WSL2 deliver no inotify events (WSL#4739). */
const POLL_INTERVAL_MS = 250;
/** So long a tier that has nothing yet waits for a watchdog's first answer before it serves. */
const FIRST_ANSWER_MS_MAX = 5_000;

interface Follower {
  readonly settings: Pick<Settings, "REGISTRY" | "REGISTRY_FILE" | "REGISTRY_URL">;
  readonly log: Log;
  readonly stop: AbortSignal;
  /** Called with each document that is newer than the one before, beginning with the first. */
  readonly onChange: (registry: Registry) => void;
  /** Default: the disk's. */
  readonly read?: ReadFile;
}

/**
 * Reads the first document and follows until `stop`. A missing file is waited for; a watchdog's first answer, for a moment.
 * @throws StartupFailure when what there is at the start cannot be read and nothing else is there
 */
export async function followRegistry({ settings, log, stop, onChange, read }: Follower): Promise<void> {
  const { REGISTRY_FILE: file } = settings;
  let version = -1;
  let seen: string | undefined;
  const source = new RegistryFile(file, read);
  const condition = new Condition(log, "registry");

  function offer(text: string): string | undefined {
    const parsed = parseRegistry(text);
    if (!parsed.ok) return parsed.reason;
    const { registry } = parsed;
    const isNewer = version < 0 || isNewerVersion(registry.version, version);
    if (!isNewer && registry.version !== version) return `version ${registry.version} is older than ${version}`;
    if (registry.members.length === 0 && version >= 0) return "it has no members";
    if (!isNewer) return undefined;
    version = registry.version;
    onChange(registry);
    return undefined;
  }

  async function look(): Promise<string | undefined> {
    const reading = await source.read(seen);
    if (reading.kind === "absent" || reading.kind === "same") return undefined;
    if (reading.mark !== undefined) seen = reading.mark;
    const reason = reading.kind === "read" ? offer(reading.text) : reading.reason;
    if (reason === undefined) condition.recovered({ file });
    else condition.failing(reason, { file, keeping: version });
    return reason;
  }

  const inlineFault = settings.REGISTRY === undefined ? undefined : offer(settings.REGISTRY);
  if (inlineFault !== undefined) throw unreadable("REGISTRY", inlineFault, "unset it or give it a whole document");
  const fileFault = await look();
  if (fileFault !== undefined && version < 0) {
    throw unreadable("REGISTRY_FILE", `${file}: ${fileFault}`, "mend or remove the file, or point it elsewhere");
  }
  const { REGISTRY_URL: url } = settings;
  if (version < 0) log("registry-awaited", { file, ...(url && { url }) });
  poll({ file, look, stop });
  if (url === undefined) return;
  const answered = followUrl({ url, log, stop, offer, known: () => (version < 0 ? undefined : version) });
  if (version < 0) await Promise.race([answered, delay(FIRST_ANSWER_MS_MAX, undefined, { ref: false })]);
}

/** Looks at once when the directory changes, and every POLL_INTERVAL_MS in any case; never twice at the same time. */
function poll({ file, look, stop }: { file: string; look: () => Promise<unknown>; stop: AbortSignal }): void {
  let looking = false;
  const wake = async () => {
    if (looking) return;
    looking = true;
    await look().finally(() => {
      looking = false;
    });
  };
  const timer = setInterval(wake, POLL_INTERVAL_MS);
  stop.addEventListener("abort", () => clearInterval(timer), { once: true });
  try {
    const name = basename(file);
    watch(dirname(file), { signal: stop, persistent: false }, (_event, changed) => {
      if (changed === null || changed === name) void wake();
    }).on("error", () => {});
  } catch {
    // No directory yet, or no inotify: polling sees it.
  }
}

function unreadable(setting: string, what: string, fix: string): StartupFailure {
  return new StartupFailure(exitCode.registry, `${setting} holds no registry we can read: ${what}; ${fix}`);
}
