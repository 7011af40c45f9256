// Is a body that of a twin? Of a container as Compose makes it (tools/docker/inspected.ts), with what a heal may choose, and with one
// thing more or less: each field that gives a container rights, one row.

import assert from "node:assert/strict";
import { test } from "node:test";
import { twinOf } from "../../watchdog/engines/docker/twin/recreate.ts";
import type { Kept } from "../../watchdog/guardian/socket/rules/kept.ts";
import { checkTwin, type TwinKnowledge } from "../../watchdog/guardian/socket/rules/twin-check.ts";
import { ID, IMAGE_ID, inspected } from "../tools/docker/inspected.ts";

type Changes = Readonly<Record<string, unknown>>;

const look = (HostConfig: Changes = {}): Kept => {
  const made = inspected();
  return { ...made, Created: "2026-01-01T00:00:00Z", HostConfig: { ...made.HostConfig, ...HostConfig } };
};
const twin = (of: Kept, options: Partial<Parameters<typeof twinOf>[1]> = {}) =>
  JSON.parse(
    JSON.stringify(
      twinOf(of, { image: of.Config.Image, environment: {}, parents: new Map(), portMoves: 0, ...options }),
    ),
  ) as Changes & { readonly HostConfig: Changes; readonly Env: readonly string[] };

const KNOWN: TwinKnowledge = { tagged: IMAGE_ID, serviceOf: () => undefined };
const check = (body: unknown, looks: readonly Kept[] = [look()], known = KNOWN) => {
  const found = checkTwin(body, looks, known);
  return found.kind === "twin" ? "twin" : found.differs;
};
const body = twin(look());
const host = (changes: Changes) => ({ ...body, HostConfig: { ...body.HostConfig, ...changes } });

const sound: readonly [what: string, unknown][] = [
  ["the same", body],
  ["the image by its id", twin(look(), { image: IMAGE_ID })],
  [
    "another registry, port and nonce",
    twin(look(), { environment: { REGISTRY: "{}", PORT: "9005", REPORT_NONCE: "a1" } }),
  ],
  ["no port of its own any more", twin(look(), { environment: { PORT: "" } })],
  ["variables in another order", { ...body, Env: [...body.Env].reverse() }],
  ["a port of the host three further", twin(look(), { portMoves: 3 })],
  ["what is empty left out", host({ CapAdd: null, Privileged: false })],
];

for (const [what, given] of sound) test(`${what} is a twin`, () => assert.equal(check(given), "twin"));

const other: readonly [differs: string, unknown][] = [
  ["Image", { ...body, Image: "other" }],
  ["User", { ...body, User: "0" }],
  ["Cmd.0", { ...body, Cmd: ["sh"] }],
  ["Entrypoint", { ...body, Entrypoint: ["sh"] }],
  ["Healthcheck", { ...body, Healthcheck: { Test: ["CMD", "sh"] } }],
  [
    "Labels.com.docker.compose.project",
    { ...body, Labels: { ...(body.Labels as object), "com.docker.compose.project": "x" } },
  ],
  ["Env", { ...body, Env: [...body.Env, "LD_PRELOAD=/x"] }],
  ["Env", { ...body, Env: [...body.Env, "PORT=x"] }],
  ["Env", { ...body, Env: [...body.Env, "REGISTRY=file"] }],
  ["Env", { ...body, Env: [...body.Env, "PORT=1", "PORT=2"] }],
  ["Env", { ...body, Env: body.Env.slice(1) }],
  ["HostConfig.Mounts.1", host({ Mounts: [...(body.HostConfig.Mounts as unknown[]), { Type: "bind", Source: "/" }] })],
  ["HostConfig.Binds", host({ Binds: ["/:/host"] })],
  ["HostConfig.CapAdd", host({ CapAdd: ["ALL"] })],
  ["HostConfig.CapDrop", host({ CapDrop: null })],
  ["HostConfig.Devices", host({ Devices: [{ PathOnHost: "/dev/sda" }] })],
  ["HostConfig.Privileged", host({ Privileged: true })],
  ["HostConfig.PidMode", host({ PidMode: "host" })],
  ["HostConfig.IpcMode", host({ IpcMode: "host" })],
  ["HostConfig.UTSMode", host({ UTSMode: "host" })],
  ["HostConfig.UsernsMode", host({ UsernsMode: "host" })],
  ["HostConfig.CgroupnsMode", host({ CgroupnsMode: "host" })],
  ["HostConfig.Runtime", host({ Runtime: "x" })],
  ["HostConfig.Sysctls", host({ Sysctls: { "net.core.somaxconn": "1" } })],
  ["HostConfig.NetworkMode", host({ NetworkMode: "host" })],
  ["HostConfig.SecurityOpt.0", host({ SecurityOpt: [] })],
  ["HostConfig.ReadonlyRootfs", host({ ReadonlyRootfs: false })],
  ["HostConfig.Memory", host({ Memory: 1 })],
  ["HostConfig.RestartPolicy.Name", host({ RestartPolicy: { Name: "always" } })],
  [
    "HostConfig.PortBindings.9004/tcp.0.HostPort",
    host({ PortBindings: { "9004/tcp": [{ HostIp: "", HostPort: "22" }] } }),
  ],
  ["HostConfig.SomethingNew", host({ SomethingNew: 1 })],
  ["hostconfig", { ...body, hostconfig: { Privileged: true } }],
  ["HostConfig", { ...body, HostConfig: "none" }],
  ["the body", "text"],
  ["the body", null],
];

for (const [differs, given] of other) {
  test(`${JSON.stringify(given)?.slice(-60)} is no twin, for its ${differs}`, () => {
    assert.ok(check(given).startsWith(differs), check(given));
  });
}

test("a tag that means another image by now is no twin's", () => {
  assert.equal(check(body, [look()], { ...KNOWN, tagged: "sha256:other" }), "Image");
});

test("what goes to the engine is made here: of a field that is empty, in whatever way, nothing is passed on", () => {
  const found = checkTwin({ ...body, user: "", HOSTCONFIG: {} }, [look()], KNOWN);
  assert.ok(found.kind === "twin");
  assert.deepEqual(found.body, body);
});

test("a twin of any of the looks will do", () => {
  const updated = look({ Memory: 1 });
  assert.equal(check(twin(updated), [look(), updated]), "twin");
});

test("whose network it shares may be another container by now, of the same service", () => {
  const [was, now, elsewhere] = ["a", "b", "c"].map((letter) => letter.repeat(64)) as [string, string, string];
  const services = new Map([
    [was, "vpn"],
    [now, "vpn"],
    [elsewhere, "db"],
  ]);
  const known = { ...KNOWN, serviceOf: (id: string) => services.get(id) };
  const sharing = look({ NetworkMode: `container:${was}`, PortBindings: {} });
  const behind = (id: string) => twin(sharing, { parents: new Map([[was, id]]) });
  assert.equal(check(behind(was), [sharing], known), "twin");
  assert.equal(check(behind(now), [sharing], known), "twin");
  assert.equal(check(behind(elsewhere), [sharing], known), "HostConfig.NetworkMode");
  assert.equal(check(behind(ID), [sharing], known), "HostConfig.NetworkMode");
});
