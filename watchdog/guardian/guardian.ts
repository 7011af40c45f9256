// The watchdog's parent: starts it, and starts it again when it dies or its event loop stalls. It does nothing else and loads
// next to nothing: it has to stay up, and its memory counts with the watchdog's own. The settings are the watchdog's to check.

import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../services/runtime/log.ts";
import { flushOut } from "../../services/runtime/stdout.ts";
import { begin, type Command, type Life } from "./life.ts";
import { judge, respawnDelayMs, shortLives } from "./rules.ts";

/** A signal again so soon is the same Ctrl-C: a terminal tells the whole group, and npm in it tells its child once more. */
const SAME_WISH_MS = 1_000;

/** Guards until the watchdog ends in order, refuses to start, or we are told to stop. Resolves with the exit code. */
export async function guard(command: Command): Promise<number> {
  return new Guardian(command).run();
}

class Guardian {
  readonly #command: Command;
  readonly #stopping = new AbortController();
  #stoppedMs = 0;
  #life: Life | undefined;
  #log: Log | undefined;

  constructor({ program, environment }: Command) {
    this.#command = { program, environment: { ...environment, GUARDED: randomUUID() } };
  }

  async run(): Promise<number> {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#stop(signal));
    if (this.#command.environment.STOP_WITH_STDIN === "yes")
      process.stdin.once("close", () => this.#stop("SIGTERM")).resume();
    const code = await this.#live();
    if (this.#log !== undefined) await flushOut();
    return code;
  }

  async #live(): Promise<number> {
    let lives: number | undefined;
    for (;;) {
      this.#life = begin(this.#command);
      const { ending, livedMs } = await this.#life.ended;
      this.#life = undefined;
      const stop = this.#stopping.signal;
      const verdict = judge(ending, { first: lives === undefined, stopping: stop.aborted });
      if (verdict.kind === "leave") return verdict.code;
      lives = shortLives(lives, livedMs);
      const delayMs = respawnDelayMs(lives);
      // Whatever becomes of the log, the next one is started.
      await this.#say(verdict.reason, delayMs).catch(() => {});
      await delay(delayMs, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return 0;
    }
  }

  #stop(signal: NodeJS.Signals): void {
    const nowMs = performance.now();
    if (this.#stopping.signal.aborted && nowMs - this.#stoppedMs < SAME_WISH_MS) return;
    this.#stoppedMs = nowMs;
    this.#stopping.abort();
    this.#life?.signal(signal);
  }

  /** The log is loaded when there is something to say, which is hardly ever. */
  async #say(reason: string, delayMs: number): Promise<void> {
    const { ID, LOG_LEVEL } = this.#command.environment;
    this.#log ??= (await import("../../services/runtime/log.ts")).openLog({
      ROLE: "watchdog",
      ID: ID || "watchdog",
      LOG_LEVEL: LOG_LEVEL === "silent" ? "silent" : "error",
    });
    this.#log("watchdog-respawned", { reason, delayMs });
  }
}
