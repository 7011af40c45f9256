// What is kept of a service's versions: which one is the version before, on disk too; and whether the filter takes an earlier version for
// one with no more rights than the service has now, one row for each thing that gives a container rights.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Inspected } from "../../watchdog/engines/docker/containers/document.ts";
import { makingOf } from "../../watchdog/engines/docker/containers/inspected.ts";
import { Versions } from "../../watchdog/engines/docker/twin/versions.ts";
import type { Kept } from "../../watchdog/guardian/socket/rules/kept.ts";
import { otherRights } from "../../watchdog/guardian/socket/rules/rights.ts";
import { inspected } from "../tools/docker/inspected.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const HASH = "com.docker.compose.config-hash";
const version = (hash: string): Inspected => {
  const made = inspected();
  return { ...made, Config: { ...made.Config, Labels: { ...made.Config.Labels, [HASH]: hash } } };
};
const template = (hash: string) => ({
  slot: { id: "app-1", role: "server", service: "app" } as const,
  inspected: version(hash),
  parents: {},
});
const making = (hash: string) => makingOf(version(hash));

test("the version before is the latest kept of which the replicas are not, also for the next watchdog", async (t) => {
  const directory = join(await temporaryDirectory(t), "versions");
  const versions = new Versions(directory);
  await versions.open();
  assert.equal(versions.before("app", [making("one")]), undefined);
  for (const hash of ["one", "two"]) await versions.keep("app", template(hash));
  assert.equal(versions.before("app", [making("two")]), making("one"));
  assert.equal(versions.before("app", [making("one")]), making("two"));
  assert.equal(versions.before("app", [making("bad")]), making("two"), "what never worked is no version");
  assert.equal(versions.before("app", [making("two"), making("bad")]), making("two"), "some are of it yet");
  assert.equal(versions.before("web", [making("two")]), undefined);
  const next = new Versions(directory);
  await next.open();
  assert.equal(next.before("app", [making("two")]), making("one"));
  assert.deepEqual(next.get("app", making("one"))?.inspected, version("one"));
});

test("the one that was gone back to is the latest, and of three the oldest is not kept", async (t) => {
  const versions = new Versions(join(await temporaryDirectory(t), "versions"));
  for (const hash of ["one", "two", "one"]) await versions.keep("app", template(hash));
  assert.equal(versions.before("app", [making("one")]), making("two"));
  await versions.keep("app", template("three"));
  assert.equal(versions.before("app", [making("three")]), making("one"));
  assert.equal(versions.get("app", making("two")), undefined);
});

test("a file that is none is taken away, and nothing is known then", async (t) => {
  const directory = await temporaryDirectory(t);
  for (const text of ["", "[{}]", '[{"slot":{"id":"a"},"parents":{},"inspected":null}]', "7"]) {
    await writeFile(join(directory, "app.json"), text);
    const versions = new Versions(directory);
    await versions.open();
    assert.equal(versions.before("app", [making("one")]), undefined, text);
  }
});

type Changes = Readonly<Record<string, unknown>>;
const now: Kept = { ...inspected(), Created: "2026-01-01T00:00:00Z" };
const former = (config: Changes, host: Changes = {}, networks?: Kept["NetworkSettings"]): Kept => ({
  ...now,
  Config: { ...now.Config, ...config },
  HostConfig: { ...now.HostConfig, ...host },
  ...(networks && { NetworkSettings: networks }),
});
const labelled = (label: string, value: string) => ({ Labels: { ...now.Config.Labels, [label]: value } });

const rows: readonly [what: string, Kept, differs: string | undefined][] = [
  ["the same", now, undefined],
  ["another image", { ...now, Image: "sha256:0", Config: { ...now.Config, Image: "other" } }, undefined],
  ["other variables", former({ Env: ["A=1"] }), undefined],
  ["another command", former({ Cmd: ["sh"], Entrypoint: ["sh"], WorkingDir: "/" }), undefined],
  ["another hash and label", former(labelled(HASH, "other")), undefined],
  ["another number", former(labelled("com.docker.compose.container-number", "3")), undefined],
  ["more memory and processors", former({}, { Memory: 0, NanoCpus: 0, PidsLimit: 0 }), undefined],
  ["another user", former({ User: "0" }), "User"],
  ["another service", former(labelled("com.docker.compose.service", "x")), "Labels.com.docker.compose.service"],
  ["another project", former(labelled("com.docker.compose.project", "x")), "Labels.com.docker.compose.project"],
  ["more of the host", former({}, { Privileged: true }), "HostConfig.Privileged"],
  ["a capability", former({}, { CapAdd: ["ALL"] }), "HostConfig.CapAdd"],
  ["capabilities not dropped", former({}, { CapDrop: null }), "HostConfig.CapDrop"],
  ["a file of the host", former({}, { Binds: ["/:/host"] }), "HostConfig.Binds"],
  ["a device", former({}, { Devices: [{ PathOnHost: "/dev/sda" }] }), "HostConfig.Devices"],
  ["the host's network", former({}, { NetworkMode: "host" }), "HostConfig.NetworkMode"],
  ["the host's processes", former({}, { PidMode: "host" }), "HostConfig.PidMode"],
  ["a file system that may be written", former({}, { ReadonlyRootfs: false }), "HostConfig.ReadonlyRootfs"],
  ["no seccomp", former({}, { SecurityOpt: ["seccomp=unconfined"] }), "HostConfig.SecurityOpt.0"],
  ["another port of the host", former({}, { PortBindings: {} }), "HostConfig.PortBindings"],
  [
    "a network more",
    former({}, {}, { Networks: { ...now.NetworkSettings.Networks, back: {} } }),
    "NetworkingConfig.EndpointsConfig.back",
  ],
];

for (const [what, given, differs] of rows) {
  test(`an earlier version with ${what} ${differs ? "has other rights" : "has the same rights"}`, () => {
    const found = otherRights(given, now);
    assert.ok(differs === undefined ? found === undefined : found?.startsWith(differs), found);
  });
}
