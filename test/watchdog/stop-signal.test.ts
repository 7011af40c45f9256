// The signal by which an image wants to be stopped, however it is written.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isItsStopSignal, signalName } from "../../watchdog/engines/docker/streams/stop-signal.ts";

const names: readonly [string, string][] = [
  ["15", "TERM"],
  ["SIGTERM", "TERM"],
  ["winch", "WINCH"],
  ["28", "WINCH"],
  ["SIGRTMIN+3", "37"],
  ["RTMIN", "34"],
  ["37", "37"],
  ["unknown", "UNKNOWN"],
];

for (const [given, name] of names) test(`${given} is ${name}`, () => assert.equal(signalName(given), name));

test("a container's own stop signal is known by name and by number; where it has none there is none", () => {
  assert.ok(isItsStopSignal({ Config: { StopSignal: "SIGWINCH" } }, "WINCH"));
  assert.ok(isItsStopSignal({ Config: { StopSignal: "28" } }, "WINCH"));
  assert.ok(isItsStopSignal({ Config: { StopSignal: "SIGRTMIN+3" } }, "37"));
  assert.ok(!isItsStopSignal({ Config: { StopSignal: "SIGWINCH" } }, "HUP"));
  assert.ok(!isItsStopSignal({ Config: {} }, "TERM"));
  assert.ok(!isItsStopSignal(undefined, "TERM"));
});
