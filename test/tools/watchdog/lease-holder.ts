// A watchdog's stand-in that has a lease: acts every few milliseconds while it holds, and tells each act on stdout with its
// time on the machine's monotonic clock, which all processes share. A line on stdin makes it release and leave.

import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { openLease } from "../../../watchdog/leader/lease.ts";
import { recordedLog } from "../log.ts";

const ACT_INTERVAL_MS = 5;

const [registryFile, id] = process.argv.slice(2) as [string, string];
const { log } = recordedLog();
const lease = await openLease({
  registryFile,
  id,
  hasEnded: async () => false,
  log,
  stop: new AbortController().signal,
});
const tell = (event: string, fields = {}) => process.stdout.write(`${JSON.stringify({ event, id, ...fields })}\n`);
lease.lost.addEventListener("abort", () => tell("lost"));
tell("opened");
const told = once(process.stdin, "data");
let releasing = false;
void told.then(() => {
  releasing = true;
});
const epoch = await lease.lead();
tell("leads", { epoch });
while (!releasing) {
  // Before the question: whoever is frozen between the two has acted then, not later.
  const atNs = String(process.hrtime.bigint());
  if (lease.held()) tell("act", { epoch, atNs });
  await delay(ACT_INTERVAL_MS);
}
await lease.release();
process.exit(0);
