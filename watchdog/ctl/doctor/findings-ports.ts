// Pure. Which containers the engine could not start because somebody has their port on the host: Compose gives up there, and says
// nothing of the setting that would help.

import type { ContainerInspectInfo } from "dockerode";
import { nameOf } from "../../engines/docker/container-names.ts";
import { lifeOf } from "../../engines/docker/containers/inspected.ts";
import { slotOf } from "../../engines/docker/containers/slot.ts";
import { metTakenPort } from "../../rules/port-conflict.ts";
import { fault, type Problem } from "./finding.ts";
import { roleOf } from "./findings-labels.ts";

type PortBindings = Readonly<Record<string, readonly { readonly HostPort?: string }[]>>;

export function portProblems(containers: readonly ContainerInspectInfo[]): Problem[] {
  return containers.filter(wasRefused).map((container) => {
    const name = slotOf(container)?.id ?? nameOf(container);
    const ports = portsOf(container);
    const which = ports.length === 0 ? "a port of it" : `port ${ports.join(" or ")}`;
    const fix = `${remedyOf(container, Number(ports[0]))}, or stop what listens there; then docker compose up -d`;
    return fault(`${name} was not started: ${which} on this host is in use`, fix);
  });
}

function wasRefused(container: ContainerInspectInfo): boolean {
  const life = lifeOf(container);
  return life.kind === "created" && metTakenPort(life);
}

/** Those that the engine names; where it names none, all that are published. */
function portsOf({ HostConfig, State }: ContainerInspectInfo): string[] {
  const bindings = Object.values((HostConfig.PortBindings ?? {}) as PortBindings).flat();
  const published = new Set(bindings.map(({ HostPort }) => HostPort ?? "").filter((port) => port !== ""));
  const said = new Set(State.Error.match(/(?<=:)\d{1,5}\b/g));
  const named = [...published].filter((port) => said.has(port));
  return named.length > 0 ? named : [...published];
}

function remedyOf(container: ContainerInspectInfo, port: number): string {
  const role = roleOf(container);
  if (role !== "balancer" && role !== "watchdog") return "give it another one under ports";
  const another = port < 65_535 ? port + 1 : 8081;
  return `${role === "balancer" ? "BALANCER_PORT" : "WATCHDOG_PORT"}=${another} in .env`;
}
