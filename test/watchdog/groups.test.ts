// The shares of the servers among the proxies: contiguous, as even as can be, and every server gets as much as the others.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseRegistry, type RegistryMember } from "../../services/registry/document.ts";
import { withGroupFaults } from "../../watchdog/desired/groups-named.ts";
import type { Slot } from "../../watchdog/desired/slot.ts";
import { withGroups } from "../../watchdog/rules/groups.ts";

const member = (role: RegistryMember["role"], id: string, more: Partial<RegistryMember> = {}): RegistryMember => ({
  ...{ id, role, host: "10.0.0.1", port: 80, state: "serving" },
  ...more,
});
const system = (proxies: number, servers: number) => [
  ...Array.from({ length: proxies }, (_, index) => member("proxy", `proxy-${index + 1}`)),
  ...Array.from({ length: servers }, (_, index) => member("server", `app-${index + 1}`)),
];
const grouped = (members: readonly RegistryMember[], fixed: Record<string, string> = {}) =>
  withGroups(members, new Map(Object.entries(fixed)));
const groupsOf = (members: readonly RegistryMember[]) =>
  members.map(({ id, group }) => `${id}:${group ?? "-"}`).join(" ");

const table: readonly [proxies: number, servers: number, string][] = [
  [2, 6, "proxy-1:1 proxy-2:2 app-1:1 app-2:1 app-3:1 app-4:2 app-5:2 app-6:2"],
  [2, 3, "proxy-1:1 proxy-2:2 app-1:1 app-2:1 app-3:2"],
  [3, 2, "proxy-1:1 proxy-2:2 proxy-3:1 app-1:1 app-2:2"],
  [1, 2, "proxy-1:1 app-1:1 app-2:1"],
];

for (const [proxies, servers, wanted] of table) {
  test(`${servers} servers among ${proxies} proxies`, () => {
    assert.equal(groupsOf(grouped(system(proxies, servers))), wanted);
  });
}

test("they are counted by number, not by letter", () => {
  const groups = new Map(grouped(system(2, 12)).map(({ id, group }) => [id, group]));
  assert.deepEqual(
    [groups.get("app-2"), groups.get("app-6"), groups.get("app-7"), groups.get("app-10")],
    ["1", "1", "2", "2"],
  );
});

test("who has a group keeps it, and a group that somebody had before counts for nothing", () => {
  const members = [member("proxy", "proxy-1"), member("server", "app-1", { group: "9" }), member("server", "app-2")];
  assert.equal(groupsOf(grouped(members, { "app-2": "7" })), "proxy-1:1 app-1:1 app-2:7");
});

test("proxies are spread over the groups that servers ask for", () => {
  const two = [...system(2, 0), member("server", "api-1"), member("server", "web-1")];
  assert.equal(groupsOf(grouped(two, { "api-1": "1", "web-1": "2" })), "proxy-1:1 proxy-2:2 api-1:1 web-1:2");
  assert.equal(groupsOf(grouped(two, { "web-1": "2" })), "proxy-1:1 proxy-2:2 api-1:1 web-1:2");
});

test("a server whose group no proxy has is misconfigured, where there are proxies", () => {
  const slot = (id: string, role: Slot["role"], group?: string): Slot => ({ id, role, ...(group && { group }) });
  const faults = (...slots: readonly Slot[]) => withGroupFaults(slots).flatMap(({ faults: each = [] }) => each);
  const app = slot("app-1", "server", "9");
  assert.deepEqual(faults(app, slot("app-2", "server", "2")), []);
  assert.deepEqual(faults(slot("proxy-1", "proxy"), slot("proxy-2", "proxy"), app, slot("app-2", "server", "2")), [
    'group "9" has no proxy (there are 2): take evenkeel.group away',
  ]);
  assert.deepEqual(faults(slot("proxy-1", "proxy", "9"), app), []);
});

test("a proxy gets nothing where all behind it weigh nothing, and heavy servers break no bound of the registry", () => {
  const weights = (...servers: readonly number[]) =>
    grouped([
      ...system(2, 0),
      ...servers.map((weight, index) => member("server", `app-${index + 1}`, { weight })),
    ]).flatMap(({ role, weight }) => (role === "proxy" ? [weight] : []));
  assert.deepEqual(weights(1, 1, 0), [2, 0]);
  const idle = member("server", "app-9", { weight: 0 });
  const byHand = grouped([...system(2, 1), idle], { "proxy-1": "1", "proxy-2": "2", "app-1": "1", "app-9": "2" });
  assert.deepEqual(
    byHand.flatMap(({ role, weight }) => (role === "proxy" ? [weight] : [])),
    [1, 0],
  );
  const members = grouped([
    ...system(2, 0),
    ...Array.from({ length: 64 }, (_, index) =>
      member("server", `app-${index + 1}`, { weight: index < 32 ? 256 : 64 }),
    ),
  ]);
  const registry = { schema: 1, version: 1, writtenAt: "2026-01-01T00:00:00.000Z", members };
  assert.deepEqual(parseRegistry(JSON.stringify(registry)), { ok: true, registry });
  const [one, other] = members.map(({ weight }) => weight);
  assert.equal((one ?? 0) / (other ?? 1), 4);
});

test("every proxy has a server, shares differ by one at most, and every server gets the same part of the requests", () => {
  const count = fc.integer({ min: 1, max: 30 });
  fc.assert(
    fc.property(count, count, (proxies, servers) => {
      const members = grouped(system(proxies, servers));
      const of = (role: string) => members.filter((one) => one.role === role);
      const shares = of("proxy").map(({ group }) => of("server").filter((one) => one.group === group).length);
      assert.ok(Math.min(...shares) >= 1 && Math.max(...shares) - Math.min(...shares) <= 1, shares.join());
      const total = of("proxy").reduce((sum, { weight = 1 }) => sum + weight, 0);
      const part = ({ group }: RegistryMember) => {
        const mine = of("proxy").filter((proxy) => proxy.group === group);
        const beside = of("server").filter((server) => server.group === group).length;
        return mine.reduce((sum, { weight = 1 }) => sum + weight, 0) / total / beside;
      };
      for (const server of of("server")) assert.ok(Math.abs(part(server) - 1 / servers) < 1e-9);
    }),
  );
});
