// In which order a roll goes, and how many at a time, on slot states made by hand; what only one can have at a time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { wayOut } from "../../watchdog/act/replace.ts";
import type { ServiceLabels } from "../../watchdog/desired/labels.ts";
import type { Found } from "../../watchdog/engines/discovery.ts";
import { aloneIn } from "../../watchdog/engines/docker/containers/overlap.ts";
import { inOrder } from "../../watchdog/rollout/order.ts";
import { plannedRolls } from "../../watchdog/rollout/planned-rolls.ts";
import type { Roll } from "../../watchdog/rollout/roll.ts";
import { membersOf } from "../../watchdog/rules/registry-view.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { anonymousMount, type Changes, endpoint, inspected } from "../tools/docker/inspected.ts";
import { running } from "../tools/watchdog/slot-states.ts";
import { brief, created, createdOld, dead, deaf, fresh, gone, now, roll, state } from "./replicas.ts";

const [old1, old2, old3] = [state(1, "old"), state(2, "old"), state(3, "old")] as const;
const stops: Roll = { ...roll, order: "stop-first", before: "old" };
const stopsBack: Roll = { ...stops, phase: "rolling-back", reason: "app-1: it exited", changed: true };
const two: Roll = { ...roll, parallel: 2, surge: ["app-5"] };
const busy = (of: SlotState): SlotState => ({ ...of, healing: true });

const table: readonly [what: string, Roll, readonly SlotState[], string][] = [
  ["stop-first, the sample is only copied", stops, [old1, old2, created(4)], "replace app-1 from app-4"],
  [
    "a new one has to serve before the next one goes",
    stops,
    [fresh(1), old2, created(4)],
    "wait (app-1: it serves, and is watched)",
  ],
  ["then that goes", stops, [state(1, "new"), old2, created(4)], "replace app-2 from app-4"],
  ["at last the sample goes that never ran", stops, [state(1, "new"), state(2, "new"), created(4)], "retire app-4"],
  [
    "a sample of the watchdog's is not started either",
    { ...stops, to: "image" },
    [old1],
    "make app-4 from image app-1 unstarted",
  ],
  ["without its sample nothing is begun", stops, [old1, old2], "turn rolling-back"],
  ["the only one fails, and goes back", stops, [dead(1), created(4)], "turn rolling-back"],
  ["of what is not known it does not", { ...roll, order: "stop-first" }, [dead(1), created(4)], "turn paused"],
  ["back, to what was kept", stopsBack, [dead(1), created(4)], "replace app-1 from former app-1"],
  ["what a watchdog that died had removed too", stopsBack, [gone(1), created(4)], "replace app-1 from former app-1"],
  ["where one is left, like that one", stopsBack, [dead(1), old2, created(4)], "replace app-1 from app-2"],
  ["it has to serve before the sample goes", stopsBack, [fresh(1, "old"), created(4)], "wait (app-1 comes back)"],
  ["then that goes, and all is as before", stopsBack, [old1, created(4)], "retire app-4"],
  ["made and not started, it is", stopsBack, [createdOld(1), created(4)], "start app-1"],
  ["a way back that fails", stopsBack, [dead(1, "old"), created(4)], "turn paused"],

  [
    "two at a time, another one is made beside the sample",
    two,
    [old1, old2, old3, state(4, "new")],
    "make app-5 from app-4",
  ],
  ["both have to serve", two, [old1, old2, old3, state(4, "new"), fresh(5)], "wait (app-5: it serves, and is watched)"],
  ["one that was made is started", two, [old1, old2, state(4, "new"), created(5)], "start app-5"],
  ["one that fails ends it", two, [old1, old2, old3, state(4, "new"), dead(5)], "turn rolling-back"],
  [
    "then two go at once",
    two,
    [old1, old2, old3, state(4, "new"), state(5, "new")],
    "replace app-1 from app-4, replace app-2 from app-4",
  ],
  [
    "no third one while they are on their way",
    two,
    [busy(old1), fresh(2), old3, state(4, "new"), state(5, "new")],
    "wait (app-2: it serves, and is watched)",
  ],
  [
    "one as soon as one is well",
    two,
    [busy(old1), state(2, "new"), old3, state(4, "new"), state(5, "new")],
    "replace app-3 from app-4",
  ],
  [
    "a failure waits for what is under way",
    two,
    [busy(old1), deaf(2), old3, state(4, "new"), state(5, "new")],
    "wait (after app-1)",
  ],
  [
    "and all go that were there for it",
    two,
    [state(1, "new"), state(4, "new"), state(5, "new")],
    "retire app-4, retire app-5",
  ],
  [
    "also on the way back",
    { ...two, phase: "rolling-back" },
    [old1, state(4, "new"), dead(5)],
    "retire app-4, retire app-5",
  ],
  [
    "two at a time without others beside them",
    { ...stops, parallel: 2 },
    [old1, old2, old3, created(4)],
    "replace app-1 from app-4, replace app-2 from app-4",
  ],
];

for (const [what, given, states, wanted] of table) {
  test(`in a roll, ${what}`, () => assert.equal(brief(given, ...states), wanted));
}

test("a replica that cannot be made turns a roll round, and on the way back it stands still", () => {
  const failures = new Map([["app-1", "port is already allocated"]]);
  const turned = (given: Roll) =>
    plannedRolls(new Map([["app", given]]), { ...now([gone(1), old2, created(4)]), failures }).turned.get("app");
  assert.deepEqual(
    [stops, stopsBack].map((given) => [turned(given)?.phase, turned(given)?.reason, turned(given)?.changed]),
    [
      ["rolling-back", "app-1: port is already allocated", true],
      ["paused", "app-1: port is already allocated", true],
    ],
  );
});

const labelled = (of: SlotState, labels: Partial<ServiceLabels>, alone?: Found["alone"]): SlotState => ({
  ...of,
  slot: { ...of.slot, labels: { role: "server", reports: false, heal: true, ...labels } },
  found: { ...(of.found as Found), ...(alone && { alone }) },
});
const port = { what: "host port 5432 is published" };
const volume = { what: "it writes to /data", writes: true } as const;

const orders: readonly [what: string, readonly SlotState[], Partial<Roll>][] = [
  ["unless anything is said, start-first and one at a time", [old1, old2, created(4)], {}],
  [
    "stop-first by its label, without a reason",
    [old1, labelled(created(4), { order: "stop-first" })],
    { order: "stop-first" },
  ],
  [
    "stop-first where a port of the host is published",
    [old1, labelled(created(4), { order: "start-first" }, port)],
    { order: "stop-first", why: "start-first is impossible: host port 5432 is published" },
  ],
  [
    "also where the one before publishes it",
    [labelled(old1, {}, port), created(4)],
    { order: "stop-first", why: "start-first is impossible: host port 5432 is published" },
  ],
  [
    "stop-first where one alone writes",
    [labelled(old1, {}, volume), created(4)],
    { order: "stop-first", why: "with start-first two would write at once: it writes to /data" },
  ],
  ["start-first where several write already", [labelled(old1, {}, volume), old2, created(4)], {}],
  ["or where somebody wants it", [labelled(old1, {}, volume), labelled(created(4), { order: "start-first" })], {}],
  [
    "two at a time, with another one beside the sample",
    [old1, old2, labelled(created(4), { parallel: 2 })],
    { parallel: 2, surge: ["app-5"] },
  ],
  ["never more than there are", [old1, labelled(created(4), { parallel: 8 })], {}],
  [
    "stop-first needs nobody beside it",
    [old1, old2, labelled(created(4), { parallel: 2, order: "stop-first" })],
    { order: "stop-first", parallel: 2 },
  ],
];

for (const [what, states, wanted] of orders) {
  test(`a roll is ${what}`, () => assert.deepEqual(inOrder(roll, states), { ...roll, before: "old", ...wanted }));
}

const free = { PortBindings: {} as never };
const things: readonly [what: string, Changes, string | undefined][] = [
  ["a port of the host", {}, "host port 9004 is published"],
  [
    "a port that the engine chooses",
    { hostConfig: { PortBindings: { "80/tcp": [{ HostPort: "" }] } as never } },
    undefined,
  ],
  ["a range of ports", { hostConfig: { PortBindings: { "80/tcp": [{ HostPort: "8000-8010" }] } as never } }, undefined],
  ["the host's network", { hostConfig: { ...free, NetworkMode: "host" } }, "it is in the host's network"],
  [
    "an address of its own",
    { hostConfig: free, networks: { n: { ...endpoint, IPAMConfig: { IPv4Address: "172.20.0.9" } } } },
    "it has the address 172.20.0.9 in n",
  ],
  ["a volume without a name", { hostConfig: free, mounts: [anonymousMount("/data")] }, undefined],
  [
    "a volume that it writes to",
    { hostConfig: free, mounts: [{ Type: "volume", Name: "data", Destination: "/data", RW: true }] },
    "it writes to /data",
  ],
  [
    "one that it only reads",
    { hostConfig: free, mounts: [{ Type: "bind", Destination: "/etc", RW: false }] },
    undefined,
  ],
];

for (const [what, changes, wanted] of things) {
  test(`${what} ${wanted ? "is one's alone" : "may be there twice"}`, () =>
    assert.equal(aloneIn(inspected(changes))?.what, wanted));
}

test("while a roll stops first, requests wait as long as nobody serves", () => {
  const states = [{ ...old1, found: { ...running("app-1"), making: "old" } }];
  const { away } = plannedRolls(new Map([["app", stops]]), now([...states, created(4)]));
  const generations = new Map([["app-1", 1]]);
  const [member] = membersOf({ slotStates: states, steps: [], generations, away }, []);
  assert.deepEqual([member?.state, member?.recreating], ["serving", 10_000]);
  const [left] = membersOf({ slotStates: [gone(1)], steps: [], generations, away }, member ? [member] : []);
  assert.deepEqual([left?.state, left?.recreating], ["down", 10_000]);
  const others = plannedRolls(new Map([["app", roll]]), now([...states, created(4)]));
  assert.equal(others.away.size, 0);
});

test("a rolled member goes before its successor is made, in its own time; a healed one as its life and its replicas have it", () => {
  const from = { gently: true, from: "app-4" };
  const overlapping = { ...old1, found: { ...(old1.found as Found), overlaps: true } };
  assert.deepEqual(wayOut(overlapping, from, 5_000), { removeFirst: true, stopMs: 5_000 });
  assert.deepEqual(wayOut(dead(1), from, 5_000), { removeFirst: true, stopMs: undefined });
  assert.deepEqual(wayOut(overlapping, { gently: true }, 5_000), { removeFirst: false, stopMs: undefined });
  assert.deepEqual(wayOut(old1, { gently: true }, 5_000), { removeFirst: false, stopMs: 5_000 });
  assert.deepEqual(wayOut(old1, { gently: false }, 5_000), { removeFirst: false, stopMs: 0 });
  const replicated = { ...old1, found: { ...(old1.found as Found), replicated: true as const } };
  assert.deepEqual(wayOut(replicated, { gently: true }, 5_000), { removeFirst: true, stopMs: 5_000 });
  assert.deepEqual(wayOut(replicated, { gently: false }, 5_000), { removeFirst: true, stopMs: undefined });
});
