// Pure. Why the watchdog does not know where a container listens, or cannot reach it, and what people can do about it. Such a
// container may do its work all the same: its twin would be no better known.

import type { ContainerInspectInfo } from "dockerode";

export interface Obstacle {
  readonly what: string;
  readonly fix: string;
}

type Placed = Pick<ContainerInspectInfo, "HostConfig" | "NetworkSettings">;

const LISTENING = "the line that says where it listens";

/** Of one that has not been heard, or has no address. @param networks of the watchdog and of the tier in front; none: any will do */
export function obstacleOf({ HostConfig, NetworkSettings }: Placed, networks: ReadonlySet<string>): Obstacle {
  const ours = [...networks].join(" or ");
  const mode = HostConfig.NetworkMode ?? "";
  if (mode === "host" || mode === "none") {
    const what = `its network_mode is ${mode}, so it has no address where the others could reach it`;
    return { what, fix: `take network_mode away, or give it one of their networks${ours && ` (${ours})`}` };
  }
  const its = Object.keys(NetworkSettings?.Networks ?? {});
  if (!mode.startsWith("container:") && networks.size > 0 && !its.some((name) => networks.has(name))) {
    const what = `it shares no network with the watchdog or with the tier in front, but is on ${its.join(", ") || "none"}`;
    return { what, fix: `give it ${ours} as well` };
  }
  if (!hasReadableLog({ HostConfig })) {
    return { what: "its log cannot be read (logging driver none)", fix: "set another logging driver, such as local" };
  }
  const fix = `let it write ${LISTENING}; or, if it is no part of Evenkeel, take evenkeel.reports away, and set evenkeel.port`;
  return { what: "it has not said where it listens", fix };
}

export function hasReadableLog({ HostConfig }: Pick<ContainerInspectInfo, "HostConfig">): boolean {
  return HostConfig.LogConfig?.Type !== "none";
}
