// Which member gets the next attempt: round robin is exact, random is even, weights and slow starts have their share, a half-open member
// comes first, and a member that has failed the request is not asked again.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RegistryMember } from "../../services/registry/document.ts";
import { policies } from "../../services/runtime/policies.ts";
import {
  type Capacity,
  type Choice,
  choose,
  REPEATABLE_AWAITED_MS,
  shareOf,
} from "../../services/tier/cluster/choose.ts";
import {
  adopt,
  type Member,
  SLOW_START_MS,
  type Snapshot,
  snapshotOf,
  withHealth,
} from "../../services/tier/cluster/members.ts";
import { entry } from "../tools/registry.ts";

const NOW = 1_000_000;

/** What is not said is without limit, and idle. */
function capacityOf(said: Partial<Capacity>): Capacity {
  return { hasCapacity: () => true, load: () => 0, ...said };
}

const calm: Choice = {
  policy: "round-robin",
  turn: 0,
  random: () => 0.5,
  nowMs: NOW,
  tried: [],
  capacity: capacityOf({}),
  sticky: undefined,
  repeatable: true,
};
const [a, b, c] = ["server-1", "server-2", "server-3"] as const;

/** Members server-1, server-2 and so on, each with its changes. */
function snapshot(...changes: readonly Partial<RegistryMember>[]): Snapshot {
  return snapshotOf(
    adopt(
      new Map(),
      changes.map((each, index) => entry(`server-${index + 1}`, 9001 + index, each)),
      NOW,
    ),
  );
}

const three = snapshot({}, {}, {});

/** How often each is chosen in `rounds` turns, with the dice going evenly from 0 to 1. */
function counts(of: Snapshot, choice: Partial<Choice>, rounds: number): Record<string, number> {
  const chosen: Record<string, number> = {};
  for (let turn = 0; turn < rounds; turn += 1) {
    const id = choose(of, { ...calm, turn, random: () => turn / rounds, ...choice })?.id ?? "nobody";
    chosen[id] = (chosen[id] ?? 0) + 1;
  }
  return chosen;
}

function never(): number {
  throw new Error("round robin throws no dice");
}

test("round robin asks each member in turn, in the registry's order, without dice", () => {
  const turns = Array.from({ length: 7 }, (_, turn) => choose(three, { ...calm, turn, random: never })?.id);
  assert.deepEqual(turns, [a, b, c, a, b, c, a]);
});

test("random gives every member the same share of the dice", () => {
  assert.deepEqual(counts(three, { policy: "random" }, 300), { [a]: 100, [b]: 100, [c]: 100 });
});

for (const policy of ["round-robin", "random"] as const) {
  test(`${policy} gives each member its weight's share`, () => {
    const {
      [a]: one = 0,
      [b]: six = 0,
      [c]: three = 0,
    } = counts(snapshot({}, { weight: 6 }, { weight: 3 }), { policy }, 1_000);
    for (const [count, share] of [
      [one, 100],
      [six, 600],
      [three, 300],
    ] as const) {
      assert.ok(Math.abs(count - share) <= 5, `${count} of 1000, not ${share}`);
    }
  });
}

for (const policy of policies) {
  test(`${policy} shares evenly among members that all weigh nothing`, () => {
    const { [a]: one = 0, [b]: other = 0 } = counts(snapshot({ weight: 0 }, { weight: 0 }), { policy }, 100);
    assert.ok(Math.abs(one - other) <= 2, `${one} and ${other}`);
  });
}

test("weighted turns alternate: the lighter member never waits for more than its share and one", () => {
  const weighted = snapshot({ weight: 3 }, {});
  const turns = Array.from({ length: 200 }, (_, turn) => choose(weighted, { ...calm, turn })?.id);
  const waits = turns
    .join(" ")
    .split("server-2")
    .map((between) => between.split("server-1").length - 1);
  assert.ok(Math.max(...waits) <= 5, `${Math.max(...waits)} turns without server-2`);
});

test("a healed member's share grows from a tenth to the whole in ten seconds", () => {
  const healed = { ...(three.serving[0] as Member), weight: 2, healedAtMs: NOW };
  const shares = [-5, 0, SLOW_START_MS / 2, SLOW_START_MS, 10 * SLOW_START_MS].map((ms) => shareOf(healed, NOW + ms));
  assert.deepEqual(shares, [0.2, 0.2, 1.1, 2, 2]);
  const slow = snapshotOf(new Map([healed, ...three.serving.slice(1)].map((member) => [member.id, member])));
  const { [a]: few = 0 } = counts(slow, { policy: "random" }, 1_100);
  assert.ok(few >= 98 && few <= 102, `${few} of 1100`);
});

/** Chosen by a tier on this node, of members with these nodes. */
function chosenOn(own: string, nodes: readonly string[], choice: Partial<Choice> = {}): string[] {
  const entries = nodes.map((node, index) => entry(`server-${index + 1}`, 9001 + index, { node }));
  return Object.keys(counts(snapshotOf(adopt(new Map(), entries, NOW), own), choice, 60)).sort();
}

for (const policy of policies) {
  test(`${policy}: members of the tier's own node come first, and the others where those fail or are full`, () => {
    const nodes = ["a", "b", "a", "b"];
    assert.deepEqual(chosenOn("a", nodes, { policy }), ["server-1", "server-3"]);
    assert.deepEqual(chosenOn("a", nodes, { policy, tried: ["server-1"] }), ["server-3"]);
    assert.deepEqual(chosenOn("a", nodes, { policy, tried: ["server-1", "server-3"] }), ["server-2", "server-4"]);
    const isFull = capacityOf({ hasCapacity: ({ node }) => node !== "a" });
    assert.deepEqual(chosenOn("a", nodes, { policy, capacity: isFull }), ["server-2", "server-4"]);
    assert.deepEqual(chosenOn("a", nodes, { policy, sticky: "server-2" }), ["server-2"]);
  });
}

test("where a node has less than its part of the members, or none, a tier there asks all alike", () => {
  const all = ["server-1", "server-2", "server-3", "server-4"];
  assert.deepEqual(chosenOn("a", ["a", "b", "b", "b"]), all);
  assert.deepEqual(chosenOn("b", ["a", "b", "b", "b"]), all.slice(1));
  assert.deepEqual(chosenOn("c", ["a", "b", "a", "b"]), all);
  assert.deepEqual(chosenOn("a", ["a", "a", "a", "a"]), all);
});

test("least-requests takes the less loaded of two, by its share", () => {
  const loads = new Map([
    [a, 3],
    [b, 1],
  ]);
  const capacity = capacityOf({ load: ({ id }) => loads.get(id as typeof a) ?? 0 });
  assert.deepEqual(counts(snapshot({}, {}), { policy: "least-requests", capacity }, 100), { [b]: 100 });
  assert.deepEqual(counts(snapshot({ weight: 9 }, {}), { policy: "least-requests", capacity }, 100), { [a]: 100 });
});

test("least-requests goes by share where neither has anything to do", () => {
  const { [a]: many = 0 } = counts(snapshot({ weight: 9 }, {}), { policy: "least-requests" }, 1_000);
  assert.ok(many >= 890 && many <= 910, `${many} of 1000`);
});

const members = adopt(new Map(), [entry(a, 9001), entry(b, 9002)], NOW);
/** Of server-1, which is up, and server-2, which is half-open. */
const halfOpen = snapshotOf(
  withHealth(members, members.get(b) as Member, { kind: "half-open", ejections: 1, sinceMs: NOW, claimed: false }),
);

test("a half-open member gets the first request to come, but not the second attempt of one, and not where it is full", () => {
  assert.equal(choose(halfOpen, calm)?.id, b);
  assert.equal(choose(halfOpen, { ...calm, tried: ["server-9"] })?.id, a);
  assert.equal(choose(halfOpen, { ...calm, capacity: capacityOf({ hasCapacity: ({ id }) => id === a }) })?.id, a);
});

test("a half-open member moves nobody from a member that serves, but one whose own member is out may show it", () => {
  assert.equal(choose(halfOpen, { ...calm, sticky: a })?.id, a);
  assert.equal(choose(halfOpen, { ...calm, sticky: b })?.id, b);
  assert.equal(choose(halfOpen, { ...calm, sticky: "server-9" })?.id, b);
});

test("a request that cannot be repeated is a half-open member's only when none other has come for a while", () => {
  const nowMs = NOW + REPEATABLE_AWAITED_MS;
  assert.equal(choose(halfOpen, { ...calm, repeatable: false })?.id, a);
  assert.equal(choose(halfOpen, { ...calm, repeatable: false, nowMs: nowMs - 1 })?.id, a);
  assert.equal(choose(halfOpen, { ...calm, repeatable: false, nowMs })?.id, b);
});

test("a client's later requests go where its first went, while that member is there, has a place and has not failed", () => {
  for (const policy of policies) assert.deepEqual(counts(three, { policy, sticky: b }, 10), { [b]: 10 });
  assert.notEqual(choose(three, { ...calm, sticky: b, tried: [b] })?.id, b);
  assert.notEqual(
    choose(three, { ...calm, sticky: b, capacity: capacityOf({ hasCapacity: ({ id }) => id !== b }) })?.id,
    b,
  );
  assert.ok(choose(three, { ...calm, sticky: "server-9" }));
});

for (const policy of policies) {
  test(`${policy} has an answer at both ends of the dice and of the turns, whatever the weights`, () => {
    for (const of of [three, snapshot({ weight: 0.1 }, { weight: 0.7 }, { weight: 0.2 })]) {
      for (const random of [0, 1 - Number.EPSILON / 2]) {
        for (const turn of [0, Number.MAX_SAFE_INTEGER])
          assert.ok(choose(of, { ...calm, policy, turn, random: () => random }));
      }
    }
  });

  test(`${policy} chooses nobody where nobody is, or where everybody has been tried or is full`, () => {
    assert.equal(choose(snapshot(), { ...calm, policy }), undefined);
    assert.equal(choose(three, { ...calm, policy, tried: [c, a, b] }), undefined);
    assert.equal(
      choose(three, { ...calm, policy, tried: [a], capacity: capacityOf({ hasCapacity: ({ id }) => id === a }) }),
      undefined,
    );
  });

  test(`${policy} never chooses a tried or a full member, and always somebody else while there is one`, () => {
    const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const someIds = fc.subarray([a, b, c, "server-4"]);
    const weights = fc.array(fc.constantFrom(1, 1, 0.5, 7), { maxLength: 4 });
    fc.assert(
      fc.property(weights, fc.nat(), unit, someIds, someIds, (of, turn, random, tried, full) => {
        const all = snapshot(...of.map((weight) => ({ weight })));
        const hasCapacity = ({ id }: Member) => !full.includes(id);
        const possible = all.serving.filter((member) => !tried.includes(member.id) && hasCapacity(member));
        const chosen = choose(all, {
          ...calm,
          policy,
          turn,
          random: () => random,
          tried,
          capacity: capacityOf({ hasCapacity }),
        });
        assert.equal(chosen === undefined, possible.length === 0);
        if (chosen) assert.ok(possible.includes(chosen));
      }),
    );
  });
}

test("in the usual case one member is looked at, and all of them only when that one is full", () => {
  const looked: string[] = [];
  const look = (full: readonly string[]) =>
    capacityOf({
      hasCapacity: ({ id }) => {
        looked.push(id);
        return !full.includes(id);
      },
    });
  assert.equal(choose(three, { ...calm, turn: 1, capacity: look([]) })?.id, b);
  assert.deepEqual(looked.splice(0), [b]);
  assert.notEqual(choose(three, { ...calm, turn: 1, capacity: look([b]) })?.id, b);
  assert.ok(looked.length > 1);
});
