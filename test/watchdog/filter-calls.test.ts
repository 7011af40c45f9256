// The guardian's filter, its rules as tables: which calls have a row, what a container has to be to be touched, what of many looks at
// containers is kept. That a body is a twin's is in filter-twin.test.ts; the whole on a real engine in test/docker.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerInspectInfo } from "dockerode";
import { whyOpen } from "../../watchdog/guardian/separation.ts";
import { type CallRow, callOf, WATCHDOG_CALLS } from "../../watchdog/guardian/socket/rules/call.ts";
import { CHAOS_CALLS } from "../../watchdog/guardian/socket/rules/chaos-calls.ts";
import { candidates, type Kept, ofEarlierMakings, withKept } from "../../watchdog/guardian/socket/rules/kept.ts";
import { targetOf, targetText } from "../../watchdog/guardian/socket/rules/request-target.ts";
import { subjectOf, whyNotChange, whyNotLookAt, whyNotRename } from "../../watchdog/guardian/socket/rules/subject.ts";
import { SWARM_CALLS } from "../../watchdog/guardian/socket/rules/swarm-calls.ts";

const OURS = "com.docker.compose.project=evenkeel";
const filters = (value: unknown) => `filters=${encodeURIComponent(JSON.stringify(value))}`;

/** What kind of call it is, or why it is none. */
function judged(rows: readonly CallRow[], line: string): string {
  const [method = "", url = ""] = line.split(" ");
  const target = targetOf(url);
  if (typeof target === "string") return target;
  const call = callOf(rows, method, target, "evenkeel");
  return call.kind === "refused" ? call.reason : call.kind;
}

const STACK = { label: ["com.docker.stack.namespace=ek"] };
const swarms: readonly [line: string, kind: string][] = [
  ["GET /version", "plain"],
  ["GET /v1.45/containers/ab12/json", "inspect"],
  [`GET /v1.45/tasks?${filters({ ...STACK, "desired-state": ["running"] })}`, "plain"],
  [`GET /v1.45/tasks?${filters(STACK)}`, "plain"],
  [`GET /v1.45/tasks?${filters({ id: ["x7k2p0123456789abcdefghij", "y7k2p0123456789abcdefghij"] })}`, "plain"],
  [`GET /v1.45/services?${filters(STACK)}`, "plain"],
  ["GET /v1.45/nodes?", "plain"],
  [`GET /v1.45/events?${filters({ type: ["service", "node"] })}`, "plain"],
  ["GET /v1.45/tasks/x7k2p0123456789abcdefghij/logs?stdout=true&stderr=true&tail=20", "plain"],

  ["GET /v1.45/tasks", "no parameter filters"],
  ["GET /v1.45/services", "no parameter filters"],
  [`GET /v1.45/services?${filters({})}`, "the parameter filters={}"],
  [`GET /v1.45/services?${filters({ name: ["ek_app"] })}`, 'the parameter filters={"name":["ek_app"]}'],
  [`GET /v1.45/events?${filters({ type: ["container"] })}`, 'the parameter filters={"type":["container"]}'],
  ["GET /v1.45/tasks/x7k2p0123456789abcdefghij/logs?follow=true&stdout=true&since=0", "plain"],
  ["GET /v1.45/tasks/x7k2p0123456789abcdefghij/logs?follow=true&since=0", "no parameter stdout"],
  ["GET /v1.45/tasks/x7k2p0123456789abcdefghij/logs?stdout=true&details=1", "the parameter details=1"],
  ["GET /v1.45/tasks/x7k2p0123456789abcdefghij", "no such call is made"],
  ["GET /v1.45/services/app", "no such call is made"],
  ["GET /v1.45/swarm", "no such call is made"],
  ["GET /v1.45/secrets", "no such call is made"],
  ["GET /v1.45/configs", "no such call is made"],
  ["GET /v1.45/containers/json", "no such call is made"],
  ["GET /v1.45/containers/ab12/logs?stdout=true", "no such call is made"],
  ["POST /v1.45/services/create", "no such call is made"],
  ["POST /v1.45/services/app/update?version=7", "no such call is made"],
  ["POST /v1.45/nodes/alpha/update?version=7", "no such call is made"],
  ["POST /v1.45/containers/create?name=x", "no such call is made"],
  ["DELETE /v1.45/services/app", "no such call is made"],
  ["DELETE /v1.45/nodes/alpha", "no such call is made"],
];

for (const [line, kind] of swarms) {
  test(`on a Swarm, ${line}: ${kind}`, () => assert.equal(judged(SWARM_CALLS, line), kind));
}

test("on a Swarm nothing is let through but GETs", () => {
  assert.deepEqual([...new Set(SWARM_CALLS.map(({ method }) => method))], ["GET"]);
});

const watchdogs: readonly [line: string, kind: string][] = [
  ["GET /version", "plain"],
  ["GET /v1.45/version", "plain"],
  ["GET /v1.45/info", "plain"],
  ["GET /_ping", "plain"],
  [`GET /v1.45/events?${filters({ type: ["container"], event: ["die"], label: [OURS] })}&since=1&until=2.003`, "plain"],
  [`GET /v1.51/containers/json?all=true&${filters({ label: [OURS, "com.docker.compose.oneoff=False"] })}`, "plain"],
  ["GET /v1.45/containers/ab12/json", "inspect"],
  ["GET /v1.45/containers/evenkeel-server-1-1/logs?follow=true&stdout=true&stderr=false&since=1.500", "look"],
  ["GET /v1.45/containers/ab12/logs?follow=false&stdout=1&stderr=1&tail=20", "look"],
  ["GET /v1.45/containers/ab12/changes", "look"],
  ["HEAD /v1.45/containers/ab12/archive?path=%2Frun%2Fsecrets%2Ftoken", "look"],
  ["GET /v1.45/images/registry.example:5000/team/evenkeel:1.2@sha256:ab/json", "plain"],
  ["POST /v1.45/containers/create?name=evenkeel-server-1-1", "create"],
  ["POST /v1.45/containers/ab12/copied", "copy"],
  ["POST /v1.45/containers/ab12/start?", "change"],
  ["POST /v1.45/containers/ab12/stop?t=12", "change"],
  ["POST /v1.45/containers/ab12/rename?name=evenkeel-server-1-1-aside", "rename"],
  ["DELETE /v1.45/containers/ab12?force=true&v=false", "change"],

  ["HEAD /_ping", "no such call is made"],
  ["GET /v1.45/version?x=1", "the parameter x=1"],
  ["GET /v1.43/info", "a version of the API that is none of 1.44 to 1.51"],
  ["GET /v1.52/info", "a version of the API that is none of 1.44 to 1.51"],
  ["GET /v2.0/info", "no such call is made"],
  ["GET /v1.45/events", "no parameter filters"],
  [`GET /events?${filters({ label: [OURS] })}`, "events that are not of containers"],
  [`GET /events?${filters({ type: ["container", "image"], label: [OURS] })}`, "events that are not of containers"],
  [`GET /events?${filters({ type: ["container"], label: [`${OURS}2`] })}`, "filters without our project"],
  [`GET /events?${filters({ type: ["container"], label: [OURS], container: ["x"] })}`, "a filter by container"],
  [`GET /events?${filters({ type: ["container"], label: { [OURS]: true } })}`, "filters that are no lists of words"],
  [`GET /containers/json?filters=%7B`, "filters that are no lists of words"],
  [`GET /containers/json?size=1&${filters({ label: [OURS] })}`, "the parameter size=1"],
  ["GET /containers/ab12/json?size=1", "the parameter size=1"],
  ["GET /containers/ab12/archive?path=%2Frun%2Fsecrets%2Ftoken", "no such call is made"],
  ["PUT /containers/ab12/archive?path=%2F", "no such call is made"],
  ["POST /containers/ab12/copied?from=cd34", "the parameter from=cd34"],
  ["HEAD /containers/ab12/archive", "no parameter path"],
  ["HEAD /containers/ab12/archive?path=x", "the parameter path=x"],
  ["GET /containers/ab12/top", "no such call is made"],
  ["GET /containers/ab12/logs?details=1", "the parameter details=1"],
  ["GET /images/json", "no such call is made"],
  ["GET /images/a/../../containers/x/json", "a path with more than names in it"],
  ["GET /containers/%2e%2e/json", "a path with more than names in it"],
  ["GET //containers/ab12/json", "a path with more than names in it"],
  ["GET http://docker/version", "a path with more than names in it"],
  ["GET /version?a=1?b=2", "a second question mark"],
  ["POST /containers/create", "no parameter name"],
  ["POST /containers/create?name=a&name=b", "a parameter twice, or one too long"],
  ["POST /containers/create?name=a&platform=x", "the parameter platform=x"],
  ["POST /containers/create?name=../x", "the parameter name=../x"],
  ["POST /containers/ab12/start?checkpoint=x", "the parameter checkpoint=x"],
  ["POST /containers/ab12/stop?signal=9", "the parameter signal=9"],
  ["POST /containers/ab12/stop?t=-1", "the parameter t=-1"],
  ["POST /containers/ab12/restart", "no such call is made"],
  ["POST /containers/ab12/kill?signal=SIGKILL", "no such call is made"],
  ["POST /containers/ab12/exec", "no such call is made"],
  ["DELETE /containers/ab12?force=true", "no parameter v"],
  ["DELETE /containers/ab12?force=true&v=true", "the parameter v=true"],
  ["DELETE /containers/ab12?v=0&link=1", "the parameter link=1"],
];

const EXEC = "ab".repeat(32);
const chaos: readonly [line: string, kind: string][] = [
  ["GET /version", "plain"],
  ["GET /containers/ab12/json", "inspect"],
  ["POST /containers/ab12/kill?signal=SIGKILL", "change"],
  ["POST /containers/ab12/stop?", "change"],
  ["POST /containers/ab12/start?", "change"],
  ["POST /containers/ab12/pause", "change"],
  ["POST /containers/ab12/unpause", "change"],
  ["DELETE /containers/ab12?force=true", "change"],
  ["POST /containers/ab12/exec", "exec"],
  [`POST /exec/${EXEC}/start`, "exec-run"],
  [`GET /exec/${EXEC}/json`, "exec-run"],
  ["POST /containers/ab12/kill?signal=SIGSTOP", "the parameter signal=SIGSTOP"],
  ["DELETE /containers/ab12?force=true&v=true", "the parameter v=true"],
  ["POST /containers/create?name=x", "no such call is made"],
  ["POST /containers/ab12/rename?name=x", "no such call is made"],
  ["GET /containers/ab12/logs?stdout=1", "no such call is made"],
  ["GET /exec/ab12/json", "no such call is made"],
];

for (const [who, rows, table] of [
  ["the watchdog's socket", WATCHDOG_CALLS, watchdogs],
  ["chaos's socket", CHAOS_CALLS, chaos],
] as const) {
  for (const [line, kind] of table) test(`${who}: ${line} is ${kind}`, () => assert.equal(judged(rows, line), kind));
}

test("what goes to the engine is written anew: filters as lists alone, and each parameter once", () => {
  const url = `/v1.45/containers/json?all=1&${filters({ label: [OURS] })}`;
  const target = targetOf(url);
  assert.ok(typeof target !== "string");
  const call = callOf(WATCHDOG_CALLS, "GET", target, "evenkeel");
  assert.ok(call.kind === "plain");
  assert.equal(targetText(target.version, call.path, call.parameters), url);
});

test("without a project of our own nothing about one is let through", () => {
  const target = targetOf(`/containers/json?${filters({ label: ["com.docker.compose.project="] })}`);
  assert.ok(typeof target !== "string");
  assert.equal(callOf(WATCHDOG_CALLS, "GET", target, undefined).kind, "refused");
});

const LABELS = { "evenkeel.role": "server", "evenkeel.reports": "yes" };
const labels = (project: string, more: object = LABELS) => ({
  "com.docker.compose.project": project,
  "com.docker.compose.service": "server-1",
  "com.docker.compose.container-number": "1",
  "com.docker.compose.oneoff": "False",
  "com.docker.compose.config-hash": "f6b2",
  ...more,
});
const inspected = (Labels: object, Name = "/evenkeel-server-1-1") =>
  ({ Id: "one", Name, Config: { Labels, Env: ["ROLE=server", "ID=server-1"] } }) as unknown as ContainerInspectInfo;

const member = subjectOf(inspected(labels("evenkeel")));
const previous = subjectOf(inspected(labels("evenkeel"), "/evenkeel-server-1-1-aside"));
const leftover = subjectOf(inspected(labels("evenkeel"), "/0123456789ab_evenkeel-server-1-1"));
const database = subjectOf(inspected(labels("evenkeel", {})));
const oneOff = subjectOf(inspected(labels("evenkeel", { ...LABELS, "com.docker.compose.oneoff": "True" })));
const stranger = subjectOf(inspected(labels("other")));
const plain = subjectOf(inspected({}));
const scope = { project: "evenkeel", self: "guardian" };

test("a container of the project may be looked at, and a member of it changed", () => {
  for (const [subject, look, change] of [
    [member, undefined, undefined],
    [previous, undefined, undefined],
    [database, undefined, "a container that no label makes ours"],
    [oneOff, undefined, "a container that no label makes ours"],
    [stranger, "a container of somebody else's", "a container of somebody else's"],
    [plain, "a container of somebody else's", "a container of somebody else's"],
  ] as const) {
    assert.deepEqual([whyNotLookAt(subject, scope), whyNotChange(subject, scope)], [look, change]);
  }
});

test("the container that the guardian runs in is changed by nobody from within", () => {
  assert.equal(whyNotChange(member, { ...scope, self: "one" }), "the watchdog's own container");
});

test("without a project, containers without one are not ours", () => {
  assert.equal(whyNotLookAt(plain, { project: undefined, self: undefined }), "a container of somebody else's");
});

test("a member keeps its name, with what says that it is a previous one or without", () => {
  for (const [subject, name, reason] of [
    [member, "evenkeel-server-1-1-aside", undefined],
    [previous, "evenkeel-server-1-1", undefined],
    [leftover, "evenkeel-server-1-1", undefined],
    [leftover, "0123456789ab_evenkeel-server-1-1-aside", undefined],
    [member, "evenkeel-server-2-1", "a name of others"],
    [member, "evenkeel-server-1-1-aside-aside", "a name of others"],
    [member, "0123456789ab_evenkeel-server-1-1", "a name of others"],
    [leftover, "ba9876543210_evenkeel-server-1-1", "a name of others"],
    [stranger, "evenkeel-server-1-1-aside", "a container of somebody else's"],
  ] as const) {
    assert.equal(whyNotRename(subject, name, scope), reason, name);
  }
});

interface Look {
  readonly id: string;
  readonly created: number;
  readonly hash?: string;
  readonly memory?: number;
  readonly networks?: readonly string[];
}

const kept = ({ id, created, hash = "h1", memory = 0, networks = [] }: Look) =>
  ({
    ...{ Id: id, Name: "/evenkeel-server-1-1", Created: `2026-01-0${created}T00:00:00Z`, Image: "sha256:1" },
    Config: { Image: "evenkeel", Labels: { "com.docker.compose.config-hash": hash } },
    HostConfig: { Memory: memory },
    NetworkSettings: { Networks: Object.fromEntries(networks.map((name) => [name, {}])) },
  }) as unknown as Kept;
const keptAll = (...looks: readonly Look[]) => {
  let all = withKept(new Map(), kept(looks[0] as Look));
  for (const look of looks.slice(1)) all = withKept(all, kept(look));
  return all.get("evenkeel-server-1-1") ?? [];
};

test("of one making the first look is kept and the last seven", () => {
  const looks = keptAll(...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((memory) => ({ id: "a", created: 1, memory })));
  assert.deepEqual(
    looks.map(({ HostConfig }) => HostConfig.Memory),
    [1, 4, 5, 6, 7, 8, 9, 10],
  );
});

test("a look that tells nothing new changes nothing", () => {
  const all = withKept(new Map(), kept({ id: "a", created: 1 }));
  assert.equal(withKept(all, kept({ id: "a", created: 1 })), all);
});

test("what somebody made anew does not get back what it had before, unless that container is still there", () => {
  const looks = keptAll({ id: "old", created: 1, hash: "privileged" }, { id: "new", created: 2 });
  assert.deepEqual(ofEarlierMakings(looks), ["old"]);
  const ids = (there: readonly string[]) => candidates(looks, new Set(there)).map(({ Id }) => Id);
  assert.deepEqual(ids([]), ["new"]);
  assert.deepEqual(ids(["old"]), ["new", "old"]);
});

test("one that was taken off its networks, and changed besides, may be made anew with both", () => {
  const [reached, taken] = [
    { id: "a", created: 1, memory: 1, networks: ["front", "back"] },
    { id: "a", created: 1, memory: 2, networks: ["back"] },
  ];
  const could = candidates(keptAll(reached, taken), new Set()).map(
    ({ HostConfig, NetworkSettings }) => `${HostConfig.Memory} ${Object.keys(NetworkSettings.Networks ?? {}).sort()}`,
  );
  assert.ok(could.includes("2 back,front"), could.join("; "));
  const another = candidates(keptAll(reached, { ...taken, id: "b" }), new Set());
  assert.equal(another.length, 2);
});

test("a late look at a container of an earlier making does not make that the newest", () => {
  const looks = keptAll({ id: "new", created: 2 }, { id: "old", created: 1, hash: "privileged" });
  assert.deepEqual(
    candidates(looks, new Set()).map(({ Id }) => Id),
    ["new"],
  );
});

test("a socket that the watchdog could open itself is known by its mode and group", () => {
  assert.equal(whyOpen({ mode: 0o140660, gid: 999 }, 8404), undefined);
  assert.match(String(whyOpen({ mode: 0o140666, gid: 999 }, 8404)), /^everybody may/);
  assert.match(String(whyOpen({ mode: 0o140660, gid: 8404 }, 8404)), /own group 8404$/);
});
