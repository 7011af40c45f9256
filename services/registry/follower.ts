// A reader's side of the registry: starts from the environment or the file, whichever has the higher version, then follows
// the file. It keeps the last good document whatever happens to the file, so a tier outlives its watchdog.

import { watch } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Settings } from "../runtime/config.ts";
import { exitCode, StartupFailure } from "../runtime/exit.ts";
import { Condition, type Log } from "../runtime/log.ts";
import { parseRegistry, type Registry } from "./document.ts";

/** Polling is what we rely on: bind mounts on Docker Desktop and WSL2 deliver no inotify events (WSL#4739). */
const POLL_INTERVAL_MS = 250;

interface Follower {
  readonly settings: Pick<Settings, "REGISTRY" | "REGISTRY_FILE">;
  readonly log: Log;
  readonly stop: AbortSignal;
  /** Called with each document that is newer than the one before, beginning with the first. */
  readonly onChange: (registry: Registry) => void;
}

/**
 * Reads the first document and follows the file until `stop`. A missing file is waited for.
 * @throws StartupFailure when what there is at the start cannot be read and nothing else is there
 */
export async function followRegistry({ settings, log, stop, onChange }: Follower): Promise<void> {
  const { REGISTRY_FILE: file } = settings;
  let version = -1;
  let seen = "";
  const condition = new Condition(log, "registry");

  function offer(text: string): string | undefined {
    const parsed = parseRegistry(text);
    if (!parsed.ok) return parsed.reason;
    const { registry } = parsed;
    if (registry.version < version) return `version ${registry.version} is older than ${version}`;
    if (registry.members.length === 0 && version >= 0) return "it has no members";
    if (registry.version === version) return undefined;
    version = registry.version;
    onChange(registry);
    return undefined;
  }

  async function look(): Promise<string | undefined> {
    const mark = await fingerprint(file);
    if (mark === undefined || mark === seen) return undefined;
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    seen = mark;
    const reason = offer(text);
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
  if (version < 0) log("registry-awaited", { file });
  poll({ file, look, stop });
}

/** Looks at once when the directory changes, and every POLL_INTERVAL_MS in any case; never twice at the same time. */
function poll({ file, look, stop }: { file: string; look: () => Promise<unknown>; stop: AbortSignal }): void {
  let looking = false;
  const wake = async () => {
    if (looking) return;
    looking = true;
    await look();
    looking = false;
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

/** What changes when the file does; undefined while there is none. */
async function fingerprint(file: string): Promise<string | undefined> {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found && `${found.ino}:${found.mtimeNs}:${found.size}`;
}

function unreadable(setting: string, what: string, fix: string): StartupFailure {
  return new StartupFailure(exitCode.registry, `${setting} holds no registry we can read: ${what}; ${fix}`);
}
