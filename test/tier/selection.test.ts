// Whom a tier forwards to, of the members in the registry: the balancer with and without proxies, a proxy that is told its group and one
// that finds itself, and members that go over to another tier.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RegistryMember } from "../../services/registry/document.ts";
import { adopt } from "../../services/tier/cluster/members.ts";
import { forBalancer, forProxy, withLeaving } from "../../services/tier/cluster/selection.ts";
import { entry, registry } from "../tools/registry.ts";

const ids = (members: readonly RegistryMember[]) => members.map(({ id }) => id);
const states = (members: readonly RegistryMember[]) => members.map(({ id, state }) => `${id} ${state}`);
const proxy = (number: number, changes: Partial<RegistryMember> = {}) =>
  entry(`proxy-${number}`, 8081, { host: `10.0.0.${number}`, group: String(number), ...changes });
const server = (number: number, group: string, changes: Partial<RegistryMember> = {}) =>
  entry(`server-${number}`, 9000 + number, { group, ...changes });

const table: readonly [what: string, readonly RegistryMember[], readonly string[]][] = [
  ["proxies, where some serve", [proxy(1), proxy(2, { state: "down" }), server(1, "1")], ["proxy-1", "proxy-2"]],
  ["servers, where there is no proxy", [server(1, "1"), server(2, "1")], ["server-1", "server-2"]],
  ["servers, while no proxy serves", [proxy(1, { state: "starting" }), server(1, "1")], ["server-1"]],
  ["proxies, while nobody serves", [proxy(1, { state: "down" }), server(1, "1", { state: "down" })], ["proxy-1"]],
];

for (const [what, members, wanted] of table) {
  test(`a balancer forwards to ${what}`, () => assert.deepEqual(ids(forBalancer(registry(1, members))), wanted));
}

test("of a pool, a proxy gets as much as the servers behind it weigh, nothing where these weigh nothing while others do", () => {
  const weights = (...servers: readonly RegistryMember[]) =>
    forBalancer(registry(1, [proxy(1), proxy(2), ...servers]), "a").map(({ id, weight }) => `${id} ${weight}`);
  const [one, other] = [server(1, "1", { pool: "a" }), server(2, "2", { pool: "a" })];
  assert.deepEqual(weights(one, other, server(3, "2", { pool: "b" })), ["proxy-1 undefined", "proxy-2 undefined"]);
  assert.deepEqual(weights(one, { ...other, weight: 3 }), ["proxy-1 1", "proxy-2 3"]);
  assert.deepEqual(weights(one, { ...other, weight: 0 }), ["proxy-1 1", "proxy-2 0"]);
  assert.deepEqual(weights({ ...one, weight: 0 }, { ...other, weight: 0 }), ["proxy-1 undefined", "proxy-2 undefined"]);
  assert.deepEqual(weights(one, server(3, "2", { pool: "b" })), ["proxy-1 undefined"]);
});

test("a balancer knows how many servers of a pool work behind each proxy: those that drain still do, weightless ones do not", () => {
  const counts = (pool: string | undefined, ...servers: readonly RegistryMember[]) =>
    forBalancer(registry(1, [proxy(1), proxy(2), ...servers]), pool).map(({ servers: count }) => count);
  const pair = [server(1, "1"), server(2, "2")];
  assert.deepEqual(counts(undefined, ...pair, server(3, "2"), server(4, "2", { state: "down" })), [1, 2]);
  assert.deepEqual(counts(undefined, ...pair, server(3, "2", { state: "draining" })), [1, 2]);
  assert.deepEqual(counts(undefined, ...pair, server(3, "2", { weight: 0 })), [1, 1]);
  assert.deepEqual(counts(undefined, server(1, "1", { weight: 0 })), [1, 0]);
  assert.deepEqual(counts("b", ...pair, server(5, "1", { pool: "b" })), [1]);
});

const members = [proxy(1), proxy(2), server(1, "1"), server(2, "2")];
const of = (group: string | undefined, ...addresses: readonly string[]) =>
  ids(forProxy({ group, addresses: new Set(addresses) })(registry(1, members)));

test("a proxy forwards to the servers of the group it is told, or of its own place in the registry", () => {
  assert.deepEqual(
    [of("1"), of("1", "10.0.0.2"), of(undefined, "10.0.0.2")],
    [["server-1"], ["server-1"], ["server-2"]],
  );
});

test("a proxy that the registry does not know forwards to nobody, unless it knows no proxy at all", () => {
  assert.deepEqual(of(undefined, "10.0.0.9"), []);
  const alone = forProxy({ group: undefined, addresses: new Set() });
  assert.deepEqual(ids(alone(registry(1, [server(1, "1"), server(2, "2")]))), ["server-1"]);
});

test("who goes over to another tier drains; who is down, gone or another one by now does not come along", () => {
  const known = adopt(new Map(), [server(1, "1"), server(2, "1"), server(3, "1"), server(4, "1")], 0);
  const next = [server(1, "1"), server(2, "2"), server(3, "2", { state: "down" }), server(4, "2", { generation: 7 })];
  const selected = next.filter(({ group }) => group === "1");
  const wanted = ["server-1 serving", "server-2 draining", "server-3 down"];
  assert.deepEqual(states(withLeaving(selected, registry(2, next), known)), wanted);
});
