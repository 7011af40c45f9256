// What a template takes from a later look at its container, and which MAC addresses were configured: facts of pure files.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Inspected } from "../../watchdog/engines/docker/containers/document.ts";
import { configuredMac } from "../../watchdog/engines/docker/containers/mac-address.ts";
import { mayOverlap } from "../../watchdog/engines/docker/containers/overlap.ts";
import { areAlike, latestOf } from "../../watchdog/engines/docker/twin/latest.ts";

const MAC = "02:42:0a:63:00:63";
const byEngine = { MacAddress: "02:42:ac:11:00:02", IPAddress: "172.17.0.2" };
const given = { MacAddress: MAC, IPAddress: "172.18.0.2" };

const container = (changes: Partial<Inspected> = {}): Inspected => ({
  Id: "one",
  Name: "/p-server-1-1",
  Image: "sha256:1",
  Config: { Image: "evenkeel" },
  HostConfig: {},
  NetworkSettings: { Networks: { default: byEngine, side: given } },
  ...changes,
});

test("what docker update has changed is taken over, dead or alive", () => {
  const updated = container({ HostConfig: { Memory: 1_000 } });
  for (const reached of [true, false]) assert.equal(latestOf(container(), updated, reached).HostConfig.Memory, 1_000);
});

test("a network that it was connected to is taken over, and one that it was taken off while it serves is not kept", () => {
  const connected = container({ NetworkSettings: { Networks: { default: byEngine, more: { Aliases: ["a"] } } } });
  assert.deepEqual(Object.keys(latestOf(container(), connected, true).NetworkSettings.Networks ?? {}), [
    "default",
    "more",
  ]);
});

test("what is out of reach keeps the networks, and the addresses on them, that it had", () => {
  const gone = container({ NetworkSettings: { Networks: { more: {} } } });
  const { Networks } = latestOf(container(), gone, false).NetworkSettings;
  assert.deepEqual(Networks, { more: {}, default: byEngine, side: given });
});

test("another container's networks are its own", () => {
  const other = container({ Id: "two", NetworkSettings: { Networks: {} } });
  assert.deepEqual(latestOf(container(), other, false), other);
});

test("only what makes another twin is worth keeping", () => {
  assert.ok(areAlike(container(), { ...container(), State: { Running: false } } as Inspected));
  assert.ok(!areAlike(container(), container({ HostConfig: { Memory: 1 } })));
});

test("a MAC address is taken for configured where the engine derives its own and this is none of them", () => {
  const networks = { default: byEngine, side: given };
  assert.deepEqual([configuredMac(networks, "default"), configuredMac(networks, "side")], [undefined, MAC]);
  // An engine that gives random ones may have given both.
  const random = { default: { ...byEngine, MacAddress: "1a:2b:3c:4d:5e:6f" }, side: given };
  assert.equal(configuredMac(random, "side"), undefined);
  assert.equal(configuredMac({ default: byEngine, side: {} }, "side"), undefined);
});

test("a container with a MAC address of its own never runs beside its twin", () => {
  assert.equal(mayOverlap(container()), false);
  assert.equal(mayOverlap(container({ NetworkSettings: { Networks: { default: byEngine } } })), true);
});
