// What still breaks a check of test/architecture.test.ts, and is known to. The lists are to be emptied: an entry that breaks
// nothing any more is a failure of its own.

/** rooms.ts: `file > file`. */
export const imports: readonly string[] = [
  "watchdog/chaos/faults-docker.ts > watchdog/engines/docker/inspected.ts",
  "watchdog/engines/engine.ts > watchdog/rules/stop-intent.ts",
  "watchdog/incidents/recorder.ts > watchdog/act/replace.ts",
  "watchdog/incidents/recorder.ts > watchdog/metrics.ts",
  "watchdog/incidents/recorder.ts > watchdog/notices/notifier.ts",
];

/** rooms.ts: rooms with too many files. */
export const folders: readonly string[] = ["watchdog/engines/docker: 16 files"];

/** words.ts: files in which a retired word stands. The tests of the tier and the watchdog follow what they test. */
export const words: readonly string[] = [
  "test/tools/watchdog/plan-world.ts",
  "test/tools/watchdog/slot-states.ts",
  "test/watchdog/liveness.test.ts",
  "test/watchdog/observer.test.ts",
  "test/watchdog/plan.test.ts",
  "watchdog/act/executor.ts",
  "watchdog/act/registry-writer.ts",
  "watchdog/engines/docker/engine-docker.ts",
  "watchdog/guardian/guardian.ts",
  "watchdog/observe/liveness.ts",
  "watchdog/observe/observer.ts",
  "watchdog/observe/pulse.ts",
  "watchdog/rules/disruption-budget.ts",
  "watchdog/rules/plan.ts",
];

/** single-rules.ts: `file: rule`. */
export const rules: readonly string[] = [
  "watchdog/chaos/faults-docker.ts: the names of Compose's labels",
  "watchdog/chaos/schedule.ts: the list of roles",
  "watchdog/ctl/findings-docker.ts: the names of Compose's labels",
  "watchdog/ctl/look-docker.ts: the names of Compose's labels",
  "watchdog/engines/docker/connection.ts: the names of Compose's labels",
  "watchdog/engines/docker/containers.ts: the names of Compose's labels",
  "watchdog/engines/docker/events.ts: the names of Compose's labels",
  "watchdog/engines/docker/inspected.ts: the names of Compose's labels",
  "watchdog/engines/docker/templates.ts: the names of Compose's labels",
];

/** single-rules.ts: places of its table that are not there yet. */
export const absent: readonly string[] = ["watchdog/engines/docker/compose-labels.ts: the names of Compose's labels"];

/** single-rules.ts: names that several exported types have. */
export const types: readonly string[] = [
  "Choice",
  "Command",
  "Facts",
  "Failure",
  "Life",
  "Report",
  "Round",
  "Surroundings",
  "Verdict",
];

/** Files of more than 250 lines. */
export const files: readonly string[] = ["test/tools/watchdog/plan-world.ts: 392 lines"];
