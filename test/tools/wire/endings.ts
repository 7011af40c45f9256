// How an origin ends a connection behind what it says.

import type { Script } from "./recording-origin.ts";

/** Sends it when the whole request is there, and then ends or breaks the connection. */
export function then(how: "end" | "reset", bytes: string): Script {
  return async (peer) => {
    await peer.whole;
    // A reset must not overtake what is still in the buffer.
    peer.socket.write(bytes, "latin1", () => (how === "end" ? peer.end() : peer.reset()));
  };
}
