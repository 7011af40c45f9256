// Pure. What the watchdog's socket lets through on a Swarm: looks, all of them GETs, as the discovery makes them (engines/swarm/manager.ts).
// Nothing here changes anything. What a service's environment holds can be read, of any stack.

import { type CallRow, LOOKS, plain } from "./call.ts";

const OF_A_STACK = '"label":\\["com\\.docker\\.stack\\.namespace=[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"\\]';
const STACKS_SERVICES = new RegExp(`^\\{${OF_A_STACK}\\}$`);
const STACKS_TASKS = new RegExp(
  `^\\{(?:${OF_A_STACK}(?:,"desired-state":\\["running"\\])?|"id":\\["[a-z0-9",]{1,3000}"\\])\\}$`,
);
const CHANGES = /^\{"type":\["service","node"\]\}$/;
const YES = /^(?:true|1)$/;

export const SWARM_CALLS: readonly CallRow[] = [
  ...LOOKS,
  { method: "GET", path: /^\/tasks$/, parameters: { filters: STACKS_TASKS }, needs: ["filters"], call: plain },
  { method: "GET", path: /^\/services$/, parameters: { filters: STACKS_SERVICES }, needs: ["filters"], call: plain },
  { method: "GET", path: /^\/nodes$/, call: plain },
  { method: "GET", path: /^\/events$/, parameters: { filters: CHANGES }, needs: ["filters"], call: plain },
  {
    method: "GET",
    path: /^\/tasks\/[a-z0-9]{1,32}\/logs$/,
    parameters: { stdout: YES, stderr: YES, tail: /^\d{1,7}$/, follow: YES, since: /^\d{1,12}$/ },
    needs: ["stdout"],
    call: plain,
  },
];
