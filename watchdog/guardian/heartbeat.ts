// The watchdog's beats: as long as they reach the guardian, this process's event loop turns.

import { BEAT_MS } from "./rules.ts";

/** Beats until the process ends. Without a guardian there is nobody to hear, and nothing is sent. */
export function beat(): void {
  if (process.send === undefined) return;
  const once = () => {
    // A guardian that has gone closes our stdin too, which is what ends us.
    if (process.connected) process.send?.("beat", undefined, undefined, () => {});
  };
  once();
  setInterval(once, BEAT_MS).unref();
}
