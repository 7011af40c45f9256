// Reads a stream no faster than this process can take in beside its work: one that has had its share of a moment waits for the
// next one, and whoever writes into it waits with it, or has his lines dropped by himself.

import { once } from "node:events";
import type { Readable } from "node:stream";

const MOMENT_MS = 20;
/** Of one stream in a moment. To look at a line costs as much as to look for its end in so many bytes. */
const BYTES_MAX = 4 * 1024 * 1024;
const LINE_COSTS_BYTES = 1_024;

/** Resolves when the stream is over, however it ended. @param take returns how many lines ended in the piece */
export async function readPaced(stream: Readable, take: (piece: Buffer) => number): Promise<void> {
  let left = BYTES_MAX;
  let moment: NodeJS.Timeout | undefined;
  const nextMoment = () => {
    moment = undefined;
    left = BYTES_MAX;
    stream.resume();
  };
  stream.on("data", (piece: Buffer) => {
    left -= piece.length + take(piece) * LINE_COSTS_BYTES;
    moment ??= setTimeout(nextMoment, MOMENT_MS);
    if (left <= 0) stream.pause();
  });
  // It may have come paused.
  stream.resume();
  if (!stream.closed) await once(stream, "close").catch(() => {});
  clearTimeout(moment);
}
