// What the webhook is told, what its answers mean, and how long it is left alone after a failure.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import fc from "fast-check";
import { parseIncident } from "../../watchdog/incidents/record.ts";
import type { Notice } from "../../watchdog/incidents/recorder.ts";
import { afterFailure, bodyOf, type DeliveryOutcome, outcomeOf } from "../../watchdog/notices/notice.ts";
import { incidentAfter, wholeCourse } from "../tools/watchdog/incidents.ts";

const notice: Notice = { event: "heal", slot: "server-4", role: "server", reason: "it exited with code 1" };
const at = new Date("2026-11-22T12:00:00.250Z");

test("a notice is told with its time", () => {
  assert.deepEqual(bodyOf(notice, at, undefined), { ...notice, at: "2026-11-22T12:00:00.250Z" });
});

test("a notice is told with its project where there is one", () => {
  assert.equal(bodyOf(notice, at, "evenkeel").project, "evenkeel");
});

test("an incident is told without its log", () => {
  const incident = incidentAfter(wholeCourse);
  const { log, ...summary } = incident;
  assert.ok(log.length > 0);
  assert.deepEqual(bodyOf({ ...notice, incident }, at, undefined).incident, summary);
});

test("the notice that docs/observability.md shows is one that is told", async () => {
  const page = await readFile(new URL("../../docs/observability.md", import.meta.url), "utf8");
  const [, json] = /```json\n(\{ "event": "heal"[^`]+)```/.exec(page) ?? [];
  const { incident: shown, project, at: time, ...told } = JSON.parse(json ?? "{}");
  const parsed = parseIncident(JSON.stringify({ ...shown, log: [] }));
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.reason);
  const made = bodyOf({ ...told, incident: parsed.incident }, new Date(time), project);
  assert.deepEqual(made, JSON.parse(json ?? "{}"));
  assert.ok(Math.abs(Date.parse(time) - (parsed.incident.times.inTrafficMs as number)) < 1_000);
});

const statuses: Readonly<Record<DeliveryOutcome, readonly number[]>> = {
  delivered: [200, 202, 204, 299],
  failed: [408, 429, 500, 502, 503, 504, 599],
  refused: [301, 302, 304, 307, 308, 400, 401, 403, 404, 410, 413, 422, 499],
};

for (const [kind, all] of Object.entries(statuses)) {
  test(`${all.join(", ")} mean that a notice was ${kind}`, () => {
    for (const status of all) assert.equal(outcomeOf(status), kind, String(status));
  });
}

const once = { failures: 1, tries: 1, ageMs: 0, random: 0 };

test("the delay begins with half a second, doubles with each failure and ends at 30 seconds", () => {
  const delays = Array.from({ length: 9 }, (_, index) => afterFailure({ ...once, failures: index + 1 }).delayMs);
  assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("jitter takes up to a quarter of the delay and adds nothing to it", () => {
  assert.equal(afterFailure({ ...once, random: 0.5 }).delayMs, 437);
  const walk = fc.property(
    fc.integer({ min: 1, max: 5_000 }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    (failures, random) => {
      const plain = afterFailure({ ...once, failures }).delayMs;
      const { delayMs } = afterFailure({ ...once, failures, random });
      assert.ok(delayMs >= Math.floor(plain * 0.75) && delayMs <= plain && delayMs <= 30_000, `${delayMs} ms`);
    },
  );
  fc.assert(walk, { seed: 20_261_122, numRuns: 300 });
});

test("a notice is given up after its twentieth try, or when it is ten minutes old", () => {
  assert.deepEqual(
    [19, 20, 21].map((tries) => afterFailure({ ...once, tries }).again),
    [true, false, false],
  );
  assert.deepEqual(
    [599_999, 600_000].map((ageMs) => afterFailure({ ...once, ageMs }).again),
    [true, false],
  );
});

test("failures before a notice's first try delay it, and take no try from it", () => {
  assert.deepEqual(afterFailure({ ...once, failures: 40 }), { delayMs: 30_000, again: true });
});
