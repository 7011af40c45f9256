// A container's twin, from documents as the Docker engine writes them: what passes word for word, what is made anew, and
// what is left out because it belonged to the container that died. The real engine has its say in engine-docker.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type TwinOptions, twinOf } from "../../watchdog/engines/docker/twin/recreate.ts";
import { ANONYMOUS, anonymousMount, type Changes, endpoint, inspected, SHORT_ID } from "../tools/docker/inspected.ts";

interface Twin extends Record<string, unknown> {
  readonly Hostname?: string;
  readonly Env: readonly string[];
  readonly Labels: unknown;
  readonly HostConfig: Readonly<Record<string, unknown>> & {
    readonly Binds: readonly string[] | null;
    readonly Mounts: readonly Readonly<Record<string, unknown>>[];
  };
  readonly NetworkingConfig: { readonly EndpointsConfig: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}

type Options = Partial<TwinOptions>;
const asBefore: TwinOptions = { image: "evenkeel", environment: {}, parents: new Map(), portMoves: 0 };
const twin = (changes: Changes = {}, environment: Readonly<Record<string, string>> = {}) =>
  twinOf(inspected(changes), { ...asBefore, environment }) as Twin;
const host = (changes: Changes, options: Options = {}) =>
  (twinOf(inspected(changes), { ...asBefore, ...options }) as Twin).HostConfig;

test("labels pass word for word, so that Compose still owns the container", () => {
  assert.deepEqual(twin().Labels, inspected().Config.Labels);
});

test("the rest of its configuration passes word for word", () => {
  const { Hostname: _1, Env: _2, Image: _3, ...original } = inspected().Config;
  const { Hostname: _4, Env: _5, Image: _6, HostConfig: _7, NetworkingConfig: _8, ...made } = twin();
  assert.deepEqual(made, original);
});

test("the image is the one that was asked for", () => {
  const image = `sha256:${"ab".repeat(32)}`;
  assert.equal(twinOf(inspected(), { ...asBefore, image }).Image, image);
});

test("a host name that is the old container's short id is dropped", () => {
  assert.ok(!("Hostname" in twin()));
});

test("a host name that somebody gave is kept", () => {
  assert.equal(twin({ config: { Hostname: "server-four" } }).Hostname, "server-four");
});

const OTHER = "cd".repeat(32);
const named = { config: { Hostname: "the-host" }, networks: {} };

test("a container in another's network, or the host's, has no host name, networks and ports of its own", () => {
  for (const NetworkMode of ["host", `container:${OTHER}`]) {
    const made = twin({ ...named, hostConfig: { NetworkMode } });
    assert.ok(!("Hostname" in made) && !("ExposedPorts" in made), NetworkMode);
    assert.deepEqual(made.HostConfig.PortBindings, {}, NetworkMode);
    assert.deepEqual(made.NetworkingConfig.EndpointsConfig, {});
  }
});

test("a container in the host's UTS namespace has no host name of its own", () => {
  assert.ok(!("Hostname" in twin({ ...named, hostConfig: { UTSMode: "host" } })));
  assert.equal(twin({ ...named, hostConfig: { UTSMode: "" } }).Hostname, "the-host");
});

test("what it shares with another container, it shares with what that one is now", () => {
  const NEW = "ef".repeat(32);
  const of = `container:${OTHER}`;
  const hostConfig = { NetworkMode: of, IpcMode: of, PidMode: "host", VolumesFrom: [`${OTHER}:ro`] };
  const { NetworkMode, IpcMode, PidMode, VolumesFrom } = host({ hostConfig }, { parents: new Map([[OTHER, NEW]]) });
  assert.deepEqual(
    [NetworkMode, IpcMode, PidMode, VolumesFrom],
    [`container:${NEW}`, `container:${NEW}`, "host", [`${NEW}:ro`]],
  );
});

test("a namespace of a container that nobody knows is asked for as it was", () => {
  assert.equal(host({ hostConfig: { IpcMode: `container:${OTHER}` } }).IpcMode, `container:${OTHER}`);
});

test("links are given as create takes them", () => {
  const Links = ["/evenkeel-db-1:/evenkeel-server-4-1/db", "/cache:/evenkeel-server-4-1/store"];
  assert.deepEqual(host({ hostConfig: { Links } }).Links, ["evenkeel-db-1:db", "cache:store"]);
});

test("a device without permissions has all of them, as the engine means it", () => {
  const device = { PathOnHost: "/dev/null", PathInContainer: "/dev/nothing" };
  const Devices = [
    { ...device, CgroupPermissions: "" },
    { ...device, CgroupPermissions: "r" },
  ];
  assert.deepEqual(host({ hostConfig: { Devices } }).Devices, [
    { ...device, CgroupPermissions: "rwm" },
    { ...device, CgroupPermissions: "r" },
  ]);
});

test("swappiness is kept where somebody set it, and left out where it means nothing", () => {
  for (const MemorySwappiness of [0, 60]) {
    assert.equal(host({ hostConfig: { MemorySwappiness } }).MemorySwappiness, MemorySwappiness);
  }
  for (const MemorySwappiness of [-1, null]) {
    assert.ok(!("MemorySwappiness" in host({ hostConfig: { MemorySwappiness } })), String(MemorySwappiness));
  }
});

test("an empty key among the ports is no port", () => {
  const PortBindings = { "": null, "9004/tcp": [{ HostIp: "", HostPort: "9004" }] };
  const made = twin({ config: { ExposedPorts: { "": {}, "9004/tcp": {} } }, hostConfig: { PortBindings } });
  assert.deepEqual(made.ExposedPorts, { "9004/tcp": {} });
  assert.deepEqual(made.HostConfig.PortBindings, { "9004/tcp": PortBindings["9004/tcp"] });
});

const moves: readonly [published: string, by: number, moved: string][] = [
  ["9004", 1, "9005"],
  ["9004", 3, "9007"],
  ["9100", 1, "9001"],
  ["9099", 2, "9001"],
  ["", 1, ""],
  ["9001-9010", 1, "9001-9010"],
];

for (const [published, portMoves, moved] of moves) {
  test(`with ${portMoves} ports taken, "${published}" of the host becomes "${moved}"`, () => {
    const PortBindings = { "9004/tcp": [{ HostIp: "127.0.0.1", HostPort: published }], "9005/udp": null };
    assert.deepEqual(host({ hostConfig: { PortBindings } }, { portMoves }).PortBindings, {
      "9004/tcp": [{ HostIp: "127.0.0.1", HostPort: moved }],
      "9005/udp": null,
    });
  });
}

test("a configured MAC address is asked for on the first network, and one that the engine gave is not", () => {
  const networks = { evenkeel_default: endpoint, evenkeel_back: endpoint };
  const macs = (changes: Changes) =>
    Object.values(twin({ networks, ...changes }).NetworkingConfig.EndpointsConfig).map(({ MacAddress }) => MacAddress);
  assert.deepEqual(macs({ config: { MacAddress: "02:42:0a:00:00:99" } }), ["02:42:0a:00:00:99", undefined]);
  assert.deepEqual(macs({}), [undefined, undefined]);
  assert.ok(!("MacAddress" in twin({ config: { MacAddress: "02:42:0a:00:00:99" } })));
});

test("the registry is added to the environment, and nothing else changes in it", () => {
  const { Env } = twin({}, { REGISTRY: '{"a":"b=c"}' });
  assert.deepEqual(Env, [...(inspected().Config.Env ?? []), 'REGISTRY={"a":"b=c"}']);
});

test("an older registry in the environment is replaced, not doubled", () => {
  const { Env } = twin({ config: { Env: ["REGISTRY=old", "REGISTRY_FILE=/x", "ID=server-4"] } }, { REGISTRY: "new" });
  assert.deepEqual(Env, ["REGISTRY_FILE=/x", "ID=server-4", "REGISTRY=new"]);
});

test("without a registry the environment stays as it was", () => {
  assert.deepEqual(twin().Env, inspected().Config.Env);
  assert.deepEqual(twin({ config: { Env: null } }).Env, []);
});

test("a variable named like a property of every object is kept", () => {
  const Env = ["constructor=acme", "toString=yes", "EMPTY="];
  assert.deepEqual(twin({ config: { Env } }, { REGISTRY: "{}" }).Env, [...Env, "REGISTRY={}"]);
});

test("on each network the service's aliases are kept and the old short id is not", () => {
  const networks = { evenkeel_default: endpoint, evenkeel_back: { ...endpoint, Aliases: ["db", SHORT_ID] } };
  const { EndpointsConfig } = twin({ networks }).NetworkingConfig;
  assert.deepEqual(Object.keys(EndpointsConfig), ["evenkeel_default", "evenkeel_back"]);
  assert.deepEqual(EndpointsConfig.evenkeel_default?.Aliases, ["evenkeel-server-4-1", "server-4"]);
  assert.deepEqual(EndpointsConfig.evenkeel_back?.Aliases, ["db"]);
});

test("an alias that is also the host name that somebody gave is kept", () => {
  const { EndpointsConfig } = twin({ config: { Hostname: "server-4" } }).NetworkingConfig;
  assert.deepEqual(EndpointsConfig.evenkeel_default?.Aliases, ["evenkeel-server-4-1", "server-4"]);
});

test("the default network knows no aliases", () => {
  const { EndpointsConfig } = twin({ networks: { bridge: endpoint } }).NetworkingConfig;
  assert.ok(!("Aliases" in (EndpointsConfig.bridge ?? {})));
});

test("a network without aliases has none", () => {
  const { EndpointsConfig } = twin({ networks: { n: { ...endpoint, Aliases: null } } }).NetworkingConfig;
  assert.deepEqual(EndpointsConfig.n?.Aliases, []);
});

test("a configured address, links and driver options are kept", () => {
  const given = { IPAMConfig: { IPv4Address: "172.20.0.9" }, Links: ["db:db"], DriverOpts: { mtu: "1400" } };
  const { EndpointsConfig } = twin({ networks: { n: { ...endpoint, ...given } } }).NetworkingConfig;
  assert.deepEqual(EndpointsConfig.n, { ...given, Aliases: ["evenkeel-server-4-1", "server-4"] });
});

test("what the engine gave the old container on a network is not passed on", () => {
  const made = JSON.stringify(twin().NetworkingConfig);
  for (const mark of ["EndpointID", "IPAddress", "172.20.0.9", "MacAddress", "NetworkID", "Gateway", "DNSNames"]) {
    assert.ok(!made.includes(mark), `${mark} in ${made}`);
  }
});

test("the host's side of the configuration passes word for word", () => {
  assert.deepEqual(twin().HostConfig, inspected().HostConfig);
});

test("binds are kept", () => {
  const Binds = ["/srv/data:/data:ro", "evenkeel_cache:/cache"];
  assert.deepEqual(twin({ hostConfig: { Binds } }).HostConfig.Binds, Binds);
});

test("a named volume stands in one place only", () => {
  assert.equal(twin().HostConfig.Binds, null);
  assert.equal(twin().HostConfig.Mounts.length, 1);
});

/** Where a destination's volume comes from, in whichever of the two ways the request says it. */
const sourceOf = ({ HostConfig: { Binds, Mounts } }: Twin, destination: string) => [
  ...(Binds ?? [])
    .map((bind) => bind.split(":"))
    .flatMap(([source, target]) => (target === destination ? [source] : [])),
  ...Mounts.flatMap(({ Target, Source }) => (Target === destination ? [Source] : [])),
];

test("an anonymous volume of the image is inherited", () => {
  const made = twin({ config: { Volumes: { "/data": {} } as never }, mounts: [anonymousMount("/data")] });
  assert.deepEqual(made.HostConfig.Binds, [`${ANONYMOUS}:/data`]);
});

test("an anonymous volume that was read-only stays so", () => {
  assert.deepEqual(twin({ mounts: [anonymousMount("/data", { RW: false })] }).HostConfig.Binds, [
    `${ANONYMOUS}:/data:ro`,
  ]);
});

test("an anonymous volume of the Compose file is inherited: Compose asks for it as a mount without a source", () => {
  const Mounts = [{ Type: "volume", Target: "/data", VolumeOptions: {} }];
  const made = twin({ hostConfig: { Mounts }, mounts: [anonymousMount("/data")] });
  assert.deepEqual(sourceOf(made, "/data"), [ANONYMOUS]);
});

test("an anonymous volume that was inherited once is not doubled the next time", () => {
  const made = twin({ hostConfig: { Binds: [`${ANONYMOUS}:/data`] }, mounts: [anonymousMount("/data")] });
  assert.deepEqual(made.HostConfig.Binds, [`${ANONYMOUS}:/data`]);
});

test("an anonymous volume of a container whose volumes it has comes from there again, and its own is inherited", () => {
  const config = { Volumes: { "/data": {} } };
  const made = twin({
    config,
    hostConfig: { VolumesFrom: [OTHER] },
    mounts: [anonymousMount("/data"), anonymousMount("/theirs")],
  });
  assert.deepEqual(made.HostConfig.Binds, [`${ANONYMOUS}:/data`]);
});

test("a volume of the image's where something else is mounted is not asked for twice", () => {
  const Volumes = { "/scratch": {}, "/srv": {}, "/run/evenkeel": {}, "/data": {} };
  const made = twin({ config: { Volumes }, hostConfig: { Tmpfs: { "/scratch": "" }, Binds: ["/host/srv:/srv"] } });
  assert.deepEqual(made.Volumes, { "/data": {} });
});

test("a mount that is no volume is not inherited", () => {
  const mounts = [
    { Type: "bind", Source: "/srv", Destination: "/srv", RW: true },
    { Type: "tmpfs", Source: "", Destination: "/scratch", RW: true },
  ];
  assert.equal(twin({ mounts }).HostConfig.Binds, null);
});

test("the document it is made from is left as it is", () => {
  const original = inspected({ mounts: [anonymousMount("/data")] });
  const before = structuredClone(original);
  twinOf(original, { ...asBefore, environment: { REGISTRY: "{}" } });
  assert.deepEqual(original, before);
});
