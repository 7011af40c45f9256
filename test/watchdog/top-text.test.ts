// The lines that `top` draws, from what the watchdog has said so far.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { SeenState, SeenTraffic } from "../../watchdog/ctl/live/page-events.ts";
import { topLines } from "../../watchdog/ctl/live/top-text.ts";
import { DETECTED_MS, incident, incidentsView } from "../tools/watchdog/api.ts";

const nowMs = DETECTED_MS;

const serving: SeenState["members"][number] = {
  ...{ id: "server-1", status: "serving", severity: "good", reason: "", sinceMs: nowMs - 180_000, remarks: [] },
  ...{ address: "10.0.0.1:9001", version: "a1b2", weight: 1, restarts: 0, probe: "passed" },
};
const state: SeenState = {
  overview: {
    word: "degraded",
    reason: "1 of 2 members serve: server-2 is gone",
    project: "shop",
    registryVersion: 42,
  },
  members: [
    serving,
    {
      ...{ ...serving, id: "server-2", status: "gone", severity: "bad", reason: "killed by SIGKILL", sinceMs: null },
      ...{ remarks: ["held"], address: null, version: null, weight: null, restarts: 3, probe: "none" },
    },
  ],
};
const figures = { perSecond: 1_234, inFlight: 3, errorShare: 0.0123, p50Ms: 0.4, p99Ms: 12.3 };
const traffic: SeenTraffic = { total: figures, members: { "server-1": figures } };
const known = { nowMs, lostMs: undefined };

test("a word for all, its figures, a row a member with the reason, and the latest incidents", () => {
  const incidents = [...incidentsView(incident(41), incident(42)).all];
  const lines = topLines({ state, traffic, incidents, ...known });
  assert.deepEqual(
    lines.map(({ text }) => text),
    [
      "shop  DEGRADED  1 of 2 members serve: server-2 is gone",
      "1.2k requests a second, 1.2 % errors, p50 <1 ms, p99 12 ms, 3 in flight, registry version 42",
      "",
      "MEMBER    STATE                          ADDRESS        VERSION  WEIGHT  IN FLIGHT  REQ/S  ERR %  P50 MS  P99 MS  RESTARTS  LAST PROBE",
      "server-1  serving 3 min                  10.0.0.1:9001  a1b2          1          3   1.2k    1.2      <1      12         0  passed",
      "server-2  gone, held, killed by SIGKILL  -              -             -          -      –      –       –       –         3  none",
      "",
      "incident 42  2026-11-24 18:30:05  server-4 healed in 512 ms: it was killed by SIGKILL",
      "incident 41  2026-11-24 18:30:05  server-4 healed in 512 ms: it was killed by SIGKILL",
    ],
  );
  assert.deepEqual(
    lines.flatMap(({ tone }) => tone ?? []),
    ["odd", "bad"],
  );
});

test("a watchdog that is gone is said so, in red, above what it last said", () => {
  const [first] = topLines({ state, nowMs, lostMs: nowMs - 8_000 });
  assert.deepEqual(first, {
    text: "watchdog unreachable for 8 s; traffic goes on, and this is what it last said",
    tone: "bad",
  });
});

test("an outage is red, and all well is green", () => {
  for (const [word, tone] of [
    ["outage", "bad"],
    ["serving", "good"],
    ["unknown", "odd"],
  ] as const) {
    const [first] = topLines({ state: { ...state, overview: { ...state.overview, word } }, ...known });
    assert.deepEqual(
      [first?.text.slice(0, 20), first?.tone],
      [`shop  ${word.toUpperCase()}  1 of 2`.slice(0, 20), tone],
    );
  }
});

test("what members are called cannot steer the terminal", () => {
  const members = [{ ...serving, id: "a\x1b[2Jb", reason: "\x07" }];
  const overview = { ...state.overview, reason: "\x1b]0;owned\x07" };
  const text = topLines({ state: { overview, members }, ...known }).map((line) => line.text);
  assert.ok(!text.join("").includes("\x1b") && !text.join("").includes("\x07"));
});

test("before anything has come it says so", () => {
  assert.deepEqual(topLines(known), [{ text: "the watchdog has yet to say anything" }]);
});
