// Pure. Has a container of an earlier version of a service rights that one of now has not? An image, variables, a command, labels and
// limits of memory and processor are none; all else that it is given of the host is one.

import { composeLabel } from "../../../engines/docker/compose-labels.ts";
import { twinOf } from "../../../engines/docker/twin/recreate.ts";
import { asReplica } from "../../../engines/docker/twin/replica.ts";
import type { Kept } from "./kept.ts";
import { difference } from "./twin-check.ts";

/** How much of the machine it may use, which says nothing of what it may do there. */
const LIMITS = new Set(
  ["Memory", "MemorySwap", "MemoryReservation", "MemorySwappiness", "ShmSize", "PidsLimit", "OomKillDisable"].concat(
    ...["NanoCpus", "CpuShares", "CpuPeriod", "CpuQuota", "CpuCount", "CpuPercent", "BlkioWeight"],
  ),
);
const OF_ONE_SERVICE = [composeLabel.project, composeLabel.service, composeLabel.oneOff];

/** @returns the first thing that is otherwise; undefined: it may do no more */
export function otherRights(former: Kept, now: Kept): string | undefined {
  const stranger = OF_ONE_SERVICE.find((label) => former.Config.Labels?.[label] !== now.Config.Labels?.[label]);
  return stranger === undefined ? difference(rightsOf(former), rightsOf(now), "") : `Labels.${stranger}`;
}

/** What its twin would be made with, as one and the same replica: a replica's own volumes and name are its own. */
function rightsOf(kept: Kept): object {
  const options = { image: "", environment: {}, parents: new Map<string, string>(), portMoves: 0 };
  const { User, HostConfig, NetworkingConfig } = twinOf(asReplica(kept, "1"), options);
  const host = Object.entries(HostConfig as object).filter(([field]) => !LIMITS.has(field));
  return JSON.parse(JSON.stringify({ User, HostConfig: Object.fromEntries(host), NetworkingConfig })) as object;
}
