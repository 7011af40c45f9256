// The list of log events, and a condition that fails and recovers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { events } from "../../services/runtime/events.ts";
import { Condition } from "../../services/runtime/log.ts";
import { recordedLog } from "../tools/log.ts";

test("what fails has a word for its recovery, and the other way round", () => {
  const names = Object.keys(events);
  const things = (suffix: string) =>
    names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  assert.deepEqual(things("-failing").sort(), things("-recovered").sort());
  assert.ok(things("-failing").length > 5);
});

test("an event's name is lower-case words, and its meaning a sentence", () => {
  for (const [name, { meaning }] of Object.entries(events)) {
    assert.match(name, /^[a-z]+(-[a-z]+)*$/);
    assert.match(meaning, /^[A-Z].*\.$/);
  }
});

test("a condition is logged when its reason appears, changes or goes, and never while it stays", () => {
  const { log, events: logged } = recordedLog();
  const condition = new Condition(log, "rounds");
  condition.recovered();
  condition.failing("disk full");
  condition.failing("disk full");
  assert.equal(condition.reason, "disk full");
  condition.failing("no engine", { tries: 2 });
  condition.recovered();
  condition.recovered();
  assert.deepEqual(logged, [
    { event: "rounds-failing", level: "error", reason: "disk full" },
    { event: "rounds-failing", level: "error", reason: "no engine", tries: 2 },
    { event: "rounds-recovered", level: "info", was: "no engine" },
  ]);
});
