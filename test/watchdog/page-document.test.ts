// What the page says of each slot, of each pool and of all: tables of facts.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoundState } from "../../watchdog/api/view.ts";
import { cureOf, type OddState } from "../../watchdog/page/document/cure.ts";
import type { MemberShown, StateShown } from "../../watchdog/page/document/document.ts";
import { stateShown } from "../../watchdog/page/document/state-shown.ts";
import type { Step } from "../../watchdog/rules/plan.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { systemFacts } from "../tools/watchdog/api.ts";
import {
  exited,
  found,
  notReady,
  running,
  serving,
  silent,
  slotOf,
  slotState,
  stopped,
} from "../tools/watchdog/slot-states.ts";
import { member, state } from "../tools/watchdog/state.ts";

function shownOf(round: RoundState): StateShown {
  return stateShown(round, systemFacts(), { rolls: [], scales: [] });
}

function memberOf(
  slot: SlotState,
  inRegistry: Parameters<typeof member>[1] = {},
  steps: readonly Step[] = [],
): MemberShown {
  const { members } = shownOf(state([member(slot.slot.id, inRegistry)], [slot], steps));
  return members[0] ?? assert.fail("it has no row");
}

const id = "server-4";
const heal: Step = {
  kind: "heal",
  slot: slotOf(id),
  reason: "it was killed by SIGKILL",
  replaces: undefined,
  gently: false,
  portMoves: 0,
};
const quarantine = { kind: "quarantined", sinceMs: 70, notBeforeMs: 90 } as const;
const waits: Step = { kind: "wait", slot: slotOf(id), reason: "quarantined", untilMs: 90, alert: false };

const members: readonly [string, MemberShown, readonly [string, MemberShown["severity"], RegExp, number | null]][] = [
  ["serves", memberOf(serving(id, { servesSinceMs: 9 })), ["serving", "good", /^$/, 9]],
  [
    "is dead",
    memberOf(slotState(id, { found: exited(id), troubleSinceMs: 5 }), { state: "down" }),
    ["down", "bad", /exited with code 1/, 5],
  ],
  [
    "is dead, and about to be healed",
    memberOf(slotState(id, { found: exited(id) }), { state: "down" }, [heal]),
    ["down", "bad", /exited with code 1/, null],
  ],
  ["is gone", memberOf(slotState(id), { state: "down" }), ["down", "bad", /nothing fills the slot/, null]],
  [
    "is healed",
    memberOf(slotState(id, { healing: true, troubleSinceMs: 3 }), { state: "down" }),
    ["healing", "odd", /nothing fills/, 3],
  ],
  [
    "does not answer",
    memberOf(serving(id, { probed: silent, missed: 2, missedSinceMs: 8 })),
    ["silent", "odd", /2 probes went unanswered: ECONNREFUSED/, 8],
  ],
  ["answers no", memberOf(serving(id, { probed: notReady })), ["not ready", "odd", /503/, null]],
  [
    "has yet to answer",
    memberOf(slotState(id, { found: running(id) }), { state: "starting" }),
    ["starting", "odd", /yet to answer/, 0],
  ],
  [
    "passed, and is in no registry of tiers yet",
    memberOf(serving(id), { state: "starting" }),
    ["starting", "odd", /yet to answer/, 0],
  ],
  ["drains", memberOf(serving(id), { state: "draining" }), ["draining", "odd", /told to stop/, null]],
  [
    "was stopped",
    memberOf(slotState(id, { found: exited(id), intent: { ...stopped, atMs: 4 } }), { state: "down" }),
    ["stopped on purpose", "off", /^$/, 4],
  ],
  [
    "is paused in the engine",
    memberOf(slotState(id, { found: found(id, { kind: "paused" }) })),
    ["paused", "off", /somebody paused/, null],
  ],
  [
    "fails again and again",
    memberOf(slotState(id, { found: exited(id), restart: quarantine }), { state: "down" }, [waits]),
    ["quarantined", "bad", /exited with code 1/, 70],
  ],
  [
    "fails its own health check",
    memberOf(serving(id, { found: running(id, { unhealthy: true }) })),
    ["unhealthy", "odd", /its own health check fails/, null],
  ],
  [
    "is out of the watchdog's sight, and well by its own health check",
    memberOf(slotState(id, { found: running(id, { outOfSight: true, passesOwnCheck: true }) })),
    ["serving", "good", /own health check/, 0],
  ],
  ["is a client that answers", memberOf(serving("client", { servesSinceMs: 6 })), ["running", "good", /^$/, 6]],
  [
    "is a worker, which nobody can ask",
    memberOf(slotState("worker", { found: running("worker") })),
    ["running", "good", /^$/, 0],
  ],
  [
    "is a job that is done",
    memberOf(slotState("worker", { found: exited("worker", { code: 0 }) })),
    ["done", "off", /ended well/, null],
  ],
  [
    "has faulty labels",
    memberOf(slotState(id, { slot: { ...slotOf(id), faults: ["evenkeel.port: it is no port"] } })),
    ["misconfigured", "bad", /evenkeel\.port/, null],
  ],
];

for (const [what, { status, severity, reason, sinceMs }, wanted] of members) {
  test(`a member that ${what} is "${wanted[0]}", with why and since when`, () => {
    assert.deepEqual([status, severity, sinceMs], [wanted[0], wanted[1], wanted[3]]);
    assert.match(reason, wanted[2]);
  });
}

test("a row says what the watchdog is about to do, and its reason where that is not said already", () => {
  const dead = slotState(id, { found: exited(id) });
  const nextOf = (step: Step) => memberOf(dead, { state: "down" }, [step]).next;
  assert.equal(nextOf(heal), "heal: it was killed by SIGKILL");
  assert.equal(nextOf({ ...heal, reason: "it exited with code 1" }), "heal");
  assert.equal(memberOf(serving(id)).next, "");
  const resting = memberOf(slotState(id, { found: exited(id), restart: quarantine }), { state: "down" }, [waits]);
  assert.equal(resting.next, "wait: quarantined, until 00:00:00 UTC");
});

test("a row says what else is not as usual: held, drained, out of traffic, quarantined before", () => {
  assert.deepEqual(memberOf(serving(id, { held: { sinceMs: 1 }, weight: 0 })).remarks, ["held", "drained: weight 0"]);
  assert.deepEqual(memberOf(serving(id, { held: { sinceMs: 1, paused: true } })).remarks, ["service paused"]);
  assert.deepEqual(memberOf(serving(id, { restart: quarantine }), { state: "down" }).remarks, [
    "was quarantined",
    "out of traffic",
  ]);
});

test("a row has the image as docker shows it, how often the slot was filled anew, its weight and its last probe", () => {
  const image = `sha256:${"ab".repeat(32)}`;
  const { version, restarts, weight, probe, address } = memberOf(serving(id, { found: running(id, { image }) }), {
    generation: 3,
  });
  assert.deepEqual([version, restarts, weight, probe, address], ["abababababab", 2, 1, "passed", "10.0.0.1:9001"]);
  assert.equal(memberOf(serving(id, { probed: silent, missed: 1 })).probe, "silent: ECONNREFUSED");
});

const usual: OddState = {
  id,
  service: "app",
  engine: "docker",
  project: "ek",
  status: "serving",
  held: false,
  paused: false,
  drained: false,
};
const ctl = "docker compose exec watchdog node watchdogctl.js";
const cures: readonly [Partial<OddState>, string | null][] = [
  [{}, null],
  [{ status: "down" }, null],
  [{ held: true, drained: true }, `${ctl} release server-4`],
  [{ paused: true }, `${ctl} resume app`],
  [{ drained: true }, `${ctl} weight server-4 default`],
  [{ status: "stopped on purpose" }, "docker compose start app"],
  [{ status: "paused" }, "docker compose unpause app"],
  [{ status: "quarantined" }, "docker compose logs app"],
  [{ status: "misconfigured" }, "docker compose up -d app"],
  [{ engine: "process", held: true }, "npm run ctl -- release server-4"],
  [{ engine: "process", status: "quarantined" }, "npm run ctl -- incidents --slot server-4"],
  [{ engine: "process", status: "paused" }, null],
  [{ engine: "swarm", drained: true }, null],
  [{ engine: "swarm", status: "draining" }, null],
  [{ engine: "swarm", status: "down" }, "docker service ps --no-trunc ek_app"],
  [{ engine: "swarm", status: "silent" }, "docker service ps --no-trunc ek_app"],
];

for (const [odd, wanted] of cures) {
  test(`out of ${JSON.stringify(odd)} leads ${wanted ?? "the watchdog alone"}`, () => {
    assert.equal(cureOf({ ...usual, ...odd }), wanted);
  });
}

const down = (each: string, changes: Partial<SlotState> = {}) => slotState(each, { found: exited(each), ...changes });
const all = ["balancer", "proxy-1", "server-1", "server-2"];

/** A round in which these are dead, or stopped, and the rest serve. */
function roundOf({
  dead = [],
  off = [],
  failing,
}: {
  dead?: readonly string[];
  off?: readonly string[];
  failing?: string;
} = {}): RoundState {
  const of = (each: string) =>
    dead.includes(each) ? down(each) : off.includes(each) ? down(each, { intent: stopped }) : serving(each);
  const entries = all.map((each) => member(each, { state: [...dead, ...off].includes(each) ? "down" : "serving" }));
  return { ...state(entries, all.map(of)), failing };
}

const overall: readonly [string, RoundState, string, RegExp][] = [
  [
    "the watchdog has not looked yet, whatever an old registry says",
    state([member("balancer")], []),
    "unknown",
    /yet to look/,
  ],
  ["nobody takes traffic", state([], [serving("client")]), "unknown", /no member takes traffic/],
  ["all serve", roundOf(), "serving", /^4 of 4 members serve$/],
  ["one server is down", roundOf({ dead: ["server-1"] }), "degraded", /^3 of 4 members serve: server-1 is down$/],
  [
    "a proxy and a server are down",
    roundOf({ dead: ["proxy-1", "server-1"] }),
    "degraded",
    /proxy-1 is down, and 1 more$/,
  ],
  ["every proxy is down: the balancer goes on without", roundOf({ dead: ["proxy-1"] }), "degraded", /proxy-1 is down/],
  ["every server is down", roundOf({ dead: ["server-1", "server-2"] }), "outage", /^servers: none of 2 serves$/],
  ["the balancer is down", roundOf({ dead: ["balancer"] }), "outage", /^balancer is down$/],
  ["the balancer was stopped", roundOf({ off: ["balancer"] }), "outage", /^balancer is stopped on purpose$/],
  ["one server was stopped on purpose", roundOf({ off: ["server-1"] }), "serving", /^3 of 4 members serve$/],
  [
    "every server was stopped on purpose",
    roundOf({ off: ["server-1", "server-2"] }),
    "outage",
    /every server was stopped/,
  ],
  [
    "one was stopped, the other is down",
    roundOf({ off: ["server-1"], dead: ["server-2"] }),
    "outage",
    /^servers: none of 2 serves$/,
  ],
  ["rounds fail", roundOf({ failing: "ENOSPC" }), "unknown", /rounds fail: ENOSPC/],
  ["rounds fail in an outage", roundOf({ failing: "ENOSPC", dead: ["balancer"] }), "outage", /balancer is down/],
];

for (const [what, round, word, reason] of overall) {
  test(`the state is ${word} where ${what}`, () => {
    const { overview } = shownOf(round);
    assert.equal(overview.word, word, overview.reason);
    assert.match(overview.reason, reason);
  });
}

test("the worst pool rises: one of two without a server is an outage, and each has a word of its own", () => {
  const pool = (each: string, name: string, service: string) => ({
    ...slotOf(each),
    service,
    labels: { role: "server", reports: false, heal: true, pool: name } as const,
  });
  const slots = [
    serving("balancer"),
    serving("server-1", { slot: pool("server-1", "web", "web") }),
    down("server-2", { slot: pool("server-2", "api", "api") }),
    down("server-3", { slot: pool("server-3", "old", "old"), intent: stopped }),
  ];
  const entries = [
    member("balancer"),
    member("server-1"),
    member("server-2", { state: "down" }),
    member("server-3", { state: "down" }),
  ];
  const pools = [
    { name: "web", routes: [{ host: "a.org", path: "/" }] },
    { name: "api", routes: [{ path: "/api" }] },
  ];
  const round = state(entries, slots);
  const shown = shownOf({ ...round, registry: { ...round.registry, pools } });
  assert.deepEqual([shown.overview.word, shown.overview.reason], ["outage", "api: none of 1 serves"]);
  assert.deepEqual(
    shown.pools.map(({ name, word, serving: count, of, routes, services }) => [
      name,
      word,
      count,
      of,
      routes,
      services,
    ]),
    [
      ["web", "serving", 1, 1, ["a.org/"], ["web"]],
      ["api", "outage", 0, 1, ["/api"], ["api"]],
      ["old", "stopped", 0, 1, [], ["old"]],
    ],
  );
});
