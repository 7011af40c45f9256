// Pure. The command that gets a member out of a state that the watchdog leaves to people: (what is odd about it) -> a line for a shell.

export interface OddState {
  readonly id: string;
  readonly service: string;
  readonly engine: "docker" | "process" | "swarm";
  /** Such as the stack. */
  readonly project: string;
  readonly status: string;
  readonly held: boolean;
  readonly paused: boolean;
  /** An operator has set its weight to 0. */
  readonly drained: boolean;
}

/** @returns null: there is nothing to do, or the watchdog does it */
export function cureOf(odd: OddState): string | null {
  const { id, service, engine, status, held, paused, drained } = odd;
  if (engine === "swarm") return swarmCure(odd);
  const ctl = engine === "docker" ? "docker compose exec watchdog node watchdogctl.js" : "npm run ctl --";
  if (held) return `${ctl} release ${id}`;
  if (paused) return `${ctl} resume ${service}`;
  if (status === "stopped on purpose")
    return engine === "docker" ? `docker compose start ${service}` : `${ctl} heal ${id}`;
  if (status === "paused") return engine === "docker" ? `docker compose unpause ${service}` : null;
  if (status === "misconfigured") return engine === "docker" ? `docker compose up -d ${service}` : null;
  if (status === "quarantined")
    return engine === "docker" ? `docker compose logs ${service}` : `${ctl} incidents --slot ${id}`;
  return drained ? `${ctl} weight ${id} default` : null;
}

/** Whatever is wrong with a task, Swarm has a word on it. */
function swarmCure({ project, service, status }: OddState): string | null {
  const isOdd = ["down", "silent", "misconfigured"].includes(status);
  return isOdd ? `docker service ps --no-trunc ${project}_${service}` : null;
}
