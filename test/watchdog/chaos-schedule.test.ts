// Which fault chaos does next, and to whom: never one that takes the last complete route, and the same one for the same seed.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { faultKinds } from "../../watchdog/chaos/injected-fault.ts";
import {
  type FaultScope,
  hasRoute,
  nextFault,
  type TargetCandidate,
  targetRoles,
} from "../../watchdog/chaos/schedule.ts";
import { seeded } from "../../watchdog/chaos/seeded.ts";

const RULES: FaultScope = { kinds: faultKinds, roles: ["server", "proxy"] };
const TRIES = 200;

/** Written as server-1 or proxy-2; servers 1-3 are of group 1, as in the system. A balancer has no group. */
function candidate(slot: string, serves = true): TargetCandidate {
  const [role, number = ""] = slot.split("-") as [string, string?];
  const group = role === "server" ? String(Math.ceil(Number(number) / 3)) : role === "proxy" ? number : null;
  return { slot, role, group, serves };
}

const all = ["balancer", "proxy-1", "proxy-2", ...[1, 2, 3, 4, 5, 6].map((n) => `server-${n}`)];

/** Every target that any random numbers lead to. */
function targets(serving: readonly string[], suffering: readonly string[] = [], rules = RULES): string[] {
  const random = seeded(1);
  const candidates = all.map((slot) => candidate(slot, serving.includes(slot)));
  const choices = Array.from({ length: TRIES }, () => nextFault(random, candidates, new Set(suffering), rules));
  return [...new Set(choices.flatMap((choice) => choice?.slot ?? []))].sort();
}

const rows: readonly [
  fact: string,
  serving: readonly string[],
  suffering: readonly string[],
  targets: readonly string[],
][] = [
  ["when all serve, any proxy or server may be next", all, [], all.slice(1)],
  ["the last complete route is left alone", ["balancer", "proxy-1", "server-2"], [], []],
  [
    "a second server of the only group may go, its proxy may not",
    ["proxy-1", "server-1", "server-2"],
    [],
    ["server-1", "server-2"],
  ],
  [
    "two routes in two groups: either end of either may go",
    ["proxy-1", "server-1", "proxy-2", "server-6"],
    [],
    ["proxy-1", "proxy-2", "server-1", "server-6"],
  ],
  ["a server without a proxy is no route, so it may go", ["proxy-1", "server-1", "server-4"], [], ["server-4"]],
  ["a proxy without a server is no route, so it may go", ["proxy-1", "server-1", "proxy-2"], [], ["proxy-2"]],
  [
    "who suffers counts as gone, and is not hit again",
    all,
    ["proxy-1", "server-4", "server-5"],
    ["server-1", "server-2", "server-3"],
  ],
  ["when all suffer, nothing is done", all, all, []],
  [
    "who does not serve is no target",
    ["proxy-1", "server-1", "server-2", "server-3"],
    ["server-3"],
    ["server-1", "server-2"],
  ],
];

for (const [fact, serving, suffering, expected] of rows) {
  test(fact, () => assert.deepEqual(targets(serving, suffering), [...expected].sort()));
}

test("the balancer is a target only where it is asked for, and never counts as a route", () => {
  const rules: FaultScope = { ...RULES, roles: ["balancer"] };
  assert.deepEqual(targets(all, [], rules), ["balancer"]);
  assert.deepEqual(targets(["balancer", "proxy-1", "server-6"], [], rules), []);
});

test("only the kinds asked for are done", () => {
  const random = seeded(3);
  const candidates = all.map((slot) => candidate(slot));
  const kinds = Array.from({ length: TRIES }, () =>
    nextFault(random, candidates, new Set(), { ...RULES, kinds: ["hang", "stop"] }),
  ).map((choice) => choice?.kind);
  assert.deepEqual([...new Set(kinds)].sort(), ["hang", "stop"]);
});

test("a moment without a target does not shift what comes after", () => {
  const candidates = all.map((slot) => candidate(slot));
  const [random, other] = [seeded(5), seeded(5)];
  assert.equal(nextFault(random, candidates, new Set(all), RULES), undefined);
  nextFault(other, candidates, new Set(), RULES);
  assert.deepEqual(nextFault(random, candidates, new Set(), RULES), nextFault(other, candidates, new Set(), RULES));
});

const world = fc.record({
  seed: fc.nat(),
  serving: fc.subarray(all),
  suffering: fc.subarray(all),
  kinds: fc.subarray([...faultKinds], { minLength: 1 }),
  roles: fc.subarray([...targetRoles], { minLength: 1 }),
});

test("whatever serves and suffers, a fault hits who serves and does not suffer, and leaves a complete route", () => {
  const holds = fc.property(world, ({ seed, serving, suffering, kinds, roles }) => {
    const candidates = all.map((slot) => candidate(slot, serving.includes(slot)));
    const choose = () => nextFault(seeded(seed), candidates, new Set(suffering), { kinds, roles });
    const choice = choose();
    assert.deepEqual(choose(), choice);
    const sound = candidates.filter(({ slot, serves }) => serves && !suffering.includes(slot));
    const without = (gone: string) => sound.filter(({ slot }) => slot !== gone);
    if (choice === undefined) {
      const spared = sound.filter(({ slot, role }) => (roles as string[]).includes(role) && hasRoute(without(slot)));
      assert.deepEqual(spared, [], "one could have been hit");
      return;
    }
    assert.ok(kinds.includes(choice.kind));
    assert.ok(sound.some(({ slot, role }) => slot === choice.slot && (roles as string[]).includes(role)));
    assert.ok(hasRoute(without(choice.slot)));
  });
  fc.assert(holds, { seed: 20_261_122, numRuns: 2_000 });
});

test("a campaign of any length, with recoveries in any order, always leaves a complete route", () => {
  const steps = fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 200 });
  const holds = fc.property(fc.nat(), steps, (seed, moves) => {
    const random = seeded(seed);
    const suffering = new Set<string>();
    const candidates = all.map((slot) => candidate(slot));
    for (const move of moves) {
      const [recovered] = [...suffering].slice(move % Math.max(1, suffering.size));
      if (move > 5 && recovered !== undefined) suffering.delete(recovered);
      const choice = nextFault(random, candidates, suffering, RULES);
      if (choice !== undefined) suffering.add(choice.slot);
      assert.ok(hasRoute(candidates.filter(({ slot }) => !suffering.has(slot))));
    }
  });
  fc.assert(holds, { seed: 20_261_122, numRuns: 300 });
});
