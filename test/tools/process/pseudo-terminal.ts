// A program of ours in a pseudo terminal, by util-linux's `script`: what it draws where it believes that somebody looks.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Scope } from "../scope.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const SIZE = { columns: 100, rows: 30 };

export interface InTerminal {
  /** All that it has written so far, escape sequences too. */
  readonly written: () => string;
  /** What somebody types, such as "\x03" for Ctrl-C. */
  readonly type: (keys: string) => void;
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>;
}

/** @param program as in run.ts; what `npm run build` made of it is run */
export function inTerminal(
  scope: Scope,
  program: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  { columns, rows } = SIZE,
): InTerminal {
  const words = [process.execPath, `dist/${program}.js`, ...parameters].map((word) => `'${word}'`);
  const command = `stty cols ${columns} rows ${rows}; exec ${words.join(" ")}`;
  const child: ChildProcess = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    cwd: root,
    env: { PATH: process.env.PATH, TERM: "xterm-256color", SHELL: "/bin/sh", ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let written = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    written += text;
  });
  const ended = once(child, "close").then(([code]) => code as number | null);
  scope.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { written: () => written, type: (keys) => child.stdin?.write(keys), ended };
}
