// The labels of a service: what each may be, what the fault of each says, and what a service is by all of them. And the one port.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { containerPort } from "../../watchdog/desired/container-port.ts";
import { readLabels, type ServiceLabels } from "../../watchdog/desired/labels.ts";
import { nearest } from "../../watchdog/desired/nearest.ts";
import { poolsOf, registryPools, withRoutes } from "../../watchdog/desired/pools.ts";
import type { Slot } from "../../watchdog/desired/slot.ts";
import type { Listed } from "../../watchdog/engines/docker/containers/listing.ts";
import { slotOf } from "../../watchdog/engines/docker/containers/slot.ts";
import { slotPerService } from "../../watchdog/engines/docker/containers/slot-clash.ts";
import { inspected } from "../tools/docker/inspected.ts";

const given = (labels: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [`evenkeel.${name}`, value]));

const read: readonly [Readonly<Record<string, string>>, Partial<ServiceLabels>][] = [
  [{ port: "3000" }, { role: "server", reports: false, heal: true, port: 3000 }],
  [{ role: "server" }, { role: "server", reports: false, heal: true }],
  [{ health: "/up" }, { role: "server", reports: false, heal: true, health: "/up" }],
  [{ heal: "on" }, { role: "worker", reports: false, heal: true }],
  [
    { heal: "on", start: "60s" },
    { role: "worker", reports: false, heal: true, startMs: 60_000 },
  ],
  [
    { heal: "on", role: "server" },
    { role: "server", reports: false, heal: true },
  ],
  [{ role: "proxy" }, { role: "proxy", reports: true, heal: true }],
  [
    { role: "server", reports: "yes" },
    { role: "server", reports: true, heal: true },
  ],
  [
    { port: "80", heal: "off", "health-timeout": "400ms", start: "90s", weight: "0", hold: "2m", group: "2" },
    {
      ...{ role: "server", reports: false, heal: false, port: 80, healthTimeoutMs: 400, startMs: 90_000, weight: 0 },
      ...{ holdMs: 120_000, group: "2" },
    },
  ],
];

for (const [labels, wanted] of read) {
  test(`${JSON.stringify(labels)} is a ${wanted.role}`, () => {
    assert.deepEqual(readLabels(given(labels)), { kind: "read", labels: wanted });
  });
}

const faulty: readonly [Readonly<Record<string, string>>, RegExp][] = [
  [{ port: "http" }, /^evenkeel\.port "http" must be a port, 1 to 65535$/],
  [{ port: "0" }, /must be a port/],
  [{ port: "65536" }, /must be a port/],
  [{ prot: "3000" }, /^unknown label evenkeel\.prot; did you mean evenkeel\.port\?$/],
  [{ xyzzyplugh: "1" }, /^unknown label evenkeel\.xyzzyplugh$/],
  [{ constructor: "1" }, /^unknown label evenkeel\.constructor$/],
  [{ role: "sever" }, /^evenkeel\.role "sever" is no role; did you mean server\?$/],
  [{ role: "database" }, /^evenkeel\.role "database" must be one of watchdog, balancer, proxy, server, client$/],
  [{ health: "up" }, /^evenkeel\.health "up" must start with "\/"$/],
  [{ health: "/a b" }, /must hold no spaces/],
  [{ start: "90" }, /^evenkeel\.start "90" has no unit; write 90s$/],
  [{ start: "soon" }, /must be a time such as 400ms, 90s or 5m$/],
  [{ start: "25h" }, /must be 1ms to 24h/],
  [{ weight: "257" }, /must be 0 to 256/],
  [{ weight: "1.5" }, /must be 0 to 256/],
  [{ port: "80", heal: "maybe" }, /must be "on" or "off"/],
  [{ heal: "off" }, /nothing else is set/],
  [{ "update.order": "first", port: "80" }, /^evenkeel\.update\.order "first" must be one of start-first, stop-first$/],
  [{ "update.parallelism": "17", port: "80" }, /^evenkeel\.update\.parallelism "17" must be 1 to 16$/],
  [{ "update.parallelism": "0", port: "80" }, /^evenkeel\.update\.parallelism "0" must be 1 to 16$/],
  [
    { host: "https://a.org", port: "80" },
    /^evenkeel\.host "https:\/\/a\.org" must be hosts such as a\.org,\*\.b\.org, without/,
  ],
  [{ path: "api", port: "80" }, /^evenkeel\.path "api" must start with "\/"$/],
  [{ path: "/a?b", port: "80" }, /^evenkeel\.path "\/a\?b" must be the beginning of a path/],
  [{ strip: "on", port: "80" }, /^evenkeel\.strip takes off evenkeel\.path, and there is none: set it$/],
  [{ sticky: "a b", port: "80" }, /^evenkeel\.sticky "a b" must be 1 to 64 letters/],
  [{ policy: "rr", port: "80" }, /^evenkeel\.policy "rr" must be one of round-robin, random, least-requests$/],
  [{ timeout: "30", port: "80" }, /^evenkeel\.timeout "30" has no unit; write 30s$/],
  [{ "body-max": "10 MB", port: "80" }, /^evenkeel\.body-max "10 MB" must be a size such as 512k, 10m or 1g$/],
  [{ port: "80", reports: "on" }, /contradict each other/],
  [{ port: "80", role: "proxy" }, /no meaning for a proxy/],
  [{ group: "a b" }, /one word/],
];

for (const [labels, fault] of faulty) {
  test(`of ${JSON.stringify(labels)} people are told what is wrong`, () => {
    const result = readLabels(given(labels));
    assert.ok(result.kind === "faulty", JSON.stringify(result));
    assert.equal(result.faults.length, 1);
    assert.match(result.faults[0] as string, fault);
  });
}

test("all faults of a service are told in one go", () => {
  const result = readLabels(given({ port: "x", helth: "/", weight: "-1" }));
  assert.equal(result.kind === "faulty" && result.faults.length, 3);
});

test("whoever has no label of ours is none of our business", () => {
  assert.deepEqual(
    [readLabels({}), readLabels(null), readLabels({ "traefik.enable": "true" })],
    Array(3).fill({ kind: "none" }),
  );
});

test("no labels whatever make it throw, and no fault is long", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string({ maxLength: 2_000 })), (labels) => {
      const result = readLabels(given(labels));
      if (result.kind === "faulty") for (const fault of result.faults) assert.ok(fault.length < 400, fault);
    }),
  );
});

test("Compose makes text of what stands in the file, and every form of yes is one", () => {
  for (const text of ["yes", "on", "true", "1", "TRUE", "On"])
    assert.equal(readLabels(given({ heal: text })).kind, "read");
});

test("the nearest word is meant where one is near", () => {
  assert.deepEqual(
    ["helth", "wieght", "pool", "q"].map((word) => nearest(word, ["health", "weight", "port", "pool"])),
    ["health", "weight", "pool", undefined],
  );
});

const published = { "3000/tcp": [{ HostPort: "3339" }], "53/udp": [{ HostPort: "53" }] };
const ports: readonly [what: string, number | undefined, readonly string[], object, number | RegExp][] = [
  ["a label wins", 8080, ["80/tcp"], {}, 8080],
  ["the one exposed port", undefined, ["3000/tcp"], {}, 3000],
  ["UDP does not count", undefined, ["3000/tcp", "53/udp"], {}, 3000],
  [
    "several are a fault",
    undefined,
    ["9229/tcp", "3000/tcp"],
    {},
    /^3000, 9229 are exposed; say which: evenkeel\.port: "3000"$/,
  ],
  ["none is a fault", undefined, [], {}, /^nothing is exposed; set evenkeel\.port/],
  ["only UDP is none", undefined, ["53/udp"], {}, /nothing is exposed/],
  [
    "the host's port is not the container's",
    3339,
    ["3000/tcp"],
    published,
    /^3339 is published on the host; .* 3000: set/,
  ],
  ["unless the container has it too", 3339, ["3000/tcp", "3339/tcp"], published, 3339],
  ["published under its own number", 3000, [], { "3000/tcp": [{ HostPort: "3000" }] }, 3000],
];

for (const [what, label, exposed, bindings, wanted] of ports) {
  test(`of a container's ports, ${what}`, () => {
    const found = containerPort(label, { exposed, published: bindings as typeof published });
    if (typeof wanted === "number") assert.deepEqual(found, { kind: "port", port: wanted });
    else assert.match(found.kind === "fault" ? found.fault : "", wanted);
  });
}

const server = (service: string, labels: Partial<Slot["labels"]> = {}): Slot => ({
  ...{ id: `${service}-1`, role: "server", service },
  labels: { role: "server", reports: false, heal: true, port: 80, ...labels },
});

test("of two pools that ask for the same requests the first has them, and the other is told so", () => {
  const slots = [
    server("web"),
    server("api"),
    server("web-b", { pool: "web" }),
    { id: "balancer", role: "balancer" } as const,
  ];
  assert.deepEqual(poolsOf(slots), ["web", "api"]);
  const [web, api, second, balancer] = withRoutes(slots, ["web", "api"]);
  assert.deepEqual([web?.faults, second?.faults, balancer?.faults], [undefined, undefined, undefined]);
  assert.match(
    api?.faults?.[0] ?? "",
    /^api and web would both take all requests, and web was there first: set evenkeel\.host/,
  );
  const a = { hosts: ["a.org"], path: "/api" };
  const [, , late] = withRoutes([server("web"), server("api", a), server("late", a)], ["web", "api", "late"]);
  assert.match(late?.faults?.[0] ?? "", /^path "\/api" of a\.org is already api's: /);
});

test("one pool that gets everything needs no routes; the registry has all others with their settings", () => {
  assert.equal(registryPools([server("web"), server("web-b", { pool: "web" })]), undefined);
  const api = server("api", { hosts: ["a.org", "*.b.org"], path: "/api", policy: "round-robin", timeoutMs: 5 });
  assert.deepEqual(registryPools([server("web"), api]), [
    { name: "web", routes: [{ path: "/" }] },
    {
      ...{ name: "api", policy: "round-robin", timeoutMs: 5 },
      routes: [
        { host: "a.org", path: "/api" },
        { host: "*.b.org", path: "/api" },
      ],
    },
  ]);
});

test("sizes and hosts are read as they are written", () => {
  const read = readLabels({ "evenkeel.port": "80", "evenkeel.body-max": "2m", "evenkeel.host": "A.org, *.b.org" });
  const { bodyBytesMax, hosts } = read.kind === "read" ? read.labels : {};
  assert.deepEqual([bodyBytesMax, hosts], [2 * 1024 * 1024, ["a.org", "*.b.org"]]);
});

const numbered: readonly [number: string, environment: readonly string[], id: string][] = [
  ["1", ["ID=server-4"], "server-4"],
  // `docker compose up --scale server-4=2`: both are told the same.
  ["2", ["ID=server-4"], "server-4-2"],
  ["1", [], "server-4-1"],
];

for (const [number, Env, id] of numbered) {
  test(`container ${number} of a sample server that is told ${Env.join() || "nothing"} fills the slot ${id}`, () => {
    const container = inspected({ config: { Env: [...Env] } });
    const Labels = { ...container.Config.Labels, "com.docker.compose.container-number": number };
    const numbered = { ...container, Config: { ...container.Config, Labels } };
    assert.equal(slotOf(numbered as unknown as Parameters<typeof slotOf>[0])?.id, id);
  });
}

test("of two services whose members would be called alike each has a slot, and the one with replicas is told", () => {
  const listed = (service: string, environment: readonly string[]) => {
    const container = inspected({ config: { Env: [...environment] } });
    const Labels = { ...container.Config.Labels, "com.docker.compose.service": service };
    const one = {
      ...container,
      Id: service,
      Config: { ...container.Config, Labels },
    } as unknown as Listed["inspected"];
    return { slot: slotOf(one) as Slot, inspected: one };
  };
  const [sample, replica, another] = slotPerService([
    listed("server-4", ["ID=server-4"]),
    { ...listed("server", []), slot: { id: "server-4", service: "server", role: "server" } },
    listed("other", []),
  ]);
  assert.deepEqual([sample?.slot.id, sample?.slot.faults, another?.slot.id], ["server-4", undefined, "other-1"]);
  assert.equal(replica?.slot.id, "server#1");
  assert.deepEqual(replica?.slot.faults, [
    "server-4 would be a member of server and of server-4: rename one of the two services",
  ]);
});
