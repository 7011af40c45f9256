// Pure. How a file is known that Compose has copied into a container before it ran: inspect does not tell of such files, and Compose
// gives them times of whole seconds, between the making of the container and its start.

/** What the engine says of a file, in a header. */
export interface FileFacts {
  readonly size: number;
  /** As Go has it: what is no plain file has a bit above the permissions' nine. */
  readonly mode: number;
  readonly mtime: string;
}

/** When a container was made, and when it was started. */
export interface MadeAndStarted {
  readonly Created: string;
  readonly State: { readonly StartedAt: string };
}

/** Of one container, so many are looked at. */
export const COPIED_FILES_MAX = 32;
const STARTS_WITHIN_MS = 60_000;
const PLAIN_FILE = 0o777;

/** An empty file is the place of a mount. Whoever writes a file in a container that runs hardly ever hits a whole second. */
export function isCopied({ size, mode, mtime }: FileFacts, { Created, State }: MadeAndStarted): boolean {
  const [atMs, createdMs, startedMs] = [mtime, Created, State.StartedAt].map(Date.parse) as [number, number, number];
  if (size === 0 || mode > PLAIN_FILE || mtime.includes(".")) return false;
  // Rounded to the nearest second. What was never started has the year 1 there.
  const untilMs =
    startedMs < createdMs ? createdMs + STARTS_WITHIN_MS : Math.min(startedMs, createdMs + STARTS_WITHIN_MS);
  return atMs > createdMs - 1_000 && atMs <= untilMs + 500;
}

/** The time by which a file that is copied into this container is known again. */
export function copiedAtSeconds({ Created }: Pick<MadeAndStarted, "Created">): number {
  return Math.floor(Date.parse(Created) / 1_000);
}

/** @param header of the engine's answer to a question about a file */
export function factsIn(header: string | readonly string[] | undefined): FileFacts | undefined {
  return typeof header === "string" ? (JSON.parse(Buffer.from(header, "base64").toString()) as FileFacts) : undefined;
}
