// One life of the watchdog under its guardian: the process, its beats, and its end, which is ours to bring about when it has
// stalled. Says nothing about what follows (see rules.ts).

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { type Ending, isStalled } from "./rules.ts";

const TICK_MS = 1_000;
/**
 * A watchdog makes much garbage and keeps little: with Node's own 16 MB (Node 26: 32 MB) for new objects it holds 93 MB when
 * idle, with this 53 MB, at the same CPU. Its members, which it starts with its own options, do not want it.
 */
export const SMALL_NEW_SPACE = "--max-semi-space-size=2";

export interface Command {
  /** The file of main.ts, whether compiled or not. */
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
}

export interface Life {
  readonly ended: Promise<{ readonly ending: Ending; readonly livedMs: number }>;
  readonly signal: (signal: NodeJS.Signals) => void;
}

/** Starts a watchdog, whose stdout and stderr are our own. Its stdin is its lifeline: it leaves when we are gone, however we went. */
export function begin({ program, environment }: Command): Life {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [SMALL_NEW_SPACE, ...process.execArgv, program], {
    env: { ...environment, STOP_WITH_STDIN: "yes" },
    stdio: ["pipe", "inherit", "inherit", "ipc"],
    // A group of its own: Ctrl-C in a terminal reaches the guardian alone, which passes it on.
    detached: true,
  });
  // Its end says the rest.
  child.stdin?.on("error", () => {});
  const silence = watchSilence(child);
  const ended = endOf(child).then((ending) => {
    const silentMs = silence.end();
    return {
      ending: silentMs === undefined ? ending : ({ kind: "stalled", silentMs } as const),
      livedMs: performance.now() - startedMs,
    };
  });
  return { ended, signal: (signal) => void child.kill(signal) };
}

/**
 * Kills a child whose beats stop. Silence is counted in our own ticks, not by the clock: after a pause of the whole
 * container, in which nobody could beat, one tick is late and none is missing.
 */
function watchSilence(child: ChildProcess): { readonly end: () => number | undefined } {
  let silentMs = 0;
  let beaten = false;
  let killedAfterMs: number | undefined;
  child.on("message", () => {
    beaten = true;
    silentMs = 0;
  });
  const ticks = setInterval(() => {
    silentMs += TICK_MS;
    if (killedAfterMs !== undefined || !isStalled(silentMs, beaten)) return;
    killedAfterMs = silentMs;
    child.kill("SIGKILL");
  }, TICK_MS);
  return {
    end: () => {
      clearInterval(ticks);
      return killedAfterMs;
    },
  };
}

function endOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      if (signal !== null) resolve({ kind: "killed", signal, number: constants.signals[signal] });
      else resolve({ kind: "exited", code: code ?? 1 });
    });
    // Without a pid it was never there; with one, the error is a signal's or a message's, and an exit will come.
    child.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (child.pid === undefined) resolve({ kind: "unborn", code: code ?? "unknown" });
    });
  });
}
