// The watchdog's heartbeats: as long as they reach the guardian, this process's event loop turns.

import { HEARTBEAT_MS } from "./rules.ts";

/** Sends heartbeats until the process ends. Without a guardian nothing is sent. */
export function sendHeartbeats(): void {
  if (process.send === undefined) return;
  const once = () => {
    // A guardian that has gone closes our stdin too, which is what ends us.
    if (process.connected) process.send?.("heartbeat", undefined, undefined, () => {});
  };
  once();
  setInterval(once, HEARTBEAT_MS).unref();
}
