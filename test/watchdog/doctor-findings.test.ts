// What doctor makes of what it looked at, as tables: on either engine, and of the containers of a Compose project.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerInspectInfo } from "dockerode";
import type { Finding } from "../../watchdog/ctl/doctor/finding.ts";
import { dockerFindings } from "../../watchdog/ctl/doctor/findings-docker.ts";
import {
  answerFindings,
  isOlder,
  memberFindings,
  programFindings,
  registryFindings,
} from "../../watchdog/ctl/doctor/findings-system.ts";
import type { DockerLook } from "../../watchdog/ctl/doctor/look-docker.ts";
import type { MemberLook, SystemLook } from "../../watchdog/ctl/doctor/look-system.ts";
import { notReady, passed, silent } from "../tools/watchdog/slot-states.ts";
import { member, registry } from "../tools/watchdog/state.ts";

const wellMember: MemberLook = {
  id: "server-4",
  state: "serving",
  address: "10.0.0.1:9001",
  traffic: passed,
  admin: passed,
};

const well: SystemLook = {
  engine: "process",
  node: "20.19.0",
  evenkeel: "0.1.0",
  directory: { path: "/run/evenkeel", problem: undefined },
  registryFile: "/run/evenkeel/registry.json",
  registry: { ok: true, registry: registry(member("server-4"), member("server-5")) },
  members: [wellMember, { ...wellMember, id: "server-5" }],
  balancer: { url: "http://127.0.0.1:8080/", kind: "answered", status: 200, body: "" },
  watchdog: { url: "http://127.0.0.1:8404/readyz", kind: "answered", status: 200, body: "ready\n" },
};

const examine = (here: SystemLook) => [
  ...programFindings(here),
  ...registryFindings(here),
  ...memberFindings(here),
  ...answerFindings(here),
];
const bad = (findings: readonly Finding[]) => findings.filter(({ level }) => level !== "ok");

test("where all is well there is one finding a check, and each says what was seen", () => {
  assert.deepEqual(
    examine(well).map(({ level, check, what }) => `${level} ${check}: ${what}`),
    [
      "ok engine: ENGINE=process",
      "ok versions: evenkeel 0.1.0 on Node 20.19.0",
      "ok registry directory: /run/evenkeel can be written",
      "ok registry: version 42 of 2026-11-22T12:00:00.000Z",
      "ok members: 2 of 2 serve and answer on their ports",
      "ok balancer: answers at http://127.0.0.1:8080/",
      "ok watchdog: ready at http://127.0.0.1:8404/readyz",
    ],
  );
});

type Change = Partial<SystemLook>;
const one = (changes: Partial<MemberLook>): Change => ({
  members: [
    { ...wellMember, ...changes },
    { ...wellMember, id: "server-5" },
  ],
});
const answering = (status: number, body = "") => ({ url: "http://x/", kind: "answered", status, body }) as const;
const deaf = { url: "http://x/", kind: "silent", reason: "ECONNREFUSED" } as const;

/** What differs, the level, the check, what is said, what is to be done. */
const troubles: readonly [string, Change, "warning" | "fault", string, RegExp, RegExp][] = [
  ["an old Node", { node: "20.9.1" }, "fault", "versions", /Node 20\.9\.1 is older than 20\.19/, /install/],
  [
    "a directory that cannot be written",
    { directory: { path: "/r", problem: "EROFS" } },
    "fault",
    "registry directory",
    /^\/r cannot be written \(EROFS\)$/,
    /REGISTRY_FILE/,
  ],
  [
    "a registry that is missing",
    { registry: { ok: false, reason: "it cannot be read (ENOENT)" } },
    "fault",
    "registry",
    /registry\.json: it cannot be read/,
    /npm start.*docker compose exec watchdog/,
  ],
  ["a registry without members", { members: [] }, "fault", "members", /names no member/, /npm start/],
  [
    "no member that answers",
    { members: [{ ...wellMember, traffic: silent }] },
    "fault",
    "members",
    /not one of 1 members answers/,
    /npm start/,
  ],
  [
    "a member whose port is closed",
    one({ traffic: silent }),
    "fault",
    "members",
    /^server-4 does not answer at 10\.0\.0\.1:9001 \(ECONNREFUSED\)$/,
    /incidents/,
  ],
  [
    "an app that does not listen where its label says",
    one({ traffic: silent, admin: undefined }),
    "fault",
    "members",
    /^server-4: nothing listens at 10\.0\.0\.1:9001$/,
    /set evenkeel\.port to where it listens, .* its own loopback alone/,
  ],
  [
    "an app whose health path is not there",
    one({ traffic: { kind: "refused", status: 404 }, admin: undefined, health: "/up", state: "starting" }),
    "fault",
    "members",
    /^server-4: GET \/up answered 404; wanted 200 to 399$/,
    /evenkeel\.health/,
  ],
  ["a member that hangs", one({ admin: silent }), "fault", "members", /^server-4 does not answer/, /incidents/],
  ["a member that is not ready", one({ admin: notReady }), "warning", "members", /^server-4 answers 503/, /see/],
  ["a member that is down", one({ state: "down", traffic: silent }), "warning", "members", /^server-4 is down/, /see/],
  ["a member that starts", one({ state: "starting" }), "warning", "members", /^server-4 is starting$/, /status/],
  ["a balancer that is gone", { balancer: deaf }, "fault", "balancer", /nobody answers at http:\/\/x\//, /status/],
  ["a balancer with nobody behind it", { balancer: answering(503) }, "fault", "balancer", /answers 503/, /members/],
  ["a watchdog that is gone", { watchdog: deaf }, "fault", "watchdog", /nobody answers/, /npm start.*--url/],
  [
    "a watchdog on its way",
    { watchdog: answering(503, "not ready\n") },
    "warning",
    "watchdog",
    /not ready/,
    /watchdogctl status/,
  ],
  [
    "a watchdog whose rounds fail",
    { watchdog: answering(503, "not ready: its rounds fail: ENOSPC: no space left\n") },
    "fault",
    "watchdog",
    /its rounds fail: ENOSPC/,
    /mend that/,
  ],
  [
    "somebody else on the watchdog's port",
    { watchdog: answering(200, "<html>") },
    "fault",
    "watchdog",
    /no watchdog of ours/,
    /WATCHDOG_PORT/,
  ],
];

for (const [what, change, level, check, said, fix] of troubles) {
  test(`of ${what}, doctor makes a ${level} that says what to do, and nothing else`, () => {
    const [found, ...others] = bad(examine({ ...well, ...change }));
    assert.ok(found !== undefined && found.level !== "ok");
    assert.deepEqual([found.level, found.check, others], [level, check, []]);
    assert.match(found.what, said);
    assert.match(found.fix, fix);
  });
}

test("a member that is not ours is well when its port takes connections", () => {
  assert.deepEqual(bad(examine({ ...well, ...one({ admin: undefined }) })), []);
});

test("an answer below 500 is the server's own and no trouble of the balancer's", () => {
  assert.deepEqual(bad(examine({ ...well, balancer: answering(404) })), []);
});

test("versions are compared as numbers", () => {
  const older = ["20.18.9", "v2.99", "9.30", "20.9", "0"].map((version) => isOlder(version, [20, 19]));
  const newer = ["20.19.0", "20.100", "21.0", "v26.1.2"].map((version) => isOlder(version, [20, 19]));
  assert.deepEqual([...older, ...newer], [true, true, true, true, true, false, false, false, false]);
});

interface Made {
  readonly name?: string;
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly image?: string;
  readonly imageName?: string;
  readonly policy?: string;
  readonly state?: Readonly<Record<string, unknown>>;
}

/** The container of a service as Compose makes it. */
function made(
  service: string,
  { name, env, labels, image, imageName, policy, state }: Made = {},
): ContainerInspectInfo {
  const role = service.replace(/-\d+$/, "");
  const isOurs = ["balancer", "server", "proxy", "watchdog"].includes(role);
  return {
    Id: "9c246fbf4386",
    Name: `/${name ?? `evenkeel-${service}-1`}`,
    Image: image ?? "sha256:1",
    State: { Status: "running", Running: true, StartedAt: "2026-11-24T18:00:00Z", ...state },
    Config: {
      Image: imageName ?? "evenkeel",
      // Our own programs are told who they are.
      Env: env ?? [`ROLE=${role}`, `ID=${service}`, "GROUP=1"],
      Labels: {
        "com.docker.compose.service": service,
        "com.docker.compose.container-number": "1",
        "com.docker.compose.config-hash": "f6b2",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.version": "2.26.1",
        ...(isOurs && { "evenkeel.role": role, ...(role === "server" && { "evenkeel.reports": "yes" }) }),
        ...labels,
      },
    },
    HostConfig: { RestartPolicy: { Name: policy ?? (role === "watchdog" ? "always" : "no") } },
  } as unknown as ContainerInspectInfo;
}

const onlyCreated = { Status: "created", Running: false, Error: "" };

/** As the engine leaves it when it could not have its port. */
function refused(service: string, error: string, bindings: object): ContainerInspectInfo {
  const container = made(service, { state: { ...onlyCreated, Error: error } });
  return { ...container, HostConfig: { ...container.HostConfig, PortBindings: bindings } } as ContainerInspectInfo;
}

type Reached = Extract<DockerLook, { kind: "reached" }>;
const reached = (changes: Partial<Reached> = {}): Reached => ({
  kind: "reached",
  version: "26.1.5",
  api: "1.45",
  project: "evenkeel",
  containers: [made("server-1"), made("server-2"), made("watchdog")],
  remembered: ["server-1", "server-2"],
  ...changes,
});
const beside = (...more: readonly ContainerInspectInfo[]) =>
  reached({ containers: [...reached().containers, ...more] });

test("of a project that is well, one finding a check says so", () => {
  assert.deepEqual(
    dockerFindings(reached()).map(({ level, check, what }) => `${level} ${check}: ${what}`),
    [
      "ok docker: Docker 26.1.5, API 1.45",
      "ok compose project: evenkeel, made by Compose 2.26.1",
      "ok containers: one for each of 2 slots",
      "ok leftovers: none",
      "ok labels: as they should be",
      "ok one image: all run the same",
      "ok one healer: the watchdog alone",
    ],
  );
});

const exited = { Status: "exited", Running: false, ExitCode: 137 };
type DockerTrouble = readonly [string, DockerLook, "warning" | "fault", string, RegExp, RegExp];

const dockerTroubles: readonly DockerTrouble[] = [
  [
    "an engine that refuses us",
    { kind: "refused", line: "no permission for /x.sock: run it as root, or: else" },
    "fault",
    "docker",
    /^no permission for \/x\.sock$/,
    /^run it as root, or: else$/,
  ],
  ["no project", reached({ project: undefined, containers: [] }), "fault", "compose project", /no Compose/, /exec wat/],
  [
    "an old Compose",
    reached({
      containers: reached().containers.map((container) => {
        container.Config.Labels["com.docker.compose.version"] = "2.9.0";
        return container;
      }),
    }),
    "warning",
    "compose project",
    /Compose 2\.9\.0 is older than 2\.24/,
    /upgrade/,
  ],
  [
    "a slot without a container",
    reached({ remembered: ["server-1", "server-2", "server-3"] }),
    "warning",
    "containers",
    /^server-3 has no container$/,
    /docker compose up -d server-3/,
  ],
  [
    "two containers for one slot",
    beside(made("server-1", { name: "evenkeel-server-1-new" })),
    "fault",
    "containers",
    /^server-1 has 2 containers: evenkeel-server-1-1 and evenkeel-server-1-new$/,
    /docker rm -f/,
  ],
  [
    "a container that does not run",
    beside(made("server-3", { state: exited })),
    "warning",
    "containers",
    /^server-3 does not run: exited with code 137$/,
    /docker compose start server-3/,
  ],
  [
    "a replica that does not run",
    beside(
      made("app", { labels: { "evenkeel.port": "80", "com.docker.compose.container-number": "3" }, state: exited }),
    ),
    "warning",
    "containers",
    /^app-3 does not run: exited with code 137$/,
    /docker compose start app$/,
  ],
  [
    "a replica without a container",
    reached({
      ...beside(made("app", { labels: { "evenkeel.port": "80" } })),
      remembered: ["server-1", "server-2", "app-1", "app-2"],
    }),
    "warning",
    "containers",
    /^app-2 has no container$/,
    /docker compose up -d app$/,
  ],
  [
    "a container that is paused",
    beside(made("server-3", { state: { Status: "paused", Paused: true } })),
    "warning",
    "containers",
    /paused/,
    /docker compose unpause server-3/,
  ],
  [
    "a previous container",
    beside(made("server-1", { name: "evenkeel-server-1-1-aside", state: exited })),
    "warning",
    "leftovers",
    /evenkeel-server-1-1-aside is a previous container/,
    /restart watchdog/,
  ],
  [
    "a container that Compose left half made",
    beside(made("server-1", { name: "9c246fbf4386_evenkeel-server-1-1", state: exited })),
    "warning",
    "leftovers",
    /9c246fbf4386_evenkeel-server-1-1/,
    /docker rm -f 9c246fbf4386_/,
  ],
  [
    "a container that has lost its config-hash",
    beside(made("server-3", { labels: { "com.docker.compose.config-hash": "" } })),
    "fault",
    "labels",
    /evenkeel-server-3-1 has no com\.docker\.compose\.config-hash/,
    /docker compose up -d/,
  ],
  [
    "a member of another build of their image",
    beside(made("server-3", { image: "sha256:2" })),
    "warning",
    "one image",
    /others: evenkeel-server-3-1$/,
    /docker compose up -d/,
  ],
  [
    "a member that Docker restarts",
    beside(made("server-3", { policy: "unless-stopped" })),
    "fault",
    "one healer",
    /evenkeel-server-3-1 has restart: unless-stopped/,
    /restart: "no"/,
  ],
  [
    "a second watchdog",
    beside(made("watchdog", { name: "evenkeel-watchdog-2" })),
    "warning",
    "one healer",
    /2 watchdogs run: evenkeel-watchdog-1 and evenkeel-watchdog-2/,
    /docker rm -f/,
  ],
  [
    "a second watchdog from docker compose run",
    beside(made("watchdog", { name: "run-1", labels: { "com.docker.compose.oneoff": "True" } })),
    "warning",
    "one healer",
    /2 watchdogs run/,
    /docker rm -f/,
  ],
  [
    "no watchdog",
    reached({ containers: [made("server-1"), made("server-2"), made("watchdog", { state: exited })] }),
    "fault",
    "one healer",
    /no watchdog runs/,
    /docker compose up -d watchdog/,
  ],
  ...[
    "driver failed programming external connectivity on endpoint x (9c24): Bind for 0.0.0.0:8080 failed: port is already allocated",
    "Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use",
    "failed to bind host port for 0.0.0.0:8080:172.18.0.2:8080/tcp: address already in use",
  ].map(
    (error): DockerTrouble => [
      `a balancer whose port is taken, for which Compose gives up ("${error.slice(0, 20)}")`,
      reached({
        containers: [
          refused("balancer", error, { "8080/tcp": [{ HostIp: "", HostPort: "8080" }] }),
          ...["server-1", "server-2", "watchdog"].map((service) => made(service, { state: onlyCreated })),
        ],
      }),
      "fault",
      "ports",
      /^balancer was not started: port 8080 on this host is in use$/,
      /^BALANCER_PORT=8081 in \.env, or stop what listens there; then docker compose up -d$/,
    ],
  ),
  [
    "a watchdog whose port is taken",
    reached({
      containers: [
        made("server-1"),
        made("server-2"),
        refused("watchdog", "address already in use", { "8404/tcp": [{ HostPort: "8404" }] }),
      ],
    }),
    "fault",
    "ports",
    /^watchdog was not started: port 8404 on this host is in use$/,
    /^WATCHDOG_PORT=8405 in \.env/,
  ],
  [
    "a service with a port that is taken",
    beside(refused("server-3", "port is already allocated", { "9003/tcp": [{ HostPort: "9003" }] })),
    "fault",
    "ports",
    /^server-3 was not started: port 9003 on this host is in use$/,
    /^give it another one under ports/,
  ],
  [
    "a watchdog that nobody starts again",
    reached({ containers: [made("server-1"), made("server-2"), made("watchdog", { policy: "no" })] }),
    "warning",
    "one healer",
    /nobody starts the watchdog again/,
    /restart: always/,
  ],
];

for (const [what, look, level, check, said, fix] of dockerTroubles) {
  test(`of ${what}, doctor makes a ${level} that says what to do, and nothing else`, () => {
    const [found, ...others] = bad(dockerFindings(look));
    assert.ok(found !== undefined && found.level !== "ok");
    assert.deepEqual([found.level, found.check, others], [level, check, []]);
    assert.match(found.what, said);
    assert.match(found.fix, fix);
  });
}

const unknown = made("server-7", { image: "sha256:2", imageName: "postgres", policy: "unless-stopped" });
const known = { ids: new Set(["server-1", "server-2"]), startedBeforeMs: Date.parse("2026-11-24T19:00:00Z") };

const causes: readonly [string, object, RegExp, RegExp][] = [
  [
    "says nothing",
    {},
    /server-7 runs and gets no traffic: it has not said where it listens/,
    /take evenkeel.reports away/,
  ],
  ["has no log that can be read", { LogConfig: { Type: "none" } }, /logging driver none/, /another logging driver/],
  ["has the host's network", { NetworkMode: "host" }, /network_mode is host/, /take network_mode away/],
];

for (const [what, hostConfig, said, fix] of causes) {
  test(`of one that ${what}, doctor names the cause, and makes no fault of what else is odd about it`, () => {
    const container = { ...unknown, HostConfig: { ...unknown.HostConfig, ...hostConfig } } as ContainerInspectInfo;
    const [found, ...others] = bad(dockerFindings(beside(container), known));
    assert.ok(found !== undefined && found.level !== "ok");
    assert.deepEqual([found.level, found.check, others], ["fault", "known members", []]);
    assert.match(found.what, said);
    assert.match(found.fix, fix);
  });
}

test("of one that is on a network of its own, doctor names the networks of both", () => {
  const on = (container: ContainerInspectInfo, ...names: string[]) =>
    ({
      ...container,
      NetworkSettings: { Networks: Object.fromEntries(names.map((name) => [name, {}])) },
    }) as ContainerInspectInfo;
  const look = reached({
    containers: [made("server-1"), made("server-2"), on(made("watchdog"), "edge", "mesh"), on(unknown, "back")],
  });
  const [found] = bad(dockerFindings(look, known));
  assert.ok(found !== undefined && found.level !== "ok");
  assert.match(found.what, /shares no network with .*, but is on back$/);
  assert.match(found.fix, /edge or mesh/);
});

test("one that has only just started is not yet missed", () => {
  const look = beside(made("server-7", { state: { StartedAt: "2026-11-24T19:00:01Z" } }));
  assert.deepEqual(bad(dockerFindings(look, known)), []);
});

test("members of an image of their own are nothing odd", () => {
  assert.deepEqual(
    bad(
      dockerFindings(
        beside(
          made("app-7", { labels: { "evenkeel.port": "3000" }, image: "sha256:2", imageName: "app", policy: "always" }),
        ),
      ),
    ),
    [],
  );
});

test("containers without a label of ours, and one-off runs of members, are none of doctor's business", () => {
  const others = [
    made("database", { env: ["PASSWORD=x"], image: "sha256:db", policy: "always" }),
    made("server-1", { name: "evenkeel-server-1-run-a1", labels: { "com.docker.compose.oneoff": "True" } }),
  ];
  assert.deepEqual(bad(dockerFindings(beside(...others))), []);
});

test("an empty project is a fault, and says how to start", () => {
  const [found] = bad(dockerFindings(reached({ containers: [], remembered: [] })));
  assert.deepEqual([found?.level, found?.check], ["fault", "compose project"]);
});
