// A roll, step by step, on slot states made by hand: what is next, what it waits for, what it does about a version that fails.

import assert from "node:assert/strict";
import { test } from "node:test";
import { plannedRolls } from "../../watchdog/rollout/planned-rolls.ts";
import type { Roll } from "../../watchdog/rollout/roll.ts";
import { settledServices } from "../../watchdog/rollout/settled.ts";
import { plan } from "../../watchdog/rules/plan.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import {
  brief,
  created,
  createdOld,
  dead,
  deaf,
  fresh,
  gone,
  limits,
  NOW,
  now,
  roll,
  slotOf,
  state,
} from "./replicas.ts";

const [old1, old2, old3] = [state(1, "old"), state(2, "old"), state(3, "old")] as const;
const back: Roll = { ...roll, phase: "rolling-back", reason: "app-4: it exited", changed: true };

const toFormer: Roll = { ...roll, to: "former" };

const table: readonly [what: string, Roll, readonly SlotState[], string][] = [
  ["the sample is started first", roll, [old1, old2, old3, created(4)], "start app-4"],
  ["a twin that was made and not started is", roll, [created(1), old2, old3, state(4, "new")], "start app-1"],
  ["a sample that has ended when all is done was stopped for that", roll, [state(1, "new"), dead(4)], "retire app-4"],
  ["one that is alone stays", roll, [state(4, "new")], "turn done"],
  ["a sample that is gone when all is done is forgotten", roll, [state(1, "new"), gone(4)], "forget app-4"],
  ["and on the way back too", back, [old1, old2, gone(4)], "forget app-4"],
  ["so is one on the way back", back, [createdOld(1), state(2, "old"), state(4, "new")], "start app-1"],
  ["it has to serve for a while", roll, [old1, old2, old3, fresh(4)], "wait (app-4: it serves, and is watched)"],
  ["then the first one's turn has come", roll, [old1, old2, old3, state(4, "new")], "replace app-1 from app-4"],
  ["a step at a time", roll, [{ ...old1, healing: true }, old2, old3, state(4, "new")], "wait (after app-1)"],
  [
    "each has to serve for a while",
    roll,
    [fresh(1), old2, old3, state(4, "new")],
    "wait (app-1: it serves, and is watched)",
  ],
  [
    "the next one in the order of numbers",
    roll,
    [state(1, "new"), old2, old3, state(4, "new")],
    "replace app-2 from app-4",
  ],
  [
    "what a watchdog that died has removed is made first",
    roll,
    [gone(2), state(1, "new"), old3, state(4, "new")],
    "replace app-2 from app-4",
  ],
  ["at last the sample goes", roll, [state(1, "new"), state(2, "new"), state(4, "new")], "retire app-4"],
  ["and it is done", roll, [state(1, "new"), state(2, "new")], "turn done"],
  ["a sample that dies", roll, [old1, old2, dead(4)], "turn rolling-back"],
  ["a sample that never answers", roll, [old1, old2, deaf(4)], "turn rolling-back"],
  ["a sample that somebody takes away", roll, [old1, old2, gone(4)], "turn rolling-back"],
  ["a replica that dies midway", roll, [dead(1), old2, state(4, "new")], "turn rolling-back"],
  [
    "the last one dies, and nothing is left to go back to",
    roll,
    [state(1, "new"), dead(2), state(4, "new")],
    "turn paused",
  ],
  [
    "backwards, the last one that is new goes first",
    back,
    [state(1, "new"), dead(2), old3, state(4, "new")],
    "replace app-2 from app-3",
  ],
  [
    "one at a time here too",
    back,
    [state(1, "new"), fresh(2, "old"), old3, state(4, "new")],
    "wait (app-2 comes back)",
  ],
  [
    "a way back that fails is not rolled back",
    back,
    [state(1, "new"), dead(2, "old"), old3, state(4, "new")],
    "turn paused",
  ],
  ["then the sample goes", back, [old1, old2, dead(4)], "retire app-4"],
  ["and all is as before", back, [old1, old2], "turn rolled-back"],
  [
    "to the version before, the sample is made from what was kept",
    toFormer,
    [old1, old2],
    "make app-4 from former app-2",
  ],
  [
    "it is made again where somebody has removed it",
    toFormer,
    [state(1, "new"), old2, gone(4)],
    "make app-4 from former app-2",
  ],
  ["what stands in its place from another roll goes first", toFormer, [old1, old2, state(4, "old")], "retire app-4"],
  ["then all is as in any other", toFormer, [old1, old2, created(4)], "start app-4"],
  ["one after another", toFormer, [state(1, "new"), old2, state(4, "new")], "replace app-2 from app-4"],
  ["and the sample goes", toFormer, [state(1, "new"), state(2, "new"), state(4, "new")], "retire app-4"],
  ["a version before that does not get well is not gone back to", toFormer, [old1, dead(4)], "turn rolling-back"],
  ["nor is the way back taken back", toFormer, [state(1, "new"), old2, dead(4)], "turn paused"],
  ["or nothing was changed", { ...roll, phase: "rolling-back", reason: "x" }, [old1, old2], "turn failed"],
];

for (const [what, given, states, wanted] of table) {
  test(`in a roll, ${what}`, () => assert.equal(brief(given, ...states), wanted));
}

test("one that is to pause where a new one fails changes nothing more", () => {
  const labels = { role: "server", reports: false, heal: true, onFailure: "pause" } as const;
  const pausing = (from: SlotState): SlotState => ({ ...from, slot: { ...from.slot, labels } });
  assert.equal(brief(roll, old1, old2, old3, pausing(dead(4))), "turn paused");
  assert.equal(brief(roll, deaf(1), old2, old3, pausing(state(4, "new"))), "turn paused");
});

test("how long a new one is watched, and what follows a failure, is as the new version's labels say", () => {
  const labels = { role: "server", reports: false, heal: true, monitorMs: 60_000, onFailure: "pause" } as const;
  const sample = (from: SlotState): SlotState => ({ ...from, slot: { ...slotOf(4), labels } });
  const rolls = new Map([["app", roll]]);
  const watched = plannedRolls(rolls, now([old1, old2, old3, sample(fresh(4))], NOW + 10_000));
  assert.deepEqual([watched.steps, watched.turned.size], [[], 0]);
  assert.equal(plannedRolls(rolls, now([old1, sample(dead(4))])).turned.get("app")?.phase, "paused");
});

test("while its service is paused a roll does no step, and neither does the plan", () => {
  const pausedFor = (states: readonly SlotState[]) =>
    states.map((state): SlotState => ({ ...state, held: { sinceMs: 0, paused: true } }));
  const states = [gone(1), dead(2), old3, state(4, "new")];
  const { slots, turned, steps } = plannedRolls(new Map([["app", roll]]), now(pausedFor(states)));
  assert.deepEqual([[...slots], [...turned], steps], [[], [], []]);
  const planned = plan(pausedFor(states.slice(0, 2)), { missedMax: 2, startTimeoutMs: 30_000 }, NOW);
  assert.deepEqual(
    planned.map(({ kind, slot, reason }) => `${kind} ${slot.id} ${reason}`),
    ["wait app-1 paused: nothing fills the slot", "wait app-2 paused: it exited with code 1"],
  );
  assert.equal(plannedRolls(new Map([["app", roll]]), now(states)).turned.size, 1);
});

test("the plan leaves alone what the roll judges, and looks after the others", () => {
  const states = [dead(1), dead(2, "old"), old3, state(4, "new")];
  const { slots, turned, steps } = plannedRolls(new Map([["app", roll]]), now(states));
  assert.deepEqual([[...slots], turned.get("app")?.phase, steps], [["app-1", "app-4"], "rolling-back", []]);
  const over = plannedRolls(new Map([["app", { ...roll, phase: "done" } as Roll]]), now(states));
  assert.deepEqual([...over.slots], []);
});

test("a sample that is to be made is waited for, and that it cannot be made is why nothing is changed", () => {
  const rolls = new Map([["app", toFormer]]);
  const states = [old1, old2];
  const { steps } = plannedRolls(rolls, now(states));
  assert.deepEqual(
    steps.map((step) => step.kind === "add" && [step.slot.id, step.from, step.version]),
    [["app-4", "app-2", { kind: "former", making: "new" }]],
  );
  const busy = plannedRolls(rolls, { ...now(states), busy: new Set(["app-4"]) });
  assert.deepEqual([busy.steps, busy.turned.size], [[], 0]);
  const failing = { ...now(states), failures: new Map([["app-4", "its image is gone"]]) };
  const turned = plannedRolls(rolls, failing).turned.get("app") as Roll;
  assert.deepEqual([turned.phase, turned.reason], ["rolling-back", "app-4: its image is gone"]);
  const { phase } = plannedRolls(new Map([["app", turned]]), now(states)).turned.get("app") as Roll;
  assert.equal(phase, "failed");
});

const settling = { changing: new Set<string>(), limits, nowMs: NOW };
const settled = (states: readonly SlotState[], changes: Partial<typeof settling> = {}) =>
  settledServices(states, { ...settling, ...changes }).map(({ slot, making }) => `${slot} ${making}`);

test("a version has worked when all replicas are of it and have served for a while, and nothing is under way", () => {
  assert.deepEqual(settled([old1, old2]), ["app-1 old"]);
  for (const other of [state(2, "new"), fresh(2, "old"), dead(2, "old"), gone(2), { ...old2, healing: true }])
    assert.deepEqual(settled([old1, other]), []);
  assert.deepEqual(settled([old1, created(2)]), ["app-1 old"], "a sample is of the version to come");
  assert.deepEqual(settled([old1, old2], { changing: new Set(["app"]) }), []);
  assert.deepEqual(settled([{ ...old1, slot: { ...old1.slot, id: "app" } }]), []);
});
