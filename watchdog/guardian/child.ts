// The watchdog as a child process of its guardian: starts it, hears its heartbeats, and kills it when it has stalled. rules.ts
// says what follows its end.

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { isStalled, type WatchdogEnd, type WatchdogRun } from "./rules.ts";
import { signalAs, type WatchdogUser } from "./user.ts";

const TICK_MS = 1_000;
/**
 * A watchdog makes much garbage and keeps little: with Node's own 16 MB (Node 26: 32 MB) for new objects it holds 93 MB when
 * idle, with this 53 MB, at the same CPU. Its members, which it starts with its own options, do not want it.
 */
export const SMALL_NEW_SPACE = "--max-semi-space-size=2";

export interface WatchdogProgram {
  /** The file of main.ts, whether compiled or not. */
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Absent: the same as ours. */
  readonly user?: WatchdogUser;
  /** Told of the process before it says anything. */
  readonly onStarted?: (child: ChildProcess) => void;
}

export interface WatchdogChild {
  readonly ended: Promise<WatchdogRun>;
  readonly signal: (signal: NodeJS.Signals) => void;
}

/** Starts a watchdog on our own stdout and stderr. Its stdin is its lifeline: it ends when we are gone, however we ended. */
export function startWatchdogChild({ program, environment, user, onStarted }: WatchdogProgram): WatchdogChild {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [SMALL_NEW_SPACE, ...process.execArgv, program], {
    env: { ...environment, STOP_WITH_STDIN: "yes" },
    stdio: ["pipe", "inherit", "inherit", "ipc"],
    // A group of its own: Ctrl-C in a terminal reaches the guardian alone, which passes it on.
    detached: true,
    // As another user it has no capability left, and may get none back.
    ...user,
  });
  onStarted?.(child);
  const signal = (name: NodeJS.Signals) => {
    if (user !== undefined && child.pid !== undefined) signalAs(user, child.pid, name);
    else child.kill(name);
  };
  // An error here means that it has ended, which is heard of anyway.
  child.stdin?.on("error", () => {});
  const silence = watchSilence(child, () => signal("SIGKILL"));
  const ended = endOf(child).then((end) => {
    const silentMs = silence.end();
    return {
      end: silentMs === undefined ? end : ({ kind: "stalled", silentMs } as const),
      ranMs: performance.now() - startedMs,
    };
  });
  return { ended, signal };
}

/**
 * Kills a child whose heartbeats stop. Silence is counted in our own ticks, not by the clock: after a pause of the whole
 * container, in which nothing ran, one tick is late and none is missing.
 */
function watchSilence(child: ChildProcess, kill: () => void): { readonly end: () => number | undefined } {
  let silentMs = 0;
  let heard = false;
  let killedAfterMs: number | undefined;
  child.on("message", () => {
    heard = true;
    silentMs = 0;
  });
  const ticks = setInterval(() => {
    silentMs += TICK_MS;
    if (killedAfterMs !== undefined || !isStalled(silentMs, heard)) return;
    killedAfterMs = silentMs;
    kill();
  }, TICK_MS);
  return {
    end: () => {
      clearInterval(ticks);
      return killedAfterMs;
    },
  };
}

function endOf(child: ChildProcess): Promise<WatchdogEnd> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      if (signal !== null) resolve({ kind: "killed", signal, number: constants.signals[signal] });
      else resolve({ kind: "exited", code: code ?? 1 });
    });
    // Without a pid it never started; with one, a signal or a message has failed, and an exit will come.
    child.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (child.pid === undefined) resolve({ kind: "not-started", code: code ?? "unknown" });
    });
  });
}
