// The watchdog's parent: starts it, and starts it again when it dies or its event loop stalls. In our image it also keeps the
// watchdog apart from the Docker socket (separation.ts). It does nothing else and loads next to nothing: it has to stay up, and
// its memory counts with the watchdog's own. The watchdog checks the settings.

import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { StartupFailure } from "../../services/runtime/exit.ts";
import type { Log } from "../../services/runtime/log.ts";
import { flushOut } from "../../services/runtime/stdout.ts";
import { startWatchdogChild, type WatchdogChild, type WatchdogProgram } from "./child.ts";
import { afterEnd, respawnDelayMs, shortRuns } from "./rules.ts";
import { isSeparated, type Separation } from "./separation.ts";

/** A signal again so soon is the same Ctrl-C: a terminal tells the whole group, and npm in it tells its child once more. */
const SAME_SIGNAL_MS = 1_000;

/** Guards until the watchdog ends in order, refuses to start, or we are told to stop. Resolves with the exit code. */
export async function guard(program: WatchdogProgram): Promise<number> {
  return new Guardian(program).run();
}

class Guardian {
  #program: WatchdogProgram;
  readonly #stopping = new AbortController();
  #stoppedMs = 0;
  #child: WatchdogChild | undefined;
  #log: Log | undefined;

  constructor({ program, environment }: WatchdogProgram) {
    this.#program = { program, environment: { ...environment, GUARDED: randomUUID() } };
  }

  async run(): Promise<number> {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#stop(signal));
    if (this.#program.environment.STOP_WITH_STDIN === "yes")
      process.stdin.once("close", () => this.#stop("SIGTERM")).resume();
    const separation = await this.#separate();
    if (typeof separation === "number") return separation;
    await this.#keepMembers();
    const code = await this.#watch();
    await separation?.close();
    if (this.#log !== undefined) await flushOut();
    return code;
  }

  /** @returns the exit code of a refusal to start */
  async #separate(): Promise<Separation | number | undefined> {
    const { environment } = this.#program;
    if (!isSeparated(environment)) return undefined;
    const { separate } = await import("./socket/separate.ts");
    try {
      const separation = await separate(environment, (event, facts) => void this.#say(event, facts).catch(() => {}));
      this.#program = { ...this.#program, ...separation.changes };
      return separation;
    } catch (error) {
      if (!(error instanceof StartupFailure)) throw error;
      process.stderr.write(`evenkeel: ${error.message}\n`);
      return error.exitCode;
    }
  }

  /** A watchdog that has containers for members has no business with processes: one that was broken into would start its own. */
  async #keepMembers(): Promise<void> {
    const { ENGINE } = this.#program.environment;
    if (ENGINE === "docker" || ENGINE === "swarm") return;
    const [{ OwnProcesses }, { serveProcesses }] = await Promise.all([
      import("./members/own-processes.ts"),
      import("./members/serve-processes.ts"),
    ]);
    const processes = new OwnProcesses();
    this.#program = { ...this.#program, onStarted: (child) => serveProcesses(child, processes) };
  }

  async #watch(): Promise<number> {
    let runs: number | undefined;
    for (;;) {
      this.#child = startWatchdogChild(this.#program);
      const run = await this.#child.ended;
      this.#child = undefined;
      const stop = this.#stopping.signal;
      const decision = afterEnd(run.end, { first: runs === undefined, stopping: stop.aborted });
      if (decision.kind === "exit") return decision.code;
      runs = shortRuns(runs, run);
      const delayMs = respawnDelayMs(runs);
      // Whatever becomes of the log, the next one is started.
      await this.#say("watchdog-respawned", { reason: decision.reason, delayMs }).catch(() => {});
      await delay(delayMs, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return 0;
    }
  }

  #stop(signal: NodeJS.Signals): void {
    const nowMs = performance.now();
    if (this.#stopping.signal.aborted && nowMs - this.#stoppedMs < SAME_SIGNAL_MS) return;
    this.#stoppedMs = nowMs;
    this.#stopping.abort();
    this.#child?.signal(signal);
  }

  /** Loads the log when there is something to say, which is hardly ever. */
  async #say(...[event, facts]: Parameters<Log>): Promise<void> {
    const { ID, LOG_LEVEL } = this.#program.environment;
    this.#log ??= (await import("../../services/runtime/log.ts")).openLog({
      ROLE: "watchdog",
      ID: ID || "watchdog",
      LOG_LEVEL: LOG_LEVEL === "silent" || LOG_LEVEL === "error" ? LOG_LEVEL : "warn",
    });
    this.#log(event, facts);
  }
}
