// Pure. The settings of a session, the callbacks to its owner, and the ways in which a session ends.

import type { LinkFault } from "./faults.ts";
import type { Stream } from "./stream.ts";
import type { StreamHandler } from "./stream-handler.ts";

export interface SessionSettings {
  /** How many streams at a time the other side may open here; 0: none, as on the side that opens them. */
  readonly streamsMax: number;
  /** The largest head that is taken. */
  readonly headBytesMax: number;
  /** A peer that is silent for so long is given up. */
  readonly silenceMsMax: number;
}

export type SessionEnd =
  /** Both sides wanted no more streams, and all of them were over. */
  | { readonly why: "drained" }
  | { readonly why: "destroyed" }
  | { readonly why: "peer-ended" }
  | { readonly why: "peer-silent" }
  /** It makes us write, and does not read. */
  | { readonly why: "peer-not-reading" }
  | { readonly why: "peer-fault"; readonly fault: LinkFault }
  /** @see https://nodejs.org/api/errors.html#common-system-errors */
  | { readonly why: "connection-error"; readonly code: string };

export interface SessionOwner {
  /** Streams may be opened from now on. */
  onOpen(): void;
  /** The other side has opened a stream. @returns who hears what it says, which begins as soon as this returns */
  onStream(stream: Stream): StreamHandler;
  /** No more streams can be opened; those that are open go on. */
  onGoaway(): void;
  /** Comes before the streams hear that they are broken, so that they are not tried here again. */
  onClose(end: SessionEnd): void;
}
