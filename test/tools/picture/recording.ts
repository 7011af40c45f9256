// What stood on a pseudo terminal's screen, and when: its output is drawn by a terminal emulator, and looked at ten times a second.

import { setTimeout as delay } from "node:timers/promises";
import xterm from "@xterm/headless";
import type { InTerminal } from "../process/pseudo-terminal.ts";
import type { Scope } from "../scope.ts";
import type { Run, Screen, Tone } from "./animation.ts";

const LOOK_MS = 100;
/** The first colours of every terminal's palette, by their number. */
const TONES: Readonly<Record<number, Tone>> = { 1: "red", 2: "green", 3: "yellow", 6: "cyan" };

export interface Recording {
  /** Ends it. @returns the screens, each with the time from which it stood there */
  readonly end: () => Promise<Screen[]>;
}

/** @param startedMs of performance.now(): recordings that are shown side by side have one beginning */
export function record(
  scope: Scope,
  { written }: Pick<InTerminal, "written">,
  { columns, rows }: { readonly columns: number; readonly rows: number },
  startedMs: number,
): Recording {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  const screens: Screen[] = [];
  const over = new AbortController();
  let drawn = 0;

  async function look(): Promise<void> {
    const text = written().slice(drawn);
    if (text === "") return;
    drawn += text.length;
    const atMs = performance.now() - startedMs;
    await new Promise<void>((resolve) => terminal.write(text, resolve));
    screens.push({ atMs, rows: Array.from({ length: rows }, (_, row) => runsOf(terminal, row)) });
  }

  const looking = (async () => {
    while (!over.signal.aborted) {
      await look();
      await delay(LOOK_MS, undefined, { signal: over.signal }).catch(() => {});
    }
    await look();
    terminal.dispose();
  })();
  const end = async () => {
    over.abort();
    await looking;
    return screens;
  };
  scope.after(async () => void (await end()));
  return { end };
}

function runsOf(terminal: InstanceType<typeof xterm.Terminal>, row: number): Run[] {
  const { active } = terminal.buffer;
  const line = active.getLine(active.viewportY + row);
  const runs: { text: string; tone: Tone }[] = [];
  for (let column = 0; line !== undefined && column < terminal.cols; column += 1) {
    const cell = line.getCell(column);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const tone = cell.isDim() ? "dim" : cell.isFgPalette() ? (TONES[cell.getFgColor() % 8] ?? "plain") : "plain";
    const text = cell.getChars() || " ";
    const last = runs.at(-1);
    if (last?.tone === tone) last.text += text;
    else runs.push({ text, tone });
  }
  const last = runs.at(-1);
  if (last !== undefined) last.text = last.text.trimEnd();
  return runs.filter(({ text }) => text !== "");
}
