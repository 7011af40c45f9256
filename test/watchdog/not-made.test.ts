// When a replica counts as one that cannot be made: of those that a roll replaces at the third failure in a row, of new ones at once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NotMade } from "../../watchdog/act/not-made.ts";
import { NOT_LEADING } from "../../watchdog/engines/runner.ts";

const failed = (reason: string) => ({ kind: "failed", reason }) as const;
const started = { kind: "started", instance: "a" } as const;

test("a replica that a roll replaces cannot be made when three tries in a row have failed", () => {
  const notMade = new NotMade();
  for (const outcome of [failed("x"), failed("x"), started, failed("x"), failed("y")])
    notMade.replaced("app-1", outcome);
  assert.deepEqual([...notMade], []);
  notMade.replaced("app-2", failed("other"));
  notMade.replaced("app-1", failed("z"));
  assert.deepEqual([...notMade], [["app-1", "z"]]);
  notMade.delete("app-1");
  for (const outcome of [failed("x"), failed("x")]) notMade.replaced("app-1", outcome);
  assert.deepEqual([...notMade], [], "it is counted anew");
});

test("that another watchdog may lead says nothing about a replica", () => {
  const notMade = new NotMade();
  for (let count = 0; count < 5; count += 1) notMade.replaced("app-1", failed(NOT_LEADING));
  notMade.added("app-2", NOT_LEADING);
  notMade.added("app-3", undefined);
  assert.deepEqual([...notMade], []);
  notMade.added("app-2", "no such image");
  assert.deepEqual([...notMade], [["app-2", "no such image"]]);
});
