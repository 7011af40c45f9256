// Pure. Every event that a process of ours logs, with its level and its meaning. docs/observability.md is made from this list.
// A thing that fails and recovers has a pair: `<thing>-failing` when the reason appears or changes, `<thing>-recovered` when it
// is gone (log.ts, Condition). The watchdog reads some of these lines as reports (watchdog/rules/member-reports.ts).

type Level = "debug" | "info" | "warn" | "error";

interface LoggedEvent {
  readonly level: Level;
  readonly meaning: string;
  /** Read by the watchdog: written whatever LOG_LEVEL says. */
  readonly report?: true;
}

export const events = {
  listening: { level: "info", meaning: "A process listens; the line holds its ports.", report: true },
  ready: {
    level: "info",
    meaning: "A tier has a member to forward to; the watchdog: every slot has arrived.",
    report: true,
  },
  "not-ready": { level: "info", meaning: "A tier has no member to forward to.", report: true },
  draining: { level: "info", meaning: "A process was told to stop and finishes what it has.", report: true },
  stopped: {
    level: "info",
    meaning: "A process ends; `cut` counts the requests and upgrades that it had to cut.",
  },

  "member-failing": { level: "warn", meaning: "A tier ejected a member from its traffic.", report: true },
  "member-half-open": {
    level: "info",
    meaning: "An ejected member answers probes again and gets one request to show itself.",
  },
  "member-recovered": { level: "info", meaning: "An ejected member is back in a tier's traffic." },
  "cluster-failing": {
    level: "warn",
    meaning: "More than half of a tier's members are ejected: it uses all of them (panic mode).",
  },
  "cluster-recovered": { level: "info", meaning: "Enough of a tier's members are up again: it heeds their health." },
  "request-retried": { level: "info", meaning: "A request was answered after at least one failed attempt." },
  "request-failed": { level: "warn", meaning: "No attempt for a request was answered." },

  access: { level: "info", meaning: "A request is over (ACCESS_LOG): attempts, member, times in ms, trace id." },

  "descriptors-few": {
    level: "warn",
    meaning: "A tier may have fewer files open than CONNECTIONS_MAX and its members need.",
  },
  "worker-failing": { level: "error", meaning: "One of a tier's workers ended or hung; another takes its place." },
  "worker-recovered": { level: "info", meaning: "A worker listens in the place of the one that ended." },

  "registry-awaited": { level: "info", meaning: "There is no registry yet; a tier waits for its file." },
  "registry-adopted": { level: "info", meaning: "A tier works by this version of the registry from now on." },
  "registry-failing": { level: "warn", meaning: "The registry's file cannot be used; the last good version stays." },
  "registry-recovered": { level: "info", meaning: "The registry's file can be used again." },
  "registry-url-failing": {
    level: "warn",
    meaning: "The watchdog at REGISTRY_URL gives no registry that can be used; the last good version stays.",
  },
  "registry-url-recovered": { level: "info", meaning: "The watchdog at REGISTRY_URL gives the registry again." },
  "registry-published": { level: "info", meaning: "The watchdog wrote a new version of the registry." },
  "registry-put-aside": { level: "warn", meaning: "The watchdog found a registry that it cannot read and renamed it." },

  output: {
    level: "info",
    meaning:
      "A line that a program of yours wrote (`--command`), 8 KiB of it at most; `dropped`: so many before it, past 1000 a second.",
  },

  "stop-intent": { level: "info", meaning: "Somebody asked a member to stop, or to run again." },
  "heal-begun": { level: "info", meaning: "The watchdog begins to replace a member." },
  "heal-started": { level: "info", meaning: "The successor was started; it has yet to be verified." },
  "member-started": { level: "info", meaning: "The sample of a roll was started." },
  "member-retired": {
    level: "info",
    meaning: "A member was drained, stopped and removed: a roll is over its sample, or a scale wants fewer.",
  },
  "member-drained": {
    level: "info",
    meaning: "A member is out of traffic and about to be stopped; whether it had finished what it had (`idle`).",
  },
  "member-added": { level: "info", meaning: "A scale has made one more replica and started it." },
  "scale-begun": { level: "info", meaning: "A scale was ordered." },
  "scale-turned": { level: "info", meaning: "A scale is undone, or is over." },
  "roll-begun": { level: "info", meaning: "A roll was ordered." },
  "roll-turned": { level: "info", meaning: "A roll goes on another way, or is over." },
  "slot-forgotten": {
    level: "info",
    meaning: "Somebody stopped the slot's member and took it away: it is nobody's any more.",
  },
  "heal-committed": { level: "info", meaning: "The successor answers and stays; its predecessor is gone." },
  "heal-rolled-back": { level: "info", meaning: "The successor was taken away; its predecessor has its place again." },
  "heal-left-unfinished": {
    level: "info",
    meaning: "The watchdog stops in the middle of a heal; the next one finishes it.",
  },
  "heal-failed": { level: "error", meaning: "The successor could not be made or started." },
  "heal-step-failed": {
    level: "error",
    meaning: "A commit or a rollback could not be done now; the next round tries again.",
  },
  "files-lost": {
    level: "error",
    meaning:
      "A successor lacks secrets or configs that Compose had copied in: nobody has them any more; `what` says the fix.",
  },
  "rounds-failing": {
    level: "error",
    meaning: "The watchdog's rounds fail: the engine does not answer, or the disk is full.",
  },
  "rounds-recovered": { level: "info", meaning: "The watchdog's rounds succeed again." },
  "watchdog-respawned": { level: "error", meaning: "The guardian starts the watchdog again, after the given delay." },

  "watchdog-unseparated": {
    level: "warn",
    meaning: "The watchdog could use the Docker socket itself, or is root; the line says what to change.",
  },
  "call-refused": {
    level: "warn",
    meaning: "The guardian let a call to the Docker engine through to nobody: no watchdog of ours makes it.",
  },
  "filter-memory-failing": {
    level: "warn",
    meaning: "The guardian cannot read or write what it remembers of removed containers.",
  },
  "filter-memory-recovered": { level: "info", meaning: "It can again." },

  "lease-waiting": { level: "info", meaning: "Another watchdog leads; this one stands by." },
  "lease-acquired": { level: "info", meaning: "This watchdog leads." },
  "lease-lost": { level: "error", meaning: "Another watchdog leads; this one ends." },
  "lease-released": { level: "info", meaning: "This watchdog no longer leads; the next one may at once." },
  "lease-failing": { level: "error", meaning: "The lease's files cannot be read or written." },
  "lease-recovered": { level: "info", meaning: "The lease's files can be read and written again." },

  "templates-failing": {
    level: "error",
    meaning: "What members are made from cannot be written to disk; heals go on from memory.",
  },
  "templates-recovered": { level: "info", meaning: "It is written to disk again." },
  "incidents-unreadable": { level: "warn", meaning: "Some incident files cannot be read; they stay as they are." },
  "incidents-failing": { level: "error", meaning: "Incidents cannot be written to disk." },
  "incidents-recovered": { level: "info", meaning: "Incidents are written to disk again." },
  "notices-failing": { level: "warn", meaning: "The webhook cannot be told." },
  "notices-recovered": {
    level: "info",
    meaning: "The webhook can be told again; `lost` counts the notices that it never got.",
  },
  "notices-lost": { level: "warn", meaning: "The watchdog stops and some notices were never delivered." },
} as const satisfies Record<string, LoggedEvent>;

export type EventName = keyof typeof events;

/** What can fail and recover. */
export type Failing = EventName extends infer Name ? (Name extends `${infer Thing}-failing` ? Thing : never) : never;
