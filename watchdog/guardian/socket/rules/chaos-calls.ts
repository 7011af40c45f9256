// Pure. What the chaos command's socket lets through: the faults that it does to members, and what reverts them. Its one command
// in a member is ours, and so is how it is begun: a caller chooses the member alone.

import { about, type CallRow, CONTAINER, change, LOOKS, SECONDS_TO_STOP } from "./call.ts";

/** Process 1 is the init of `init: true`, which passes signals on but stops alone: the member is its only child. */
export const HANG = ["sh", "-c", "kill -STOP $(cat /proc/1/task/1/children)"] as const;
const RUN = "(?<exec>[0-9a-f]{64})";

export const CHAOS_CALLS: readonly CallRow[] = [
  ...LOOKS,
  {
    method: "POST",
    path: about("/kill"),
    parameters: { signal: /^SIGKILL$/ },
    needs: ["signal"],
    call: change("/kill"),
  },
  { method: "POST", path: about("/stop"), parameters: { t: SECONDS_TO_STOP }, call: change("/stop") },
  { method: "POST", path: about("/start"), call: change("/start") },
  { method: "POST", path: about("/pause"), call: change("/pause") },
  { method: "POST", path: about("/unpause"), call: change("/unpause") },
  {
    method: "DELETE",
    path: about(""),
    parameters: { force: /^(?:true|1)$/ },
    needs: ["force"],
    call: change(""),
  },
  {
    method: "POST",
    path: new RegExp(`^/containers/${CONTAINER}/exec$`),
    call: ({ id = "" }) => ({ kind: "exec", id }),
  },
  {
    method: "POST",
    path: new RegExp(`^/exec/${RUN}/start$`),
    call: ({ exec = "" }) => ({ kind: "exec-run", exec, what: "start" }),
  },
  {
    method: "GET",
    path: new RegExp(`^/exec/${RUN}/json$`),
    call: ({ exec = "" }) => ({ kind: "exec-run", exec, what: "json" }),
  },
];
