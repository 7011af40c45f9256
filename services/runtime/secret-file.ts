// A secret that stands in a file, as Docker's secrets do, and not in the environment, where whoever may inspect a container reads it.
// Read once, at the start, with a bound; what it holds is never part of a reason.

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

const BYTES_MAX = 4_096;

export type SecretRead =
  | { readonly ok: true; readonly text: string }
  /** What is to be said of the file. */
  | { readonly ok: false; readonly reason: string };

/** Without the end of its line. */
export function readSecretFile(file: string): SecretRead {
  let descriptor: number | undefined;
  try {
    // A pipe that nobody writes to would not let go of us.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) return { ok: false, reason: "is no regular file" };
    const bytes = Buffer.alloc(BYTES_MAX + 1);
    const length = readSync(descriptor, bytes);
    if (length > BYTES_MAX) return { ok: false, reason: `is larger than ${BYTES_MAX} bytes` };
    const text = bytes.toString("utf8", 0, length).replace(/\r?\n$/, "");
    return text === "" ? { ok: false, reason: "is empty" } : { ok: true, text };
  } catch (error) {
    return { ok: false, reason: `cannot be read (${(error as NodeJS.ErrnoException).code})` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
