// What somebody would ask the Docker engine who has broken into the watchdog: each call refused by the guardian's filter, with a line
// in the log, and the engine as it was. Beside it what a heal asks, which goes through.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Inspected } from "../../watchdog/engines/docker/containers/document.ts";
import { twinOf } from "../../watchdog/engines/docker/twin/recreate.ts";
import { asReplica } from "../../watchdog/engines/docker/twin/replica.ts";
import { containers, containersOf, type Document, inspect, nameOf, PROJECT } from "../tools/docker/containers.ts";
import { docker, dockerSkip as skip } from "../tools/docker/docker.ts";
import {
  askSocket,
  type FilteredSocketStage,
  filteredSocket,
  type SocketQuestion,
} from "../tools/docker/filtered-socket.ts";
import { bringUp } from "../tools/docker/stage.ts";
import { fileScope } from "../tools/scope.ts";

const STRANGER = `${PROJECT}-stranger`;
const API = "/v1.45";

const scope = fileScope();
let socket: FilteredSocketStage;
let ours = "";
let bystander = "";
let stranger = "";
let name = "";
let body: Body;
/** One more of the same service, and of one that is not ours. */
let replica: Body;
let ofBystander: Body;

type Body = Readonly<Record<string, unknown>> & {
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly Env: readonly string[];
};

before(async () => {
  if (skip !== false) return;
  const project = await bringUp(scope);
  await project.compose("--profile", "others", "up", "--detach", "bystander");
  stranger = await docker("run", "--detach", "--no-healthcheck", "--name", STRANGER, PROJECT, "sleep", "600");
  scope.after(async () => void (await docker("rm", "--force", STRANGER)));
  socket = await filteredSocket(scope);
  ours = (await containersOf("server-2"))[0] as string;
  bystander = (await containersOf("bystander"))[0] as string;
  name = (await nameOf(ours)).slice(1);
  const looked = await askSocket(socket.path, { method: "GET", target: `${API}/containers/${ours}/json` });
  assert.equal(looked.status, 200);
  const inspected = JSON.parse(looked.body) as Inspected;
  body = twinBody(inspected);
  replica = twinBody(asReplica(inspected, "2"));
  ofBystander = twinBody(asReplica((await inspect(bystander)) as unknown as Inspected, "2"));
  await askSocket(socket.path, { method: "GET", target: `${API}/containers/${bystander}/json` });
});

const twinBody = (inspected: Inspected, environment: Readonly<Record<string, string>> = {}) =>
  twinOf(inspected, { image: inspected.Config.Image, environment, parents: new Map(), portMoves: 0 }) as Body;

const make = (body: unknown, as = name): SocketQuestion => ({
  method: "POST",
  target: `${API}/containers/create?name=${as}`,
  body,
});
const second = (number = "2") => name.replace(/\d+$/, number);
const withHost = (changes: object) => make({ ...body, HostConfig: { ...body.HostConfig, ...changes } });
const withBody = (changes: object) => make({ ...body, ...changes });
const withEnv = (...entries: readonly string[]) => withBody({ Env: [...body.Env, ...entries] });
const withNetworks = (EndpointsConfig: object) => withBody({ NetworkingConfig: { EndpointsConfig } });
const call = (method: string, target: string, body?: unknown): SocketQuestion => ({
  method,
  target: target.startsWith("//") ? target : API + target,
  ...(body !== undefined && { body }),
});
const filters = (labels: readonly string[], more: object = {}) =>
  encodeURIComponent(JSON.stringify({ label: labels, ...more }));

const attacks: readonly [what: string, () => SocketQuestion][] = [
  ["a privileged container", () => withHost({ Privileged: true })],
  ["the host's files, bound", () => withHost({ Binds: ["/:/host"] })],
  ["the host's files, mounted", () => withHost({ Mounts: [{ Type: "bind", Source: "/", Target: "/host" }] })],
  ["the host's files as a volume of its own driver", () => withHost({ VolumeDriver: "local-persist" })],
  ["another container's volumes", () => withHost({ VolumesFrom: [stranger] })],
  ["a capability", () => withHost({ CapAdd: ["SYS_ADMIN"] })],
  ["all capabilities back", () => withHost({ CapDrop: [] })],
  ["a device", () => withHost({ Devices: [{ PathOnHost: "/dev/sda", PathInContainer: "/dev/sda" }] })],
  ["a device by rule", () => withHost({ DeviceCgroupRules: ["a *:* rwm"] })],
  ["a device by request", () => withHost({ DeviceRequests: [{ Count: -1, Capabilities: [["gpu"]] }] })],
  ["the host's network", () => withHost({ NetworkMode: "host" })],
  ["a stranger's network", () => withHost({ NetworkMode: `container:${stranger}` })],
  ["the host's processes", () => withHost({ PidMode: "host" })],
  ["the host's memory", () => withHost({ IpcMode: "host" })],
  ["the host's users", () => withHost({ UsernsMode: "host" })],
  ["the host's name", () => withHost({ UTSMode: "host" })],
  ["the host's cgroups", () => withHost({ CgroupnsMode: "host", CgroupParent: "/" })],
  ["no seccomp", () => withHost({ SecurityOpt: ["seccomp=unconfined"] })],
  ["nothing masked in /proc", () => withHost({ MaskedPaths: [], ReadonlyPaths: [] })],
  ["another runtime", () => withHost({ Runtime: "io.containerd.runc.v2.other" })],
  ["a kernel setting", () => withHost({ Sysctls: { "net.ipv4.ip_forward": "1" } })],
  ["a file system that may be written", () => withHost({ ReadonlyRootfs: false })],
  ["a port of the host", () => withHost({ PortBindings: { "22/tcp": [{ HostPort: "22" }] } })],
  ["a log driver that sends elsewhere", () => withHost({ LogConfig: { Type: "syslog" } })],
  ["root", () => withBody({ User: "0" })],
  ["another command", () => withBody({ Cmd: ["sh", "-c", "id"] })],
  ["another entry point", () => withBody({ Entrypoint: ["sh"] })],
  ["a health check's command", () => withBody({ Healthcheck: { Test: ["CMD", "sh"] } })],
  ["another image", () => withBody({ Image: "node:26-bookworm-slim" })],
  ["a library before all", () => withEnv("LD_PRELOAD=/tmp/x.so")],
  ["Node's own options", () => withEnv("NODE_OPTIONS=--import=data:text/javascript,0")],
  ["another role", () => withBody({ Env: body.Env.map((entry) => entry.replace(/^ROLE=.*/, "ROLE=watchdog")) })],
  ["a registry that is none", () => withEnv("REGISTRY=/etc/passwd")],
  ["a stranger's labels", () => withBody({ Labels: { "com.docker.compose.project": "other" } })],
  ["a network more", () => withNetworks({ bridge: {}, host: {} })],
  ["a neighbour's name", () => withNetworks({ [`${PROJECT}_default`]: { Aliases: ["server-1"] } })],
  ["a field in another case", () => make({ ...body, hostconfig: { Privileged: true }, user: "0" })],
  ["a field twice", () => make(JSON.stringify(body).replace(/^\{/, '{"User":"node",').replace(/\}$/, ',"User":"0"}'))],
  ["a body that is no object", () => make("[]")],
  ["a body nested without an end", () => make(`${'{"HostConfig":'.repeat(50_000)}1${"}".repeat(50_000)}`)],
  ["a stranger's name", () => make(body, STRANGER)],
  ["a second one beside it", () => make(body, `${name}-aside`)],
  ["as many as there are names", () => make(body, `0123456789ab_${name}`)],
  [
    "one more replica with more rights",
    () => make({ ...replica, HostConfig: { ...replica.HostConfig, Privileged: true } }, second()),
  ],
  ["one more replica under another number", () => make(body, second())],
  ["more replicas than there may be", () => make(replica, second("257"))],
  ["one more of a service that is not ours", () => make(ofBystander, `${PROJECT}-bystander-2`)],
  ["a name that never was", () => make(body, `${PROJECT}-server-9-1`)],
  ["no name", () => call("POST", "/containers/create", body)],
  ["two names", () => call("POST", `/containers/create?name=${name}&name=${STRANGER}`, body)],
  ["another platform", () => call("POST", `/containers/create?name=${name}&platform=linux/s390x`, body)],

  ["a stranger stopped", () => call("POST", `/containers/${stranger}/stop?t=0`)],
  ["a stranger stopped by name", () => call("POST", `/containers/${STRANGER}/stop`)],
  ["a stranger started", () => call("POST", `/containers/${stranger}/start`)],
  ["a stranger renamed", () => call("POST", `/containers/${stranger}/rename?name=${name}-aside`)],
  ["a stranger removed", () => call("DELETE", `/containers/${stranger}?force=true&v=false`)],
  ["a stranger inspected", () => call("GET", `/containers/${stranger}/json`)],
  ["a stranger's log", () => call("GET", `/containers/${stranger}/logs?stdout=true`)],
  ["one of the project without a role stopped", () => call("POST", `/containers/${bystander}/stop`)],
  ["one of the project without a role removed", () => call("DELETE", `/containers/${bystander}?force=1&v=0`)],
  ["a member renamed to a stranger's name", () => call("POST", `/containers/${ours}/rename?name=${STRANGER}-2`)],
  ["a member removed with its volumes", () => call("DELETE", `/containers/${ours}?force=true&v=true`)],
  ["a member's links removed", () => call("DELETE", `/containers/${ours}?v=false&link=true`)],
  ["a member stopped by a signal of choice", () => call("POST", `/containers/${ours}/stop?signal=SIGUSR1`)],
  ["a member started from a checkpoint", () => call("POST", `/containers/${ours}/start?checkpoint=x`)],
  [
    "a member started as API 1.23 does",
    () => call("POST", `//v1.23/containers/${ours}/start`.slice(1), { Binds: ["/:/h"] }),
  ],

  ["a command in a member", () => call("POST", `/containers/${ours}/exec`, { Cmd: ["id"] })],
  ["a member's terminal", () => call("POST", `/containers/${ours}/attach?stream=1&stdin=1`)],
  ["a member's terminal as a WebSocket", () => call("GET", `/containers/${ours}/attach/ws`)],
  ["a member's files read", () => call("GET", `/containers/${ours}/archive?path=/`)],
  ["a member's files written", () => call("PUT", `/containers/${ours}/archive?path=/`, "x")],
  ["a member exported", () => call("GET", `/containers/${ours}/export`)],
  ["a member's limits", () => call("POST", `/containers/${ours}/update`, { Memory: 1 })],
  ["a member killed", () => call("POST", `/containers/${ours}/kill?signal=SIGKILL`)],
  ["a member paused", () => call("POST", `/containers/${ours}/pause`)],
  ["a member made an image", () => call("POST", `/commit?container=${ours}&repo=${PROJECT}`)],
  ["what is stopped removed", () => call("POST", "/containers/prune")],

  ["an image built", () => call("POST", `/build?t=${PROJECT}&remote=https://example.test/x.tar`)],
  ["an image pulled", () => call("POST", "/images/create?fromImage=alpine")],
  ["an image loaded", () => call("POST", "/images/load", "x")],
  ["an image tagged", () => call("POST", `/images/node:26-bookworm-slim/tag?repo=${PROJECT}`)],
  ["an image removed", () => call("DELETE", `/images/${PROJECT}`)],
  ["images listed", () => call("GET", "/images/json")],
  ["volumes listed", () => call("GET", "/volumes")],
  ["a volume of the host's files", () => call("POST", "/volumes/create", { DriverOpts: { device: "/", o: "bind" } })],
  ["a network joined", () => call("POST", `/networks/bridge/connect`, { Container: ours })],
  ["a swarm begun", () => call("POST", "/swarm/init", {})],
  ["a plugin installed", () => call("POST", "/plugins/pull?remote=x", [])],
  [
    "a session of the builder",
    () => ({ ...call("POST", "/session"), headers: { Connection: "Upgrade", Upgrade: "h2c" } }),
  ],

  ["everybody's containers", () => call("GET", "/containers/json?all=true")],
  [
    "a stranger's containers",
    () => call("GET", `/containers/json?filters=${filters(["com.docker.compose.project=other"])}`),
  ],
  [
    "containers by another filter",
    () =>
      call("GET", `/containers/json?filters=${filters([`com.docker.compose.project=${PROJECT}`], { volume: ["/"] })}`),
  ],
  [
    "filters in the form that has no order",
    () =>
      call(
        "GET",
        `/containers/json?filters=${encodeURIComponent(`{"label":{"com.docker.compose.project=${PROJECT}":true}}`)}`,
      ),
  ],
  ["everybody's events", () => call("GET", "/events")],
  ["events of images too", () => call("GET", `/events?filters=${filters([`com.docker.compose.project=${PROJECT}`])}`)],
  ["a path round the rules", () => call("GET", `/containers/${ours}/../../images/json`)],
  ["a path with an escape", () => call("GET", `/containers/${ours}%2f..%2f..%2fimages/json`)],
  ["a path with an empty part", () => call("GET", `//containers/${stranger}/json`)],
  ["the engine's own debugging", () => call("GET", "/debug/pprof/heap")],
];

test("there are more than forty of them, each under a name of its own", () => {
  assert.ok(attacks.length >= 40, `${attacks.length}`);
  assert.equal(new Set(attacks.map(([what]) => what)).size, attacks.length);
});

test("what an attacker in the watchdog's place would ask is refused, with a line, and changes nothing", {
  skip,
}, async (t) => {
  const was = await everything();
  for (const [what, question] of attacks) {
    await t.test(what, async () => {
      const { status, body: said } = await askSocket(socket.path, question());
      assert.equal(status, 403, said);
      assert.match((JSON.parse(said) as { message: string }).message, /^refused by the guardian: /);
    });
  }
  assert.deepEqual(await everything(), was);
  const lines = socket.refused.splice(0);
  assert.ok(lines.length > 0);
  for (const line of lines) assert.match(line, /^call-refused: \{"method":"[A-Z]+","target":"\/.*"reason":"/);
});

test("one more replica like one that is there goes through", { skip }, async () => {
  const { status, body: said } = await askSocket(socket.path, make(replica, second()));
  assert.equal(status, 201, said);
  const { Id } = JSON.parse(said) as { Id: string };
  const { Config } = (await inspect(Id)) as unknown as Inspected;
  assert.equal(Config.Labels?.["com.docker.compose.container-number"], "2");
  await askSocket(socket.path, call("DELETE", `/containers/${Id}?force=true&v=false`));
  assert.deepEqual(socket.refused, []);
});

test("what a heal asks goes through: a twin with another registry and port, in every step", { skip }, async () => {
  const inspected = (await inspect(ours)) as unknown as Inspected;
  const twin = twinBody(inspected, { REGISTRY: '{"version":2}', PORT: "9003", REPORT_NONCE: "ab12" });
  const ask = async (question: SocketQuestion, status: number) => {
    const answer = await askSocket(socket.path, question);
    assert.equal(answer.status, status, `${question.method} ${question.target}: ${answer.body}`);
    return answer.body;
  };
  await ask(call("POST", `/containers/${ours}/rename?name=${name}-aside`), 204);
  const { Id } = JSON.parse(await ask(make(twin), 201)) as { Id: string };
  await ask(call("POST", `/containers/${ours}/stop?t=5`), 204);
  await ask(call("POST", `/containers/${Id}/start`), 204);
  const { Config } = (await inspect(Id)) as Document;
  assert.ok(Config.Env.includes("PORT=9003"));
  await ask(call("GET", `/containers/${Id}/logs?stdout=true&tail=5`), 200);
  await ask(call("DELETE", `/containers/${ours}?force=true&v=false`), 204);
  // It is gone, and its name is still known: one more is made from what is remembered.
  await ask(call("DELETE", `/containers/${Id}?force=true&v=false`), 204);
  const again = JSON.parse(await ask(make(twin), 201)) as { Id: string };
  await ask(call("POST", `/containers/${again.Id}/start`), 204);
  assert.deepEqual(socket.refused, []);
});

/** Names and states of all containers, the project's and others'. */
async function everything(): Promise<string[]> {
  const all = [...(await containers()), stranger];
  const documents = await Promise.all(all.map(inspect));
  return documents.map((document) => JSON.stringify(document, inOrder)).sort();
}

/** The engine lists mounts in no order. */
function inOrder(key: string, value: unknown): unknown {
  if (key !== "Mounts" || !Array.isArray(value)) return value;
  return value.map((mount) => JSON.stringify(mount)).sort();
}
