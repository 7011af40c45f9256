// What the plan makes of each thing that can be observed of a slot: heal, wait or nothing, and with which reason.
// The walk at the end lets it bring a whole world back after random faults; test/tools/watchdog/plan-world.ts is that world.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { exitCode } from "../../services/runtime/exit.ts";
import { seeded } from "../../watchdog/chaos/seeded.ts";
import type { Slot } from "../../watchdog/desired/slot.ts";
import type { Found, Life } from "../../watchdog/engines/discovery.ts";
import type { PlanLimits } from "../../watchdog/rules/need.ts";
import { plan, type Step } from "../../watchdog/rules/plan.ts";
import { unblemished } from "../../watchdog/rules/restart-policy.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { ASKED_MS } from "../../watchdog/rules/stop-intent.ts";
import { faults } from "../tools/watchdog/plan-faults.ts";
import { ROUND_MS, World } from "../tools/watchdog/plan-world.ts";
import {
  askedAt,
  exited,
  found,
  notReady,
  passed,
  running,
  serving,
  silent,
  slotState,
  stopped,
  successor,
} from "../tools/watchdog/slot-states.ts";

const NOW = 1_000_000;
const limits: PlanLimits = { missedMax: 2, startTimeoutMs: 30_000 };

const steps = (...slotStates: readonly SlotState[]) => plan(slotStates, limits, NOW);
/** Compact: "heal server-1", "wait server-1 until 1000500". */
const brief = (planned: readonly Step[]) =>
  planned.map(({ kind, slot, ...step }) => `${kind} ${slot.id}${"untilMs" in step ? ` until ${step.untilMs}` : ""}`);

/** To us, and to a tier that sent it requests. */
const hung = (id: string) => serving(id, { probed: silent, missed: 2, missedSinceMs: NOW, suspected: true });

const dead: readonly [string, SlotState, string][] = [
  ["a crash", slotState("server-1", { found: exited("server-1", { code: 1 }) }), "it exited with code 1"],
  ["a clean exit", slotState("server-1", { found: exited("server-1", { code: 0 }) }), "it exited with code 0"],
  [
    "a docker kill",
    slotState("server-1", { found: exited("server-1", { code: 137 }) }),
    "it exited with code 137 (signal 9)",
  ],
  [
    "a killed process",
    slotState("server-1", { found: exited("server-1", { code: undefined, signal: "SIGKILL" }) }),
    "it was killed by SIGKILL",
  ],
  [
    "an out-of-memory kill",
    slotState("server-1", { found: exited("server-1", { code: 137, oom: true }) }),
    "it was killed for lack of memory",
  ],
  [
    "an exit nobody knows the code of",
    slotState("server-1", { found: exited("server-1", { code: undefined }) }),
    "it exited with code unknown",
  ],
  [
    "a start that failed",
    slotState("server-1", { found: found("server-1", { kind: "created", error: "no such file" }) }),
    "it did not start: no such file",
  ],
];

for (const [what, observed, reason] of dead) {
  test(`${what} is healed at once, says why and what it replaces`, () => {
    const how = { gently: false, portMoves: 0 };
    assert.deepEqual(steps(observed), [{ kind: "heal", slot: observed.slot, reason, replaces: "server-1#1", ...how }]);
  });
}

test("an empty slot is healed at once and replaces nothing", () => {
  const empty = slotState("server-1");
  const reason = "nothing fills the slot";
  const how = { gently: false, portMoves: 0 };
  assert.deepEqual(steps(empty), [{ kind: "heal", slot: empty.slot, reason, replaces: undefined, ...how }]);
});

const left: readonly [string, SlotState][] = [
  ["a member that serves", serving("server-1")],
  ["a member that exited on purpose", slotState("server-1", { found: exited("server-1"), intent: stopped })],
  ["a slot that was stopped on purpose and then removed", slotState("server-1", { intent: stopped })],
  ["a paused member", slotState("server-1", { found: found("server-1", { kind: "paused" }) })],
  [
    "a member somebody has created and not started",
    slotState("server-1", { found: found("server-1", { kind: "created" }), seenSinceMs: NOW - 29_999 }),
  ],
  [
    "a stopped member's replacement that was only created",
    slotState("server-1", { found: found("server-1", { kind: "created", error: "x" }), intent: stopped }),
  ],
  ["a member that answers and is not ready", serving("proxy-1", { probed: notReady })],
  ["a member that misses fewer probes than the limit", serving("server-1", { probed: silent, missed: 1 })],
  ["a slot whose heal is under way", slotState("server-1", { found: exited("server-1"), healing: true })],
  ["an empty slot whose heal is under way", slotState("server-1", { healing: true })],
];

for (const [what, observed] of left) {
  test(`${what} needs no step`, () => {
    assert.deepEqual(steps(observed), []);
  });
}

test("a member that was asked to stop and exited waits for the word that it was on purpose", () => {
  const asked = (agoMs: number) => slotState("server-1", { found: exited("server-1"), intent: askedAt(NOW - agoMs) });
  assert.deepEqual(brief(steps(asked(0))), [`wait server-1 until ${NOW + ASKED_MS}`]);
  assert.deepEqual(brief(steps(asked(ASKED_MS - 1))), [`wait server-1 until ${NOW + 1}`]);
  assert.deepEqual(brief(steps(asked(ASKED_MS))), ["heal server-1"]);
});

test("a member that was asked to stop and runs on is left alone", () => {
  assert.deepEqual(steps(serving("server-1", { intent: askedAt(NOW) })), []);
});

test("a member that runs although it was once stopped is watched like any other", () => {
  assert.deepEqual(steps(serving("server-1", { intent: stopped })), []);
  assert.deepEqual(brief(steps({ ...hung("server-1"), intent: stopped })), ["heal server-1"]);
});

test("a member that misses as many probes as the limit is replaced", () => {
  const [step] = steps(hung("server-1"));
  assert.equal(step?.kind, "heal");
  assert.equal(step?.reason, "2 probes in a row went unanswered (ECONNREFUSED)");
});

test("a member whose own health check fails is replaced when another one serves", () => {
  const unhealthy = serving("server-1", { found: running("server-1", { unhealthy: true }) });
  assert.deepEqual(brief(steps(unhealthy, serving("server-2"))), ["heal server-1"]);
});

test("a member that never says where it listens is replaced after the start limit, from when it was first seen", () => {
  const mute = (seenSinceMs: number) =>
    slotState("server-1", {
      found: { ...found("server-1", { kind: "running", sinceMs: 0 }), host: "::1" },
      seenSinceMs,
    });
  assert.deepEqual(steps(mute(NOW - limits.startTimeoutMs + 1)), []);
  assert.deepEqual(brief(steps(mute(NOW - limits.startTimeoutMs))), ["heal server-1"]);
});

const bare = (changes: Partial<Found>): Found => ({
  ...found("server-1", { kind: "running", sinceMs: 0 }),
  ...changes,
});
const cutOff = { ports: { port: 9001, adminPort: 9101 } };
const mute = { host: "10.0.0.1" };

const unknowns: readonly (readonly [what: string, found: Partial<Found>, known: boolean, step: "wait" | "heal"])[] = [
  ["is healthy, and has never said where it listens", { ...mute, passesOwnCheck: true }, false, "wait"],
  ["has no health check, and has never said where it listens", mute, false, "wait"],
  ["is healthy, and says no longer where it listens", { ...mute, passesOwnCheck: true }, true, "wait"],
  ["no longer says where it listens", mute, true, "heal"],
  ["was made by us, and does not say where it listens", { ...mute, ours: true }, false, "heal"],
  ["is on a network that we were never on", cutOff, false, "wait"],
  ["shares a network with nobody, and was never reached", { ...cutOff, outOfSight: true }, false, "wait"],
  [
    "is healthy, made by us and on a network that we were never on",
    { ...cutOff, ours: true, passesOwnCheck: true },
    false,
    "wait",
  ],
  ["is no longer on a network of ours, healthy as it is", { ...cutOff, passesOwnCheck: true }, true, "heal"],
];

for (const [what, changes, known, kind] of unknowns) {
  test(`a member that ${what} is ${kind === "heal" ? "replaced" : "left alone, and alerted of"}`, () => {
    const member = bare({ ...changes, obstacle: "what is missing: what to do" });
    const state = slotState("server-1", { found: member, known, seenSinceMs: AGO });
    assert.deepEqual(steps({ ...state, seenSinceMs: NOW - limits.startTimeoutMs + 1 }), []);
    const [step] = steps(state);
    assert.equal(step?.kind, kind);
    if (step?.kind !== "wait") return;
    assert.deepEqual([step.reason, step.alert], ["what is missing: what to do", true]);
    assert.deepEqual(steps({ ...state, held: { sinceMs: 0 } }), []);
  });
}

test("what is unhealthy is replaced, known or not", () => {
  const member = bare({ ...mute, unhealthy: true });
  assert.deepEqual(brief(steps(slotState("server-1", { found: member, known: false, seenSinceMs: AGO }))), [
    "heal server-1",
  ]);
});

test("a worker that has ended well is not run again; one that failed is, and whatever takes traffic", () => {
  const ended = (role: Slot["role"], code: number) =>
    brief(steps(slotState("app-1", { slot: { id: "app-1", role, service: "app" }, found: exited("app-1", { code }) })));
  assert.deepEqual(ended("worker", 0), [`wait app-1 until ${NOW}`]);
  for (const role of ["server", "proxy", "client"] as const) assert.deepEqual(ended(role, 0), ["heal app-1"]);
  assert.deepEqual(ended("worker", 1), ["heal app-1"]);
});

test("a worker of which nobody knows where it listens is left in peace, and healed when its own check fails", () => {
  const worker = (changes: Partial<Found>) =>
    brief(
      steps(
        slotState("app-1", {
          slot: { id: "app-1", role: "worker", service: "app" },
          found: { ...found("app-1", { kind: "running", sinceMs: 0 }), ...mute, outOfSight: true, ...changes },
          known: false,
          seenSinceMs: AGO,
        }),
      ),
    );
  assert.deepEqual([worker({}), worker({ unhealthy: true })], [[], ["heal app-1"]]);
});

test("a client on a network of its own is left in peace, made by us or not, and healed when its own check fails", () => {
  const client = (changes: Partial<Found>) => {
    const found = bare({ ...cutOff, outOfSight: true, obstacle: "it shares no network", ...changes });
    const slot: Slot = { id: "client", role: "client" };
    return brief(steps(slotState("client", { slot, found, known: false, seenSinceMs: AGO })));
  };
  const healthy = { passesOwnCheck: true };
  assert.deepEqual([client(healthy), client({ ...healthy, ours: true })], [[], []]);
  assert.deepEqual(client({ unhealthy: true }), ["heal client"]);
});

test("a replica that was stopped and taken away is forgotten; one that is only stopped, or gone without a stop, is not", () => {
  const slot: Slot = { id: "app-3", role: "server", service: "app" };
  const { found: _none, ...gone } = slotState("app-3", { slot });
  assert.deepEqual(brief(steps({ ...gone, intent: stopped })), ["forget app-3"]);
  assert.deepEqual(brief(steps(gone)), ["heal app-3"]);
  assert.deepEqual(brief(steps(slotState("app-3", { slot, found: exited("app-3"), intent: stopped }))), []);
  // The only one of its service may be wanted back by its name.
  const { found: _nobody, ...only } = slotState("server-1", {
    slot: { id: "server-1", role: "server", service: "server-1" },
  });
  assert.deepEqual(brief(steps({ ...only, intent: stopped })), []);
});

test("one that tells nobody when it begins to listen has the time of its start before silence counts", () => {
  const asked = (changes: Partial<SlotState>) => {
    const member = {
      ...found("app-1", { kind: "running", sinceMs: 0 }),
      host: "10.0.0.1",
      ports: { port: 3000 },
      startMs: 40_000,
    };
    const silence = { missed: 5, missedSinceMs: NOW - 5_000, suspected: true, probed: silent };
    return brief(
      steps(slotState("app-1", { found: member, ...silence, answered: false, seenSinceMs: NOW - 39_000, ...changes })),
    );
  };
  assert.deepEqual(asked({}), []);
  assert.deepEqual(asked({ seenSinceMs: NOW - 40_000 }), ["heal app-1"]);
  assert.deepEqual(asked({ answered: true }), ["heal app-1"]);
});

test("one that does not listen where it was told to is replaced, and people are told which variable says where", () => {
  const member = { ...found("server-1", { kind: "running", sinceMs: 0 }), host: "127.0.0.1", ports: { port: 9_001 } };
  const deaf = { missed: 2, missedSinceMs: AGO, probed: silent, answered: false, seenSinceMs: AGO };
  const [step] = steps(
    slotState("server-1", { ...deaf, found: { ...member, startMs: 1, portTold: "APP_PORT" } }),
    serving("server-2"),
  );
  assert.deepEqual(
    [step?.kind, step?.reason.split(", or")[0]],
    ["heal", "nothing listens on port 9001: let it listen on the port that its variable APP_PORT says"],
  );
});

test("a slot with faulty labels is nobody's to touch, and people are told", () => {
  const slot: Slot = { id: "app-1", role: "server", service: "app", faults: ["nothing is exposed; set evenkeel.port"] };
  const [step] = steps(slotState("app-1", { slot, found: exited("app-1") }));
  assert.deepEqual(step, { kind: "wait", slot, reason: slot.faults?.[0], untilMs: NOW, alert: true });
});

test("a successor that cannot be asked stays when it is healthy by its own health check", () => {
  const made = (changes: Partial<Found>) =>
    steps(
      slotState("server-1", {
        found: { ...successor("server-1", { kind: "running", sinceMs: 0 }, changes) },
        known: false,
        seenSinceMs: AGO,
      }),
    );
  assert.deepEqual(brief(made({ ...mute, passesOwnCheck: true })), ["commit server-1"]);
  assert.deepEqual(brief(made(mute)), ["roll-back server-1"]);
});

test("a slot that backs off waits until its time has come", () => {
  const restart = { ...unblemished, notBeforeMs: NOW + 1 };
  const [step] = steps(slotState("server-1", { found: exited("server-1"), restart }));
  assert.deepEqual(step && { ...step, slot: step.slot.id }, {
    kind: "wait",
    slot: "server-1",
    reason: "backing off: it exited with code 1",
    untilMs: NOW + 1,
    alert: false,
  });
  const due = slotState("server-1", { found: exited("server-1"), restart: { ...restart, notBeforeMs: NOW } });
  assert.deepEqual(brief(steps(due)), ["heal server-1"]);
});

test("a quarantined slot waits, says so, and is healed again when its time has come", () => {
  const quarantined = (notBeforeMs: number) =>
    slotState("server-1", { restart: { kind: "quarantined", sinceMs: 0, notBeforeMs } });
  const [step] = steps(quarantined(NOW + 60_000));
  assert.equal(step?.reason, "quarantined: nothing fills the slot");
  assert.deepEqual(brief(steps(quarantined(NOW + 60_000))), [`wait server-1 until ${NOW + 60_000}`]);
  assert.deepEqual(brief(steps(quarantined(NOW))), ["heal server-1"]);
});

test("the sick of one tier are replaced one at a time, and those of other tiers beside them", () => {
  const other = { ...hung("server-4"), slot: { id: "server-4", role: "server", group: "2" } } as const;
  const planned = steps(hung("server-1"), hung("server-2"), other, hung("proxy-1"), serving("proxy-2"));
  assert.deepEqual(brief(planned), ["heal server-1", `wait server-2 until ${NOW}`, "heal server-4", "heal proxy-1"]);
  assert.match(planned[1]?.reason ?? "", /^after server-1: /);
});

test("a sick member waits for a heal of its tier that is already under way, and for one whose successor is not verified", () => {
  const planned = steps(hung("server-1"), slotState("server-2", { healing: true }), serving("server-3"));
  assert.deepEqual(brief(planned), [`wait server-1 until ${NOW}`]);
  const unverified = slotState("server-2", {
    found: successor("server-2", { kind: "running", sinceMs: 0 }),
    seenSinceMs: NOW,
  });
  assert.deepEqual(brief(steps(hung("server-1"), unverified, serving("server-3"))), [`wait server-1 until ${NOW}`]);
});

test("the dead are replaced all at once, beside a sick one", () => {
  const gone = ["server-2", "server-3"].map((id) => slotState(id, { found: exited(id) }));
  assert.deepEqual(brief(steps(hung("server-1"), ...gone)), ["heal server-1", "heal server-2", "heal server-3"]);
});

test("a sick member that still answers stays when it is the last of its tier that serves", () => {
  const sick = serving("server-1", { found: running("server-1", { unhealthy: true }), probed: passed });
  const [step] = steps(sick, serving("server-2", { probed: notReady }), serving("proxy-1"));
  assert.equal(step?.kind, "wait");
  assert.match(step?.reason ?? "", /^the last server that serves stays: /);
  assert.deepEqual(brief(steps(sick, serving("server-2"))), ["heal server-1"]);
});

test("one that is unhealthy and answers stays while the check of another one of its tier has yet to pass", () => {
  const unhealthy = (id: string) => serving(id, { found: running(id, { unhealthy: true }), probed: passed });
  const gated = slotState("server-1", { found: running("server-1"), gated: true, answered: false });
  const [step] = steps(gated, unhealthy("server-2"), serving("server-3"));
  assert.deepEqual([step?.kind, step?.reason], ["wait", "after server-1: its own health check fails"]);
  assert.deepEqual(brief(steps(gated, hung("server-2"), serving("server-3"))), ["heal server-2"]);
});

test("a member that answers nobody is replaced though it is the last of its tier", () => {
  assert.deepEqual(brief(steps(hung("balancer"))), ["heal balancer"]);
});

/** To us alone. */
const silentToUs = (id: string, missedSinceMs = NOW) =>
  serving(id, { probed: silent, missed: 2, missedSinceMs, suspected: false });

test("half of a tier that falls silent to us alone within five seconds is left as it is, and says why", () => {
  const planned = steps(silentToUs("server-1", NOW - 5_000), silentToUs("server-2"), serving("server-3"));
  assert.deepEqual(brief(planned), [`wait server-1 until ${NOW}`, `wait server-2 until ${NOW}`]);
  assert.ok(planned.every((step) => step.kind === "wait" && step.alert));
  assert.match(planned[0]?.reason ?? "", /^2 of 3 fell silent at once, so the cause is shared: /);
});

const notShared: readonly [string, readonly SlotState[]][] = [
  ["fewer than half", [silentToUs("server-1"), serving("server-2"), serving("server-3")]],
  ["one after another", [silentToUs("server-1", NOW - 5_001), silentToUs("server-2"), serving("server-3")]],
  ["and a tier cannot reach it either", [hung("server-1"), silentToUs("server-2"), serving("server-3")]],
  [
    "and its own health check fails as well",
    [{ ...silentToUs("server-1"), found: running("server-1", { unhealthy: true }) }, silentToUs("server-2")],
  ],
  ["one of two", [silentToUs("proxy-1"), serving("proxy-2")]],
  ["the only one, after three times as many", [{ ...silentToUs("balancer"), missed: 6 }]],
];

for (const [what, slotStates] of notShared) {
  test(`a silent member is replaced: ${what}`, () => {
    const [first] = steps(...slotStates);
    assert.deepEqual([first?.kind, first?.slot.id], ["heal", slotStates[0]?.slot.id]);
  });
}

const AGO = NOW - limits.startTimeoutMs;
const runs: Life = { kind: "running", sinceMs: 0 };
const address = { host: "10.0.0.1", ports: { port: 9001, adminPort: 9101 } };
const successors: readonly [string, SlotState, string | undefined][] = [
  [
    "that answers is committed",
    slotState("server-1", { found: successor("server-1", runs, address), probed: passed }),
    "commit server-1: it answers",
  ],
  [
    "that answers that it is not ready is committed",
    slotState("proxy-1", { found: successor("proxy-1", runs, address), probed: notReady }),
    "commit proxy-1: it answers",
  ],
  [
    "that has yet to answer is waited for",
    slotState("server-1", { found: successor("server-1", runs), seenSinceMs: NOW }),
    undefined,
  ],
  [
    "that answers, and whose own health check has yet to pass, is waited for",
    slotState("server-1", { found: successor("server-1", runs, address), gated: true, seenSinceMs: AGO }),
    undefined,
  ],
  [
    "that answers, and whose own health check fails, is rolled back",
    slotState("server-1", { found: successor("server-1", runs, { ...address, unhealthy: true }), gated: true }),
    "roll-back server-1: its own health check fails",
  ],
  [
    "that does not answer in time is rolled back",
    slotState("server-1", { found: successor("server-1", runs), seenSinceMs: AGO }),
    "roll-back server-1: it did not answer within 30000 ms",
  ],
  [
    "whose shared network has gone meanwhile is rolled back at once",
    slotState("server-1", { found: successor("server-1", runs, { stranded: true }), seenSinceMs: NOW }),
    "roll-back server-1: the container whose network or volumes it shares is gone",
  ],
  [
    "that ended is rolled back",
    slotState("server-1", { found: successor("server-1", { kind: "exited", code: 78, oom: false }) }),
    "roll-back server-1: it exited with code 78",
  ],
  [
    "that was stopped on purpose is committed, and stays stopped",
    slotState("server-1", { found: successor("server-1", { kind: "exited", code: 0, oom: false }), intent: stopped }),
    "commit server-1: it was stopped on purpose",
  ],
  [
    "that was never started is rolled back",
    slotState("server-1", { found: successor("server-1", { kind: "created" }) }),
    "roll-back server-1: it was never started",
  ],
  [
    "that could not be started is rolled back",
    slotState("server-1", { found: successor("server-1", { kind: "created", error: "no such file" }) }),
    "roll-back server-1: no such file",
  ],
  [
    "that is paused is waited for",
    slotState("server-1", { found: successor("server-1", { kind: "paused" }) }),
    undefined,
  ],
];

for (const [what, observed, wanted] of successors) {
  test(`a successor ${what}`, () => {
    const [step] = steps(observed);
    assert.equal(step && `${step.kind} ${step.slot.id}: ${step.reason}`, wanted);
    if (step?.kind === "roll-back") assert.equal(step.instance, observed.found?.instance);
    // A hold leaves to the operator what is there, and takes away nothing but the member before.
    const [held] = steps({ ...observed, held: { sinceMs: 0 } });
    assert.equal(held?.kind, step?.kind === "roll-back" ? "wait" : step?.kind);
  });
}

test("a previous member whose successor is gone is replaced, or removed when that was stopped on purpose", () => {
  const alone = slotState("server-1", { found: found("server-1", { kind: "previous", running: false }) });
  assert.deepEqual(brief(steps(alone)), ["heal server-1"]);
  assert.deepEqual(brief(steps({ ...alone, intent: stopped })), ["commit server-1"]);
});

const created = (changes: Partial<SlotState>, ours = false) =>
  slotState("server-1", { found: { ...found("server-1", { kind: "created", madeMs: 5_000 }), ours }, ...changes });

test("what a watchdog created and did not come to start is made anew at once, what Compose created when Compose has had its time", () => {
  assert.deepEqual(brief(steps(created({ seenSinceMs: NOW }, true))), ["heal server-1"]);
  assert.deepEqual(steps(created({ seenSinceMs: NOW - 29_999 })), []);
  assert.deepEqual(brief(steps(created({ seenSinceMs: NOW - 30_000 }))), ["heal server-1"]);
});

test("Compose's own stop of the one before is no reason to leave its successor unstarted; an operator's is", () => {
  const stoppedAt = (engineMs: number) => created({ intent: { kind: "stopped", atMs: 0, engineMs } });
  assert.deepEqual(brief(steps(stoppedAt(6_000))), ["heal server-1"]);
  assert.deepEqual(steps(stoppedAt(4_000)), []);
  assert.deepEqual(steps(stoppedAt(3_600_000)), []);
});

test("a member that was created in a slot that nobody ever filled is left to whoever did, and alerted", () => {
  const [step] = steps(created({ filledBefore: false }));
  assert.deepEqual([step?.kind, Object(step).alert], ["wait", true]);
  assert.match(step?.reason ?? "", /never started: docker compose up -d server-1/);
  assert.deepEqual(steps(created({ filledBefore: false, seenSinceMs: NOW })), []);
});

test("a held slot is left alone, whatever is wrong with it, and says what", () => {
  const held = { sinceMs: NOW - 1 };
  const [step] = steps(slotState("server-1", { found: exited("server-1"), held }));
  assert.deepEqual([step?.kind, step?.reason], ["wait", "held: it exited with code 1"]);
  assert.deepEqual(brief(steps({ ...hung("server-1"), held }, serving("server-2"))), [`wait server-1 until ${NOW}`]);
  assert.deepEqual(steps(serving("server-1", { held })), []);
});

test("what an operator asks for is done at once, gently, whatever the back-off and the disruption budget say", () => {
  const restart = { ...unblemished, notBeforeMs: NOW + 1 };
  const [step] = steps(serving("balancer", { ordered: true, restart }));
  assert.ok(step?.kind === "heal" && step.gently);
  assert.equal(step.reason, "an operator asked for it");
});

test("the last of its tier is asked three times as often before it is replaced for its silence", () => {
  const [step] = steps({ ...silentToUs("balancer"), missed: 5 });
  assert.ok(step?.kind === "wait" && step.alert);
  assert.match(step.reason, /^the last balancer, asked some more: /);
  assert.deepEqual(brief(steps(hung("balancer"))), ["heal balancer"]);
});

test("a member on none of our networks is replaced after the start limit", () => {
  const { host: _, ...cutOff } = running("server-1");
  assert.deepEqual(steps(slotState("server-1", { found: cutOff, seenSinceMs: NOW })), []);
  const [step] = steps(slotState("server-1", { found: cutOff, seenSinceMs: AGO }));
  assert.deepEqual([step?.kind, step?.reason], ["heal", "it is on no network where it can be reached"]);
});

test("a member that shares a network with a container that is gone is replaced at once", () => {
  const stranded = serving("server-1", { found: running("server-1", { stranded: true }), probed: silent });
  assert.deepEqual(brief(steps(stranded, silentToUs("server-2"))).slice(0, 1), ["heal server-1"]);
});

const taken: readonly [string, Found][] = [
  ["by the member's own exit code", exited("server-1", { code: exitCode.portTaken })],
  [
    "by the engine's word",
    found("server-1", { kind: "created", error: "Bind for 0.0.0.0:9004 failed: port is already allocated" }),
  ],
  [
    "by the kernel's word",
    found("server-1", { kind: "created", error: "listen tcp4 0.0.0.0:9004: bind: address already in use" }),
  ],
];

for (const [what, member] of taken) {
  test(`a member whose port is taken, ${what}, moves to another`, () => {
    const [step] = steps(slotState("server-1", { found: member }));
    assert.ok(step?.kind === "heal" && step.portMoves === 1);
  });
}

test("each try that met a taken port moves the next one further", () => {
  const portMoves = (observed: SlotState) => {
    const [step] = steps(observed);
    return step?.kind === "heal" ? step.portMoves : undefined;
  };
  const killed = exited("server-1", { code: 137 });
  assert.equal(portMoves(slotState("server-1", { found: killed })), 0);
  assert.equal(portMoves(slotState("server-1", { found: killed, portsTaken: 2 })), 2);
  const refused = exited("server-1", { code: exitCode.portTaken });
  assert.equal(portMoves(slotState("server-1", { found: refused, portsTaken: 2 })), 3);
});

test("a successor that met a taken port is rolled back, and says so", () => {
  const rolledBack = (life: Life) => steps(slotState("server-1", { found: successor("server-1", life) }))[0];
  const lives: Life[] = [
    { kind: "created", error: "port is already allocated" },
    { kind: "exited", code: exitCode.portTaken, oom: false },
  ];
  for (const life of lives) assert.ok(Object(rolledBack(life)).portTaken === true, JSON.stringify(life));
  assert.ok(Object(rolledBack({ kind: "created" })).portTaken === false);
});

const fault = fc.record({ kind: fc.constantFrom(...faults), slot: fc.nat(), rounds: fc.nat({ max: 20 }) });

/** Longer than a quarantine and the heals that wait for one another after it. */
const CONVERGED_WITHIN_ROUNDS = 180;

test("a walk through any faults ends with every slot serving that nobody stopped, and an empty plan", () => {
  const walk = fc.property(fc.array(fault, { maxLength: 40 }), fc.nat(), (faultsToCome, seed) => {
    const world = new World(seeded(seed));
    for (const { kind, slot, rounds } of faultsToCome) {
      world.suffer(kind, slot);
      for (let n = 0; n < rounds; n += 1) world.round();
    }
    world.endFaults();
    for (let n = 0; n < CONVERGED_WITHIN_ROUNDS; n += 1) world.round();
    assert.deepEqual(world.unwell(), [], `${CONVERGED_WITHIN_ROUNDS * ROUND_MS} ms after the last fault`);
    assert.deepEqual(world.round(), []);
  });
  fc.assert(walk, { seed: 20_261_122, numRuns: 400 });
});
