// A scale, step by step, on slot states made by hand: what is next, what is refused, and what it does where a new replica fails.

import assert from "node:assert/strict";
import { test } from "node:test";
import { scalesOf } from "../../watchdog/api/scales.ts";
import { scaleText } from "../../watchdog/ctl/scale.ts";
import type { Slot } from "../../watchdog/desired/slot.ts";
import type { Found } from "../../watchdog/engines/discovery.ts";
import { plannedScales } from "../../watchdog/rollout/planned-scales.ts";
import type { Roll } from "../../watchdog/rollout/roll.ts";
import { nextOfScale, type Scale } from "../../watchdog/rollout/scale.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { recordedLog } from "../tools/log.ts";
import { exited, found, passed, running, silent, slotState } from "../tools/watchdog/slot-states.ts";

const NOW = 1_000_000;
const limits = { startTimeoutMs: 30_000 };
const up: Scale = { from: 2, to: 4, added: ["app-3", "app-4"], removed: [], phase: "scaling", sinceMs: NOW - 2_100 };
const down: Scale = { ...up, from: 4, to: 2, added: [], removed: ["app-3", "app-4"] };
const undoing: Scale = { ...up, phase: "undoing", reason: "app-4: it exited" };

const slotOf = (number: number, service = "app"): Slot => ({ id: `${service}-${number}`, role: "server", service });
function state(number: number, changes: Partial<SlotState> = {}, member: Partial<Found> = {}): SlotState {
  const filled = running(`app-${number}`, { making: "one", ours: number > 2, ...member });
  return slotState(`app-${number}`, {
    ...{ slot: slotOf(number), found: filled, probed: passed, servesSinceMs: NOW, seenSinceMs: NOW },
    ...changes,
  });
}
const without = ({ found: _found, probed: _probed, servesSinceMs: _since, ...rest }: SlotState): SlotState => rest;
const created = (number: number, error?: string) =>
  state(number, { found: { ...found(`app-${number}`, { kind: "created", ...(error && { error }) }), ours: true } });
const starting = (number: number, seenSinceMs = NOW) => {
  const { servesSinceMs: _since, ...rest } = state(number, { probed: silent, missed: 1, seenSinceMs });
  return rest;
};
const dead = (number: number, changes: Partial<Found> = { ours: true }) => {
  const { servesSinceMs: _since, probed: _probed, ...rest } = state(number);
  return { ...rest, found: { ...exited(`app-${number}`, { code: 7 }), ...changes } };
};

interface More {
  readonly busy?: readonly string[];
  readonly failures?: Readonly<Record<string, string>>;
}

/** Compact: "add app-3 from app-2, turn undoing". */
function brief(scale: Scale, states: readonly SlotState[], { busy = [], failures = {} }: More = {}): string {
  const now = { states, busy: new Set(busy), failures: new Map(Object.entries(failures)), limits, nowMs: NOW };
  const { steps, turned } = nextOfScale(scale, now);
  const said = steps.map((step) => `${step.kind} ${step.slot.id}${step.kind === "add" ? ` from ${step.from}` : ""}`);
  return [...said, ...(turned ? [`turn ${turned.phase}`] : [])].join(", ");
}

const both = [state(1), state(2)];
const table: readonly [what: string, Scale, readonly SlotState[], wanted: string, More?][] = [
  ["all new ones are made at once, like the last one", up, both, "add app-3 from app-2, add app-4 from app-2"],
  [
    "the last one that serves is what they are like",
    up,
    [state(1), dead(2)],
    "add app-3 from app-1, add app-4 from app-1",
  ],
  ["while nobody serves it waits", up, [dead(1), dead(2)], ""],
  ["what is being made is waited for", up, both, "add app-4 from app-2", { busy: ["app-3"] }],
  ["what a watchdog that died has made is started", up, [...both, created(3), state(4)], "start app-3"],
  [
    "what it has made and had no time to note is noted before it is started",
    up,
    [...both, { ...created(3), found: found("app-3", { kind: "created" }) }, state(4)],
    "start app-3, turn scaling",
  ],
  [
    "and goes again when it is undone",
    { ...undoing, started: ["app-3"] },
    [...both, dead(3, { ours: false })],
    "retire app-3",
  ],
  ["those that start have their time", up, [...both, starting(3), state(4)], ""],
  ["when all serve it is done", up, [...both, state(3), state(4)], "turn done"],
  ["one that cannot be made turns it round", up, both, "turn undoing", { failures: { "app-4": "no space left" } }],
  ["one that cannot start turns it round", up, [...both, created(3, "port is already allocated")], "turn undoing"],
  ["one that exits turns it round", up, [...both, state(3), dead(4)], "turn undoing"],
  ["one that never answers turns it round", up, [...both, starting(3, NOW - 30_001), state(4)], "turn undoing"],
  ["one that somebody takes away turns it round", up, [...both, state(3), without(state(4))], "turn undoing"],
  ["undone, all new ones go", undoing, [...both, state(3), dead(4)], "retire app-3, retire app-4"],
  ["of one that is gone nothing stays known", undoing, [...both, without(state(3))], "forget app-3"],
  ["what is on its way out is waited for", undoing, [...both, { ...state(3), healing: true }], ""],
  ["what is being made when it turns is waited for", undoing, both, "", { busy: ["app-3"] }],
  ["what somebody else has put there stays", undoing, [...both, state(3, {}, { ours: false })], "turn undone"],
  ["then it is undone", undoing, both, "turn undone"],
  ["fewer: the highest go", down, [...both, state(3), state(4)], "retire app-3, retire app-4"],
  ["dead ones go as well", down, [...both, dead(3), without(state(4))], "retire app-3, forget app-4"],
  ["one that serves does not go where none of those that stay does", down, [dead(1), dead(2), state(3)], ""],
  ["where nobody serves anyway, they go", down, [dead(1), dead(2), dead(3)], "retire app-3"],
  ["then it is done", down, both, "turn done"],
  ["where there are as many already, it is done", { ...up, added: [], to: 2 }, both, "turn done"],
];

for (const [what, scale, states, wanted, more] of table) {
  test(`in a scale, ${what}`, () => assert.equal(brief(scale, states, more), wanted));
}

test("no more than eight are made at once", () => {
  const added = Array.from({ length: 20 }, (_, index) => `app-${index + 3}`);
  assert.equal(brief({ ...up, added }, both).split(", ").length, 8);
  assert.equal(brief({ ...up, added }, both, { busy: added.slice(0, 5) }).split(", ").length, 3);
});

test("when it is over it says how long it took, and when it turns round, why", () => {
  const now = { busy: new Set<string>(), failures: new Map<string, string>(), limits, nowMs: NOW };
  const done = nextOfScale(up, { ...now, states: [...both, state(3), state(4)] }).turned;
  assert.equal(done?.tookMs, 2_100);
  assert.equal(
    nextOfScale(up, { ...now, states: [...both, state(3), dead(4)] }).turned?.reason,
    "app-4: it exited with code 7",
  );
});

test("what a scale makes or takes away the plan leaves alone, and while its service is paused there is no step", () => {
  const now = { busy: new Set<string>(), failures: new Map<string, string>(), limits, nowMs: NOW };
  const states = [...both, state(3), dead(4)];
  const planned = plannedScales(new Map([["app", down]]), { ...now, states });
  assert.deepEqual([...planned.slots], ["app-3", "app-4"]);
  assert.deepEqual(
    planned.steps.map((step) => ("instance" in step ? `${step.kind} ${step.instance}` : step.kind)),
    ["retire app-3#1", "retire app-4#1"],
  );
  const paused = states.map((each): SlotState => ({ ...each, held: { sinceMs: 0, paused: true } }));
  const still = plannedScales(new Map([["app", down]]), { ...now, states: paused });
  assert.deepEqual([still.steps, still.turned.size, still.slots.size], [[], 0, 0]);
});

function stage(states: readonly SlotState[], kept: { rolls?: [string, Roll][]; scales?: [string, Scale][] } = {}) {
  const all = { rolls: new Map(kept.rolls), scales: new Map(kept.scales) };
  const { log } = recordedLog();
  return { all, scales: scalesOf({ state: () => all, slotStates: () => states, log, wake: () => {} }) };
}

const roll: Roll = { sample: "app-3", making: "two", phase: "rolling" };
const balancer = slotState("balancer");
const refusals: readonly [
  what: string,
  readonly SlotState[],
  to: number,
  status: number,
  RegExp,
  Parameters<typeof stage>[1]?,
][] = [
  ["of nobody", [balancer], 2, 404, /^there are no replicas here, of app or of any other service$/],
  [
    "of a paused service",
    [state(1, { held: { sinceMs: 0, paused: true } })],
    2,
    409,
    /^app is paused: resume it first$/,
  ],
  [
    "of a misconfigured one",
    [state(1, { slot: { ...slotOf(1), faults: ["no port"] } })],
    2,
    409,
    /^app-1 is misconfigured: no port$/,
  ],
  [
    "while Compose makes it anew",
    [state(1, {}, { recreated: "under way" })],
    2,
    409,
    /^docker compose makes app anew just now/,
  ],
  [
    "of replicas that are not alike",
    [state(1), state(2, {}, { making: "two" })],
    3,
    409,
    /^the replicas of app are not alike: roll app first/,
  ],
  ["to more where nobody serves", [dead(1)], 2, 409, /^no replica of app serves/],
  [
    "in the middle of a roll",
    both,
    3,
    409,
    /^app is being rolled: scale it when that is over$/,
    { rolls: [["app", roll]] },
  ],
  ["in the middle of another one", both, 3, 409, /^app is being scaled to 4 already$/, { scales: [["app", up]] }],
];

for (const [what, states, to, status, reason, kept] of refusals) {
  test(`a scale ${what} is refused with ${status}`, () => {
    const answer = stage(states, kept).scales.order("app", to);
    assert.ok(!answer.ok);
    assert.equal(answer.status, status);
    assert.match(answer.reason, reason);
  });
}

test("a program of ours that is told its ID has no replicas", () => {
  const answer = stage([balancer]).scales.order("balancer", 2);
  assert.deepEqual(answer, { ok: false, status: 409, reason: "balancer is a balancer, and there is one of it" });
});

test("numbers go on from the highest, holes stay, and the highest go first, by number and not by letter", () => {
  const scaled = (numbers: readonly number[], to: number) => {
    const { all, scales } = stage(numbers.map((number) => state(number)));
    assert.deepEqual(scales.order("app", to), { ok: true });
    const { from, added, removed } = all.scales.get("app") as Scale;
    return [from, added.join(" "), removed.join(" ")];
  };
  assert.deepEqual(scaled([1, 3], 4), [2, "app-4 app-5", ""]);
  assert.deepEqual(scaled([2, 9, 10], 1), [3, "", "app-9 app-10"]);
  assert.deepEqual(scaled([1, 2], 2), [2, "", ""]);
});

const HINT =
  'write "replicas: N" under deploy in your Compose file: the next docker compose up returns to the count that stands there';
const texts: readonly [Scale, readonly SlotState[], string][] = [
  [up, [...both, state(3), starting(4)], "app  2 -> 4  1 of 2 serve"],
  [undoing, [...both, dead(4)], "app  2 -> 4  is undone: app-4: it exited"],
  [{ ...undoing, phase: "undone", tookMs: 5 }, both, "app  2 -> 4  undone, 2 as before: app-4: it exited"],
  [
    { ...up, phase: "done", tookMs: 2_100 },
    [...both, state(3), state(4)],
    `app  2 -> 4  2 started, all healthy in 2.1 s\n${HINT.replace("N", "4")}`,
  ],
  [down, [...both, state(3)], "app  4 -> 2  1 of 2 are gone"],
  [
    { ...down, phase: "done", tookMs: 60_049 },
    both,
    `app  4 -> 2  2 drained and removed in 60.0 s\n${HINT.replace("N", "2")}`,
  ],
  [{ ...up, to: 2, added: [], phase: "done", tookMs: 1 }, both, "app  2 -> 2  there are 2 already"],
  [
    up,
    [state(1, { held: { sinceMs: 0, paused: true } })],
    'app  2 -> 4  0 of 2 serve, stands still until "resume app"',
  ],
];

for (const [scale, states, wanted] of texts) {
  test(`people read ${JSON.stringify(wanted.split("\n")[0])}`, () => {
    const [row] = stage(states, { scales: [["app", scale]] }).scales.rows();
    assert.ok(row);
    assert.equal(scaleText(row), wanted);
  });
}
