// Reads the registry's file, whatever stands in its place: a pipe, a device, a file without an end, or one whose disk does not
// answer cannot hold its reader up.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { REGISTRY_BYTES_MAX } from "./document.ts";

/** What is smaller has the same room: the file is one that is renamed into its place, and seldom grows. */
const LEAST_BYTES = 65_536;
/** A disk in good order takes a thousandth of it. */
const ANSWER_MS_MAX = 2_000;
/** Each reading that hangs holds one of the four threads that all files of a process are read by. */
const HANGING_MAX = 2;

export type Reading =
  | { readonly kind: "absent" }
  /** `mark`: what changes when the file does. */
  | { readonly kind: "read"; readonly text: string; readonly mark: string }
  /** As it was at `known`. */
  | { readonly kind: "same" }
  | { readonly kind: "unreadable"; readonly reason: string; readonly mark?: string };

/** @param known the mark of what need not be read again */
export type ReadFile = (file: string, known?: string) => Promise<Reading>;

/** Reads without a limit of time: whoever cannot wait takes a RegistryFile. */
export async function readRegistryFile(file: string, known?: string): Promise<Reading> {
  let handle: FileHandle;
  try {
    // A pipe that nobody writes to would not let go of us before somebody does.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "absent" };
    return { kind: "unreadable", reason: `it cannot be read (${code ?? message})` };
  }
  try {
    return await readOpened(handle, known);
  } catch (error) {
    return { kind: "unreadable", reason: `it cannot be read (${(error as NodeJS.ErrnoException).code})` };
  } finally {
    await handle.close().catch(() => {});
  }
}

async function readOpened(handle: FileHandle, known: string | undefined): Promise<Reading> {
  const found = await handle.stat({ bigint: true });
  const mark = `${found.ino}:${found.mtimeNs}:${found.size}`;
  if (mark === known) return { kind: "same" };
  if (!found.isFile()) return { kind: "unreadable", reason: "it is no regular file", mark };
  const tooLarge = { kind: "unreadable", reason: `it is larger than ${REGISTRY_BYTES_MAX} bytes`, mark } as const;
  if (found.size > REGISTRY_BYTES_MAX) return tooLarge;
  const grows = { kind: "unreadable", reason: "it grows while it is read" } as const;
  // One more than it had shows whether it has grown since.
  const bytes = Buffer.alloc(Math.min(REGISTRY_BYTES_MAX, Math.max(Number(found.size), LEAST_BYTES)) + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
    if (length === bytes.length) return length > REGISTRY_BYTES_MAX ? tooLarge : grows;
  }
  return { kind: "read", text: bytes.toString("utf8", 0, length), mark };
}

/** Readings of one file, each answered in time. */
export class RegistryFile {
  readonly #file: string;
  readonly #read: ReadFile;
  #hanging = 0;

  constructor(file: string, read: ReadFile = readRegistryFile) {
    this.#file = file;
    this.#read = read;
  }

  /** What a reading says that was given up comes to nothing. */
  async read(known?: string): Promise<Reading> {
    const late: Reading = { kind: "unreadable", reason: `nothing came of reading it within ${ANSWER_MS_MAX} ms` };
    if (this.#hanging >= HANGING_MAX) return late;
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, ANSWER_MS_MAX, "late");
    });
    const reading = this.#read(this.#file, known);
    const first = await Promise.race([reading, timeUp]);
    clearTimeout(timer);
    if (first !== "late") return first;
    this.#hanging += 1;
    const over = () => {
      this.#hanging -= 1;
    };
    reading.then(over, over);
    return late;
  }
}
