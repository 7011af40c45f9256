// Starts the role named by ROLE; a signal drains it; the exit code says how it ended. Nothing else. A watchdog is started by
// its guardian, the same program: so that the guardian stays small, nothing is loaded before it is known which of both we are.

import { setMaxListeners } from "node:events";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import type { Settings } from "./runtime/config.ts";
import { exitCode, StartupFailure } from "./runtime/exit.ts";
import type { Context } from "./runtime/lifecycle.ts";
import type { Role } from "./runtime/roles.ts";

/**
 * Half of what lives in a heap, or 8 MB, may be garbage. V8 lets a heap that fills fast grow to four times what lives: a balancer to 40 MB
 * more at 10,000 requests a second.
 */
const HEAP_GROWTH = "--heap-growing-percent=50";

/** Loaded when started: the watchdog's dockerode and undici stay out of every other role. */
const starters: Record<Role, () => Promise<(context: Context) => Promise<void>>> = {
  watchdog: async () => {
    const { startWatchdog } = await import("../watchdog/watchdog.ts");
    const { sendHeartbeats } = await import("../watchdog/guardian/heartbeat.ts");
    return (context) => {
      sendHeartbeats();
      return startWatchdog(context);
    };
  },
  balancer: async () => (await import("./balancer.ts")).startBalancer,
  proxy: async () => (await import("./proxy.ts")).startProxy,
  server: async () => (await import("./server.ts")).startServer,
  client: async () => (await import("./client/client-role.ts")).startClient,
};

async function main(): Promise<void> {
  const { ROLE, GUARDED } = process.env;
  if (ROLE === "watchdog" && !GUARDED) return guardWatchdog();
  return startRole();
}

/** A tier that is to have several workers begins as their primary, which loads nothing of the tier. */
async function starterOf({ ROLE, WORKERS, WORKER }: Settings): Promise<(context: Context) => Promise<void>> {
  const isPrimary = (ROLE === "balancer" || ROLE === "proxy") && WORKERS > 1 && WORKER === undefined;
  return isPrimary ? (await import("./workers/primary.ts")).startWorkers : starters[ROLE]();
}

/** The settings, and in one of several workers its share of them and its life. */
async function seatOf(settings: Settings): Promise<Pick<Context, "settings" | "asWorker">> {
  if (settings.WORKER === undefined) return { settings };
  const [{ settingsOfWorker }, { liveAsWorker }] = await Promise.all([
    import("./workers/shares.ts"),
    import("./workers/worker.ts"),
  ]);
  return { settings: settingsOfWorker(settings), asWorker: liveAsWorker };
}

async function guardWatchdog(): Promise<void> {
  const words = process.argv.slice(2);
  let environment = process.env;
  if (words.length > 0) {
    const { readStartArguments, startHelp } = await import("./command-line/start-arguments.ts");
    const help = startHelp(words);
    if (help !== undefined) return void console.log(help);
    const read = readStartArguments(words, environment);
    if (!read.ok) return leave(exitCode.usage, [read.fault]);
    environment = { ...environment, ...read.settings };
  }
  await speakToPeople(environment);
  const { guard } = await import("../watchdog/guardian/guardian.ts");
  leave(await guard({ program: fileURLToPath(import.meta.url), environment }), []);
}

async function startRole(): Promise<void> {
  // First of all: what is compiled is kept for the next start together with the flags of that time.
  setFlagsFromString(HEAP_GROWTH);
  const [{ readSettings }, { openLog }, { flushOut }] = await Promise.all([
    import("./runtime/config.ts"),
    import("./runtime/log.ts"),
    import("./runtime/stdout.ts"),
  ]);
  const result = readSettings();
  if (!result.ok) return leave(exitCode.settings, result.faults);
  const { settings } = result;
  // Whoever reads our stdout may leave; that is no reason to.
  process.stdout.on("error", () => {});
  await speakToPeople(settings);
  const log = openLog(settings);
  const stopping = new AbortController();
  // Every part that ends with the process listens, in a watchdog more than the ten past which Node suspects a leak.
  setMaxListeners(0, stopping.signal);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopping.abort(signal));
  if (settings.STOP_WITH_STDIN === "yes") process.stdin.once("close", () => stopping.abort("stdin closed")).resume();
  try {
    const start = await starterOf(settings);
    await start({ ...(await seatOf(settings)), log, stop: stopping.signal });
    await flushOut();
    leave(0, []);
  } catch (error) {
    if (!(error instanceof StartupFailure)) throw error;
    await flushOut();
    leave(error.exitCode, [error.message]);
  }
}

interface Spoken {
  readonly LOG_FORMAT?: string | undefined;
  readonly ROLE?: string | undefined;
  readonly ENGINE?: string | undefined;
  readonly ID?: string | undefined;
  readonly HOST?: string | undefined;
}

/** Where somebody looks on, the log is in people's words. Not in a container with a terminal: other watchdogs read what it says. */
async function speakToPeople({ LOG_FORMAT, ROLE = "", ENGINE, ID, HOST }: Spoken): Promise<void> {
  if (ROLE !== "watchdog" || ENGINE !== "process" || LOG_FORMAT === "json" || !process.stdout.isTTY) return;
  const [{ PeopleLines }, { shapeOut }] = await Promise.all([
    import("./command-line/people-lines.ts"),
    import("./runtime/stdout.ts"),
  ]);
  const people = new PeopleLines({ id: ID || ROLE, host: HOST || "127.0.0.1" });
  shapeOut((lines) => people.shown(lines));
}

/** Says why on stderr and ends; an exit now also ends what a failed start left half open. */
function leave(code: number, lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`evenkeel: ${line}\n`);
  process.exit(code);
}

await main();
