// The members that a tier knows: what a new registry changes and what it leaves, who is in the snapshot, and, in a random
// walk of registries and failures, that a tier with somebody to serve always has somebody to choose.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { memberStates, type RegistryMember } from "../../services/registry/document.ts";
import { policies } from "../../services/runtime/policies.ts";
import { choose } from "../../services/tier/cluster/choose.ts";
import { type Health, healthy, type Outcome, observe } from "../../services/tier/cluster/health.ts";
import {
  adopt,
  isLost,
  type Member,
  type Members,
  nobody,
  snapshotOf,
  withHealth,
} from "../../services/tier/cluster/members.ts";
import { entry } from "../tools/registry.ts";

const NOW = 1_000_000;
const ejected: Health = { kind: "ejected", ejections: 1, untilMs: NOW, reason: "ECONNREFUSED" };
const halfOpenHealth: Health = { kind: "half-open", ejections: 1, sinceMs: NOW, claimed: false };
const none: Members = new Map();

const three = [entry("server-1", 9001), entry("server-2", 9002), entry("server-3", 9003)];
const known = (entries: readonly RegistryMember[], before = none, nowMs = NOW) => adopt(before, entries, nowMs);
const servingIds = (members: Members) => snapshotOf(members).serving.map(({ id }) => id);

function member(members: Members, id: string): Member {
  const found = members.get(id);
  assert.ok(found, id);
  return found;
}

function withEjected(members: Members, ...ids: readonly string[]): Members {
  return ids.reduce((all, id) => withHealth(all, member(all, id), ejected), members);
}

test("a new member is up and served in the registry's order", () => {
  const members = known(three);
  assert.deepEqual(servingIds(members), ["server-1", "server-2", "server-3"]);
  assert.equal(member(members, "server-2").health, healthy);
});

for (const state of memberStates.filter((each) => each !== "serving")) {
  test(`a member that the registry calls ${state} gets nothing`, () => {
    assert.deepEqual(servingIds(known([entry("server-1", 9001, { state }), entry("server-2", 9002)])), ["server-2"]);
  });
}

test("a weight of 0 gets nothing while the registry has others that serve, well or not, and all when it has none", () => {
  const idle = entry("server-1", 9001, { weight: 0 });
  const other = entry("server-2", 9002);
  const [both, twice] = [known([idle, other]), known([idle, entry("server-3", 9003, { weight: 0 })])];
  assert.deepEqual(servingIds(both), ["server-2"]);
  assert.deepEqual(servingIds(withEjected(both, "server-2")), ["server-2"]);
  assert.deepEqual(servingIds(known([idle, { ...other, state: "down" }], both)), ["server-1"]);
  assert.deepEqual(servingIds(twice), ["server-1", "server-3"]);
});

test("a member that the registry no longer has is gone", () => {
  assert.deepEqual([...known(three.slice(1), known(three)).keys()], ["server-2", "server-3"]);
});

const later: readonly [what: string, registered: readonly RegistryMember[], lost: boolean][] = [
  ...memberStates.map((state): [string, RegistryMember[], boolean] => [
    `that the registry calls ${state}`,
    [entry("server-1", 9001, { state })],
    state === "down",
  ]),
  ["that the registry no longer has", [], true],
  ["that listens at another port", [entry("server-1", 9007)], true],
  ["whose slot is filled anew at the same port", [entry("server-1", 9001, { generation: 2 })], true],
];

for (const [what, registered, lost] of later) {
  test(`a member ${what} is ${lost ? "lost" : "not lost"}`, () => {
    const before = known([entry("server-1", 9001)]);
    assert.equal(isLost(known(registered, before), member(before, "server-1")), lost);
  });
}

test("an ejected member is not lost: that is the tier's own opinion, and may be wrong", () => {
  const before = known(three);
  assert.equal(isLost(withEjected(before, "server-1"), member(before, "server-1")), false);
});

test("an ejected member gets nothing while at least half of them are up", () => {
  assert.deepEqual(servingIds(withEjected(known(three), "server-1")), ["server-2", "server-3"]);
  assert.deepEqual(servingIds(withEjected(known(three.slice(0, 2)), "server-1")), ["server-2"]);
});

test("when more than half are ejected the doubt is about us: all are served, and the last one is never taken out", () => {
  const ids = three.map(({ id }) => id);
  const most = withEjected(known(three), "server-1", "server-3");
  assert.deepEqual([servingIds(most), snapshotOf(most).panic], [ids, true]);
  assert.deepEqual(servingIds(withEjected(known(three), ...ids)), ids);
  assert.deepEqual(servingIds(withEjected(known(three.slice(0, 1)), "server-1")), ["server-1"]);
});

test("only those that the registry says serve are counted for the half", () => {
  const down = entry("server-3", 9003, { state: "down" });
  const members = withEjected(known([...three.slice(0, 2), down]), "server-1");
  assert.deepEqual([servingIds(members), snapshotOf(members).panic], [["server-2"], false]);
});

test("a half-open member is owed one request, until one has claimed it, and only while the registry says it serves", () => {
  const halfOpen = (members: Members) => snapshotOf(members).halfOpen.map(({ id }) => id);
  const members = withHealth(known(three), member(known(three), "server-1"), halfOpenHealth);
  assert.deepEqual([halfOpen(members), servingIds(members)], [["server-1"], ["server-2", "server-3"]]);
  assert.deepEqual(
    halfOpen(withHealth(members, member(members, "server-1"), { ...halfOpenHealth, claimed: true })),
    [],
  );
  assert.deepEqual(halfOpen(known([entry("server-1", 9001, { state: "draining" })], members)), []);
});

test("nobody is conjured up: without a serving member the snapshot is empty", () => {
  assert.deepEqual(nobody.serving, []);
  assert.deepEqual(snapshotOf(none).serving, []);
  assert.deepEqual(servingIds(known([entry("server-1", 9001, { state: "draining" })])), []);
});

test("the same instance keeps its health over a new registry, whatever its state was and is", () => {
  const members = withEjected(known(three), "server-1");
  const again = known([entry("server-1", 9001, { state: "draining", weight: 2 }), ...three.slice(1)], members);
  assert.equal(member(again, "server-1").health, ejected);
  assert.equal(member(again, "server-1").state, "draining");
});

const renewals: readonly [string, Partial<RegistryMember>][] = [
  ["port", { port: 9009 }],
  ["host", { host: "127.0.0.2" }],
  ["generation", { generation: 2 }],
];

for (const [what, changes] of renewals) {
  test(`another ${what} is another instance: it has no past, and what is still said of the old one misses it`, () => {
    const old = known(three);
    const renewed = known([entry("server-1", 9001, changes)], withEjected(old, "server-1"));
    assert.equal(member(renewed, "server-1").health, healthy);
    assert.notEqual(member(renewed, "server-1").instance, member(old, "server-1").instance);
    assert.equal(withHealth(renewed, member(old, "server-1"), ejected), renewed);
  });
}

test("a member that fills a slot anew starts slowly from when it serves; nobody does at the tier's own start", () => {
  const healedAt = (members: Members) => member(members, "server-1").healedAtMs;
  const next = (changes: Partial<RegistryMember>) => [entry("server-1", 9011, { generation: 2, ...changes })];
  assert.equal(healedAt(known(next({}))), undefined, "at the start");
  const starting = known(next({ state: "starting" }), known(three), NOW + 1);
  assert.equal(healedAt(starting), undefined, "not yet");
  const serves = known(next({}), starting, NOW + 2);
  assert.equal(healedAt(serves), NOW + 2);
  assert.equal(healedAt(known(next({}), serves, NOW + 3)), NOW + 2, "the same instance began then");
  assert.equal(healedAt(known([entry("server-1", 9011)], known(three))), undefined, "a slot's first generation");
});

test("members of the tier's own node that fail leave it to the others, and in a panic all are used", () => {
  const members = known(["a", "a", "b", "b"].map((node, index) => entry(`server-${index + 1}`, 9001, { node })));
  const near = (all: Members, own?: string) => snapshotOf(all, own).near.map(({ id }) => id);
  assert.deepEqual(near(members, "a"), ["server-1", "server-2"]);
  assert.deepEqual(near(members), ["server-1", "server-2", "server-3", "server-4"]);
  assert.deepEqual(near(withEjected(members, "server-1"), "a"), ["server-2", "server-3", "server-4"]);
  assert.deepEqual(near(withEjected(members, "server-1", "server-2"), "a"), ["server-3", "server-4"]);
  const panic = withEjected(members, "server-2", "server-3", "server-4");
  assert.deepEqual(near(panic, "a"), ["server-1", "server-2", "server-3", "server-4"]);
});

test("a change makes a new map and leaves the old one as it was", () => {
  const members = known(three);
  const changed = withEjected(members, "server-1");
  assert.notEqual(changed, members);
  assert.equal(member(members, "server-1").health, healthy);
  assert.equal(withHealth(changed, { ...member(changed, "server-1"), id: "server-9" }, ejected), changed);
});

test("a snapshot and its members are frozen", () => {
  const snapshot = snapshotOf(known(three));
  const parts = [
    nobody,
    nobody.serving,
    snapshot,
    snapshot.serving,
    snapshot.near,
    snapshot.halfOpen,
    ...snapshot.serving,
  ];
  assert.ok(parts.every(Object.isFrozen));
});

type Happening =
  | { readonly kind: "registry"; readonly entries: readonly RegistryMember[] }
  | { readonly kind: "witness"; readonly who: number; readonly outcome: Outcome; readonly afterMs: number };

const registered = fc.uniqueArray(
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom(...memberStates), fc.nat(2))
    .map(([number, state, generation]) => entry(`server-${number}`, 9000 + number, { state, generation })),
  { selector: ({ id }) => id, maxLength: 6 },
);
const outcomes: readonly Outcome[] = [
  { kind: "answered" },
  { kind: "probed" },
  { kind: "claimed" },
  { kind: "released" },
  { kind: "unreachable", reason: "ECONNREFUSED" },
  { kind: "failed", reason: "status 500" },
];
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("registry" as const), entries: registered }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("witness" as const),
      who: fc.nat(),
      outcome: fc.constantFrom(...outcomes),
      afterMs: fc.nat(2_000),
    }),
  },
);

test("in any walk: somebody is chosen when somebody serves, and only who is up or half-open, but in a panic", () => {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 80 }), unit, fc.constantFrom(...policies), (walk, random, policy) => {
      let members = none;
      let entries: readonly RegistryMember[] = [];
      let nowMs = 0;
      walk.forEach((step, turn) => {
        if (step.kind === "registry") entries = step.entries;
        else nowMs += step.afterMs;
        members = step.kind === "registry" ? known(entries, members, nowMs) : told(members, step, nowMs);
        const serving = entries.filter(({ state }) => state === "serving").map(({ id }) => id);
        const usable = serving.filter((id) => isUsable(member(members, id).health));
        const snapshot = snapshotOf(members);
        const chosen = choose(snapshot, { ...anyPlace, policy, turn, random: () => random, nowMs, tried: [] });
        assert.equal(chosen === undefined, serving.length === 0, "somebody is chosen when somebody serves");
        if (chosen) assert.ok((snapshot.panic ? serving : usable).includes(chosen.id), `${chosen.id} is chosen`);
      });
    }),
    { numRuns: 300 },
  );
});

const anyPlace = { capacity: { hasCapacity: () => true, load: () => 0 }, sticky: undefined, repeatable: true };
const isUsable = (health: Health) => health.kind === "up" || (health.kind === "half-open" && !health.claimed);

/** One witness about one of the members, as roster.ts would take it. */
function told(members: Members, step: Happening & { kind: "witness" }, now: number): Members {
  const all = [...members.values()];
  const about = all[step.who % Math.max(1, all.length)];
  if (about === undefined) return members;
  return withHealth(members, about, observe(about.health, step.outcome, { nowMs: now, random: 0.5 }).health);
}
