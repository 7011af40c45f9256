// The stop intent that the engine's events tell of: every cell of the table in watchdog/rules/stop-intent.ts, each sequence that a
// crash, `docker kill`, `docker stop` and `docker restart` leave behind, and walks through sequences of any kind.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EngineEvent } from "../../watchdog/engines/discovery.ts";
import { plan } from "../../watchdog/rules/plan.ts";
import {
  ASKED_FORGOTTEN_MS,
  ASKED_MS,
  intentAfter,
  intentOfRunning,
  type StopIntent,
} from "../../watchdog/rules/stop-intent.ts";
import { askedAt, exited, running, slotState, stopped } from "../tools/watchdog/slot-states.ts";

const instance = "server-1#1";
const event = {
  kill: { kind: "signalled", instance, signal: "KILL", engineMs: 0 },
  term: { kind: "signalled", instance, signal: "TERM", engineMs: 0 },
  stopped: { kind: "stopped", instance, engineMs: 0 },
  died: { kind: "died", instance, engineMs: 0 },
  started: { kind: "started", instance, engineMs: 0 },
  changed: { kind: "changed" },
} as const satisfies Record<string, EngineEvent>;
type Name = keyof typeof event;

const none = undefined;
const asked = askedAt(0);

/** The intent after events that come one millisecond after another. */
const after = (names: readonly Name[], intent?: StopIntent) =>
  names.reduce<StopIntent | undefined>((so, name, index) => intentAfter(so, event[name], index), intent);

const table: readonly [StopIntent | undefined, Record<Name, StopIntent["kind"] | undefined>][] = [
  [none, { kill: none, term: "asked", stopped: "stopped", died: none, started: none, changed: none }],
  [asked, { kill: "asked", term: "asked", stopped: "stopped", died: "asked", started: none, changed: "asked" }],
  [
    stopped,
    { kill: "stopped", term: "stopped", stopped: "stopped", died: "stopped", started: none, changed: "stopped" },
  ],
];

for (const [intent, row] of table) {
  for (const [name, next] of Object.entries(row) as [Name, StopIntent["kind"] | undefined][]) {
    test(`${intent?.kind ?? "no intent"} and the event ${name} make ${next ?? "no intent"}`, () => {
      assert.equal(after([name], intent)?.kind, next);
    });
  }
}

const sequences: readonly [string, readonly Name[], StopIntent["kind"] | undefined][] = [
  ["a crash", ["died"], none],
  ["a docker kill", ["kill", "died"], none],
  ["a docker kill with another signal, whose death may yet turn out to be a stop", ["term", "died"], "asked"],
  ["a docker stop whose word comes before the death", ["term", "stopped", "died"], "stopped"],
  ["a docker stop whose word comes after the death", ["term", "died", "stopped"], "stopped"],
  ["a docker stop that had to kill, word first", ["term", "kill", "stopped", "died"], "stopped"],
  ["a docker stop that had to kill, death first", ["term", "kill", "died", "stopped"], "stopped"],
  ["a docker stop that began with KILL", ["kill", "died", "stopped"], "stopped"],
  ["a docker restart", ["term", "died", "stopped", "started"], none],
  ["a docker restart that had to kill", ["term", "kill", "stopped", "died", "started"], none],
  ["a crash after a restart", ["term", "died", "stopped", "started", "died"], none],
  ["a stop after a start", ["started", "term", "died", "stopped"], "stopped"],
];

for (const [what, names, intent] of sequences) {
  test(`${what} means ${intent ?? "that nobody intents it anything"}`, () => {
    assert.equal(after(names)?.kind, intent);
  });
}

test("a signal asks from its own time on, and a later one asks anew", () => {
  const first = intentAfter(undefined, { ...event.term, engineMs: 17 }, 17);
  assert.deepEqual(first, { ...askedAt(17), beganMs: 17 });
  const again = intentAfter(first, { ...event.term, engineMs: 3_600_000 }, 3_600_000);
  assert.deepEqual(again, { ...askedAt(3_600_000), beganMs: 3_600_000 });
});

test("the wait for the word stopped begins with the death, however long the member took to end", () => {
  const died = intentAfter(askedAt(17), { ...event.died, engineMs: 9_000 }, 9_000);
  assert.deepEqual(died, { ...askedAt(9_000), beganMs: 17 });
  const ended = intentAfter(died, { ...event.stopped, engineMs: 9_001 }, 9_001);
  assert.deepEqual(ended, { kind: "stopped", atMs: 9_001, engineMs: 9_001, beganMs: 17 });
});

test("TERM, INT and QUIT ask a member to stop; another signal may mean anything", () => {
  const toStop = (signal: string) => {
    const intent = intentAfter(undefined, { kind: "signalled", instance, signal, engineMs: 0 }, 0);
    return intent?.kind === "asked" && intent.toStop;
  };
  assert.deepEqual(["TERM", "INT", "QUIT"].map(toStop), [true, true, true]);
  assert.deepEqual(["HUP", "USR1", "USR2", "WINCH"].map(toStop), [false, false, false, false]);
});

test("a member that runs on long after a signal was asked something else", () => {
  assert.deepEqual(intentOfRunning(askedAt(0), { sinceMs: 0 }, ASKED_FORGOTTEN_MS - 1), askedAt(0));
  assert.equal(intentOfRunning(askedAt(0), { sinceMs: 0 }, ASKED_FORGOTTEN_MS), undefined);
  assert.deepEqual(intentOfRunning(stopped, { sinceMs: 0 }, ASKED_FORGOTTEN_MS), stopped);
});

test("a member that may take a minute to stop is being stopped for all of it", () => {
  const run = { sinceMs: 0, stopTimeoutMs: 60_000 };
  assert.deepEqual(intentOfRunning(askedAt(0), run, 60_000), askedAt(0));
  assert.equal(intentOfRunning(askedAt(0), run, 90_000), undefined);
  const asked = slotState("server-1", { found: running("server-1"), intent: askedAt(0), missed: 100, seenSinceMs: 0 });
  assert.deepEqual(plan([asked], { missedMax: 3, startTimeoutMs: 30_000 }, 59_000), []);
});

test("one that may stop at once is given as long as the others: the signal may have been for something else", () => {
  const run = { sinceMs: 0, stopTimeoutMs: 0 };
  assert.deepEqual(intentOfRunning(askedAt(0), run, ASKED_FORGOTTEN_MS - 1), askedAt(0));
  assert.equal(intentOfRunning(askedAt(0), run, ASKED_FORGOTTEN_MS), undefined);
});

test("a docker stop that had to kill after ten seconds is not healed before its word could come", () => {
  const gracePeriodMs = 10_000;
  assert.ok(gracePeriodMs > ASKED_MS);
  const signalled = intentAfter(intentAfter(undefined, event.term, 0), event.kill, gracePeriodMs);
  const intent = intentAfter(signalled, event.died, gracePeriodMs);
  assert.ok(intent);
  const dead = slotState("server-1", { found: exited("server-1", { code: 137 }), intent });
  const limits = { missedMax: 3, startTimeoutMs: 30_000 };
  assert.deepEqual(
    plan([dead], limits, gracePeriodMs + 1).map(({ kind }) => kind),
    ["wait"],
  );
});

const names = fc.array(fc.constantFrom(...(Object.keys(event) as Name[])), { maxLength: 30 });
const walk = { seed: 20_261_122, numRuns: 1_000 };

test("whatever went before, nobody means to stop a member that was started", () => {
  fc.assert(
    fc.property(names, (before) => assert.equal(after([...before, "started"]), undefined)),
    walk,
  );
});

test("a run that began after a stop intent is not what that was about, whether or not its start was heard", () => {
  assert.equal(intentOfRunning({ kind: "stopped", atMs: 70, engineMs: 5 }, { sinceMs: 6 }, 71), undefined);
  assert.equal(intentOfRunning(askedAt(5), { sinceMs: 6 }, 7), undefined);
});

test("what came first, an intent or a run, is told by the engine's clock alone, whatever ours says by now", () => {
  const intent: StopIntent = { kind: "asked", atMs: 9_000_000, engineMs: 50, toStop: true };
  assert.equal(intentOfRunning(intent, { sinceMs: 51 }, 9_000_001), undefined);
  assert.deepEqual(intentOfRunning({ ...intent, atMs: 10 }, { sinceMs: 49 }, 11), { ...intent, atMs: 10 });
});

test("once stopped and not started again, a member stays stopped through any events", () => {
  const stopAndNoStart = fc.property(names, names, (before, later) => {
    const rest = later.filter((name) => name !== "started");
    assert.equal(after([...before, "stopped", ...rest])?.kind, "stopped");
  });
  fc.assert(stopAndNoStart, walk);
});

test("without the word stopped no sequence means a deliberate stop", () => {
  const noStop = fc.property(names, (any) => {
    assert.notEqual(after(any.filter((name) => name !== "stopped"))?.kind, "stopped");
  });
  fc.assert(noStop, walk);
});
