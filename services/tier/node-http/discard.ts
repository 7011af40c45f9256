// The rest of a request's body that nobody wants any more.

import type { IncomingMessage } from "node:http";

/** How long a client may go on sending a body that nobody reads any more. */
const DISCARD_MS_MAX = 5_000;
/** After so long a silence it is taken to have noticed. */
const DISCARD_SILENCE_MS = 500;

/** Reads what a client still sends and drops it; calls when it has ended, or is silent, or has had its time. */
export function discardRest(request: IncomingMessage, done: () => void): void {
  if (request.complete || request.destroyed) {
    done();
    return;
  }
  const limits = [setTimeout(finish, DISCARD_MS_MAX), setTimeout(finish, DISCARD_SILENCE_MS)] as const;
  function finish(): void {
    for (const limit of limits) clearTimeout(limit);
    request.off("data", onData).off("close", finish).off("end", finish);
    done();
  }
  function onData(): void {
    limits[1].refresh();
  }
  request.on("data", onData).once("close", finish).once("end", finish).resume();
}
