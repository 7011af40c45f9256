// Which of a container's addresses the tier in front is told, and which one the watchdog probes, on segmented networks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Addresses, addressesOf, type Neighbours } from "../../watchdog/engines/docker/containers/addresses.ts";

const on = (...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { IPAddress: `${name}-address` }]));
const among = (own: readonly string[], ...fronts: readonly (readonly string[])[]): Neighbours => ({
  own: new Set(own),
  fronts: fronts.map((front) => new Set(front)),
});

const cases: readonly [string, ReturnType<typeof on>, Neighbours, Addresses][] = [
  ["one network that all are on", on("mesh"), among(["mesh"], ["mesh"]), { host: "mesh-address" }],
  ["no network", {}, among(["mesh"], ["mesh"]), {}],
  ["no address yet", { mesh: { IPAddress: "" } }, among(["mesh"], ["mesh"]), {}],
  ["two, one of them shared with the front", on("a", "b"), among(["b", "a"], ["b"]), { host: "b-address" }],
  [
    "one shared with the front, another with the watchdog",
    on("app", "ops"),
    among(["ops"], ["app", "edge"]),
    { host: "app-address", probeHost: "ops-address" },
  ],
  [
    "two shared with the front, of which the watchdog sees one",
    on("a", "b"),
    among(["b"], ["a", "b"]),
    { host: "b-address" },
  ],
  ["that of most in front", on("a", "b"), among(["a", "b"], ["a"], ["b"], ["b"]), { host: "b-address" }],
  ["out of the watchdog's sight", on("app"), among(["ops"], ["app"]), { host: "app-address", outOfSight: true }],
  ["out of everybody's sight", on("alone"), among(["ops"], ["app"]), { outOfSight: true }],
  ["nobody in front yet", on("a", "b"), among(["b"]), { host: "b-address" }],
  ["a front that shares nothing", on("a", "b"), among(["b"], ["c"]), { host: "b-address" }],
  ["a watchdog that is no container", on("a", "b"), among([], ["b"]), { host: "b-address" }],
];

for (const [what, networks, neighbours, addresses] of cases) {
  test(`addresses: ${what}`, () => assert.deepEqual(addressesOf(networks, neighbours), addresses));
}
