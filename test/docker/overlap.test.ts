// When a container and its twin may run side by side, from documents as the Docker engine writes them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { mayOverlap } from "../../watchdog/engines/docker/containers/overlap.ts";
import { anonymousMount, type Changes, endpoint, inspected } from "../tools/docker/inspected.ts";

const unpublished = { PortBindings: {} as never };
const cases: readonly [string, Changes, boolean][] = [
  ["a member that publishes nothing and only reads may", { hostConfig: unpublished }, true],
  ["one with a tmpfs may", { hostConfig: unpublished, mounts: [{ Type: "tmpfs", Destination: "/x", RW: true }] }, true],
  ["one that publishes a port may not", {}, false],
  ["one that writes to a volume may not", { hostConfig: unpublished, mounts: [anonymousMount("/data")] }, false],
  ["one in the host's network may not", { hostConfig: { ...unpublished, NetworkMode: "host" } }, false],
  ["one in another's network may not", { hostConfig: { ...unpublished, NetworkMode: "container:1f" } }, false],
  [
    "one with an address of its own may not",
    { hostConfig: unpublished, networks: { n: { ...endpoint, IPAMConfig: { IPv4Address: "172.20.0.9" } } } },
    false,
  ],
];

for (const [what, changes, may] of cases) {
  test(`${what} run beside its twin`, () => assert.equal(mayOverlap(inspected(changes)), may));
}
