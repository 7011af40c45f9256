// The receive window of a stream, and the budget that the streams of a session share.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ENLARGED_BYTES_MAX,
  ReceiveWindow,
  WINDOW_BYTES,
  WINDOW_BYTES_MAX,
  WindowBudget,
} from "../../services/link/window.ts";

const HALF = WINDOW_BYTES / 2;

test("a stream may be sent its window and not a byte more", () => {
  const window = new ReceiveWindow(new WindowBudget());
  assert.ok(window.receive(WINDOW_BYTES));
  assert.ok(!window.receive(1));
});

test("nothing is allowed anew until half of the window is used up", () => {
  const window = new ReceiveWindow(new WindowBudget());
  window.receive(HALF - 1);
  assert.equal(window.replenish(), 0);
  window.receive(1);
  assert.ok(window.replenish() > 0);
  assert.equal(window.replenish(), 0);
});

test("one whose reader keeps up gets a large window", () => {
  const window = new ReceiveWindow(new WindowBudget());
  window.receive(HALF);
  assert.equal(window.replenish(), WINDOW_BYTES_MAX - HALF);
  assert.ok(window.receive(WINDOW_BYTES_MAX));
  assert.ok(!window.receive(1));
});

test("large windows are given as far as the session's budget goes, and given back", () => {
  const budget = new WindowBudget();
  const large = Array.from({ length: ENLARGED_BYTES_MAX / (WINDOW_BYTES_MAX - WINDOW_BYTES) }, () => {
    const window = new ReceiveWindow(budget);
    window.receive(HALF);
    assert.equal(window.replenish(), WINDOW_BYTES_MAX - HALF);
    return window;
  });
  const late = new ReceiveWindow(budget);
  late.receive(HALF);
  assert.equal(late.replenish(), HALF, "it goes on with a small one");
  large[0]?.close();
  large[0]?.close();
  late.receive(HALF);
  assert.equal(late.replenish(), WINDOW_BYTES_MAX - HALF);
});
