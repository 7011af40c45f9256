// Our stdout, which is also the pipe to the watchdog (see watchdog/rules/member-reports.ts). A reader that stalls or leaves must never hold us
// up: writes are asynchronous and bounded. (process.stdout blocks on a full pipe; pino's own destination never returns from a
// broken one.)

import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";

/** What may wait for a stalled reader; past it lines are dropped, traffic is not. */
const BUFFER_BYTES_MAX = 1024 * 1024;
const FLUSH_MS_MAX = 500;

let stream: Writable | undefined;
let shape: (lines: string) => string = (lines) => lines;

/** @param lines whole ones, with their ends */
export function writeOut(lines: string): void {
  const shaped = shape(lines);
  stream ??= openStdout();
  if (shaped !== "" && stream.writableLength < BUFFER_BYTES_MAX) stream.write(shaped);
}

/** From now on lines are written otherwise than they come. */
export function shapeOut(shaped: (lines: string) => string): void {
  shape = shaped;
}

/** Resolves when all lines are with the reader, or it has had its time. */
export function flushOut(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, FLUSH_MS_MAX).unref();
    stream ??= openStdout();
    stream.write("", () => resolve());
  });
}

function openStdout(): Writable {
  const kind = fstatSync(1);
  const stdout =
    kind.isFIFO() || kind.isSocket() ? new Socket({ fd: 1, readable: false, writable: true }) : process.stdout;
  stdout.on("error", () => {});
  return stdout;
}
