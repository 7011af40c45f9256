// `docker compose up` by somebody while a replica is healed: whatever Compose saw, as many as were asked for run in the end. Every moment of
// a heal at which Compose may look, in a model of both; then what each rule of watchdog/rules/surplus.ts takes for one too many.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Found } from "../../watchdog/engines/discovery.ts";
import { plan } from "../../watchdog/rules/plan.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { surplusOf } from "../../watchdog/rules/surplus.ts";
import { exited, passed, running, slotState } from "../tools/watchdog/slot-states.ts";
import { ReplicaWorld } from "../tools/watchdog/worlds/replica-world.ts";

/** Of four. */
const DYING = [[1], [2], [3], [4], [1, 4], [2, 3], [3, 4], [2, 3, 4]];
/** In a heal, 90 ms after the death the dead one is removed, its twin is made after 190 and started after 290. */
const LOOKS_MS = [0, 50, 110, 150, 180, 220, 300, 500];
/** Compose has seen the dead one, and acts after that was removed. */
const BETWEEN_MS = 80;

const scenarios = (looks: readonly number[]) =>
  DYING.flatMap((dies) =>
    [1, 2, 3, 4, 5, 6].flatMap((wants) =>
      looks.flatMap((looksMs) =>
        [10, 1_500].flatMap((stopMs) =>
          [0, 30].flatMap((lagMs) =>
            [0, 3_000].map((backOffMs) => ({ dies, wants, looksMs, stopMs, lagMs, backOffMs })),
          ),
        ),
      ),
    ),
  );

test("as many replicas run as docker compose up asked for, wherever in a heal it came", () => {
  let seen = 0;
  for (const scenario of scenarios(LOOKS_MS)) {
    const world = new ReplicaWorld(scenario);
    const end = world.run();
    const what = `${JSON.stringify(scenario)} ends with ${end}`;
    assert.ok(end.length >= scenario.wants, what);
    // Where it stopped nobody that ran and made none, nothing tells that it was there.
    if (!world.acted) continue;
    assert.equal(end.length, scenario.wants, what);
    seen += 1;
  }
  assert.ok(seen > 2_000, `${seen}`);
});

test("where the dead one is removed between Compose's look and its act, there are never too few, and at most those of the heal too many", () => {
  for (const scenario of scenarios([BETWEEN_MS])) {
    const end = new ReplicaWorld(scenario).run();
    const over = end.length - scenario.wants;
    assert.ok(over >= 0 && over <= scenario.dies.length, `${JSON.stringify(scenario)} ends with ${end}`);
  }
});

const NOW = 100_000;
const ENDED = { kind: "stopped", atMs: NOW - 500, engineMs: NOW - 500, beganMs: NOW - 600 } as const;

const of = (number: number, changes: Partial<SlotState> = {}): SlotState => {
  const id = `app-${number}`;
  return slotState(id, { slot: { id, role: "server", service: "app" }, ...changes });
};
const runs = (number: number, changes: Partial<Found> = {}): SlotState =>
  of(number, { found: running(`app-${number}`, { madeMs: 0, ...changes }), probed: passed });
const twin = (number: number, madeMs: number) => runs(number, { ours: true, madeMs });
const gone = (number: number) => of(number, { intent: ENDED });
const emptied = (number: number, engineMs: number, ours: boolean, more: Partial<SlotState> = {}) =>
  of(number, { emptied: { engineMs, ours }, ...more });
const made = (number: number, madeMs: number) => runs(number, { madeMs });

const tables: readonly [what: string, states: readonly SlotState[], surplus: string][] = [
  ["nobody, while all stand", [runs(1), runs(2), runs(3)], ""],
  ["a dead one, when a lower one was taken away", [runs(1), gone(2), of(3, { found: exited("app-3") })], "app-3"],
  ["an empty one likewise", [runs(1), gone(2), of(3)], "app-3"],
  ["its twin, made meanwhile", [runs(1), gone(2), twin(3, NOW - 300)], "app-3"],
  ["not a twin of long ago", [runs(1), gone(2), twin(3, NOW - 60_000)], ""],
  ["not one that somebody has made since", [runs(1), gone(2), made(3, NOW - 300)], ""],
  ["nobody, when a higher one was left standing", [gone(1), of(2), runs(3)], ""],
  ["not a lower one, when a higher one was taken away", [runs(1), of(2), gone(3)], ""],
  ["one removed by the hand that stopped others", [runs(1), emptied(2, NOW - 650, false), gone(3)], "app-2"],
  [
    "not one that was removed beside one that is only stopped",
    [runs(1), of(2, { found: exited("app-2"), intent: ENDED }), emptied(3, NOW - 650, false)],
    "",
  ],
  [
    "not one removed beside a lower one, while one between stands",
    [gone(1), runs(2), emptied(3, NOW - 650, false)],
    "",
  ],
  ["not one that we have removed then", [runs(1), emptied(2, NOW - 599, true), gone(3)], ""],
  ["one that was empty when a higher one was told to stop", [runs(1), emptied(2, NOW - 700, true), gone(3)], "app-2"],
  [
    "its twin, made later",
    [runs(1), { ...twin(2, NOW - 550), emptied: { engineMs: NOW - 700, ours: true } }, gone(3)],
    "app-2",
  ],
  [
    "not a twin that was there by then",
    [runs(1), { ...twin(2, NOW - 650), emptied: { engineMs: NOW - 700, ours: true } }, gone(3)],
    "",
  ],
  [
    "one that was empty when another one was made",
    [runs(1), emptied(2, NOW - 700, true), runs(3), made(4, NOW - 600)],
    "app-2",
  ],
  [
    "one whose twin a busy engine was still making then",
    [
      runs(1),
      {
        ...runs(2, { ours: true, madeMs: NOW - 690, shownMs: NOW - 610 }),
        emptied: { engineMs: NOW - 700, ours: true },
      },
      runs(3),
      made(4, NOW - 600),
    ],
    "app-2",
  ],
  [
    "not one whose twin was there by then",
    [
      runs(1),
      {
        ...runs(2, { ours: true, madeMs: NOW - 690, shownMs: NOW - 670 }),
        emptied: { engineMs: NOW - 700, ours: true },
      },
      runs(3),
      made(4, NOW - 600),
    ],
    "",
  ],
  ["one that was empty when a lower one was made", [made(1, NOW - 600), emptied(2, NOW - 700, true)], "app-2"],
  [
    "not where Compose has made the other one anew",
    [runs(1, { madeMs: NOW - 600, recreated: "done" }), emptied(2, NOW - 700, true)],
    "",
  ],
  [
    "not where its own number would have been given again",
    [runs(1), emptied(2, NOW - 700, true), made(3, NOW - 600)],
    "",
  ],
  [
    "not a dead one that somebody has made together with the others",
    [
      made(1, NOW - 600),
      emptied(2, NOW - 9_000, false, { found: { ...exited("app-2"), madeMs: NOW - 600 } }),
      made(3, NOW - 600),
    ],
    "",
  ],
  ["not one that is being healed: that is waited for", [runs(1), gone(2), of(3, { healing: true })], ""],
  ["none with faulty labels", [runs(1), gone(2), { ...of(3), slot: { ...of(3).slot, faults: ["no port"] } }], ""],
];

for (const [what, states, surplus] of tables) {
  test(`one too many is ${what}`, () => assert.equal([...surplusOf(states).keys()].join(), surplus));
}

const steps = (...states: readonly SlotState[]) =>
  plan(states, { missedMax: 2, startTimeoutMs: 30_000 }, NOW).map(
    ({ kind, slot, reason }) => `${kind} ${slot.id}: ${reason}`,
  );
const WHY = "docker compose has given app its replicas without it";
const TAKEN = "it was stopped and taken away";

test("what is too many is forgotten, or drained and removed; one that is held waits, and the last that serves stays", () => {
  assert.deepEqual(steps(runs(1), gone(2), of(3)), [`forget app-2: ${TAKEN}`, `forget app-3: ${WHY}`]);
  const late = twin(3, NOW - 300);
  assert.deepEqual(steps(runs(1), gone(2), late), [`forget app-2: ${TAKEN}`, `retire app-3: ${WHY}`]);
  const held = { ...late, held: { sinceMs: 0 } };
  assert.deepEqual(steps(runs(1), gone(2), held), [`forget app-2: ${TAKEN}`, `wait app-3: held: ${WHY}`]);
  const alone = [of(1, { found: exited("app-1") }), gone(2), late];
  assert.deepEqual(steps(...alone).slice(1), [`forget app-2: ${TAKEN}`]);
});

test("what is known of those taken away stays until the heal beside them is over", () => {
  assert.deepEqual(steps(runs(1), gone(2), of(3, { healing: true })), [`wait app-2: after app-3: ${TAKEN}`]);
});

test("a replica is healed a second after somebody has begun to stop another one, and not before", () => {
  const dead = (atMs: number) => [
    of(1, { found: exited("app-1") }),
    of(2, { found: running("app-2"), probed: passed, intent: { ...ENDED, kind: "asked", toStop: true, atMs } }),
  ];
  assert.deepEqual(steps(...dead(NOW - 999)), ["wait app-1: replicas are being stopped: it exited with code 1"]);
  assert.deepEqual(steps(...dead(NOW - 1_000)), ["heal app-1: it exited with code 1"]);
});

test("one that took long to stop, and is seen to have ended before that is heard, waits for the word", () => {
  const asked = { kind: "asked", atMs: NOW - 9_000, engineMs: 50, beganMs: 50, toStop: true } as const;
  const ended = of(1, { found: exited("app-1"), intent: asked });
  assert.deepEqual(steps(ended), ["wait app-1: asked to stop; is it meant to stay so?"]);
  assert.deepEqual(steps(of(1, { intent: { ...asked, atMs: NOW - 1_000, engineMs: 60 } })), [
    "wait app-1: asked to stop; is it meant to stay so?",
  ]);
  assert.deepEqual(steps({ ...ended, intent: { ...asked, engineMs: 60 } }), ["heal app-1: it exited with code 1"]);
});
