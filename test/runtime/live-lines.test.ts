// Lines that are drawn anew in their place, on a terminal that keeps what is written to it and a clock that is set.

import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveLines } from "../../services/command-line/live-lines.ts";

function stage({ columns = 80, rows = 24, colours = false } = {}) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const terminal = { columns, rows, write: (text: string) => written.push(text), hasColors: () => colours };
  return { live: new LiveLines(terminal, () => clock.ms), written, clock };
}

test("it draws at most ten times a second, however often it is told", () => {
  const { live, written, clock } = stage();
  for (clock.ms = 0; clock.ms < 1_000; clock.ms += 1) live.draw(() => [{ text: String(clock.ms) }]);
  assert.equal(written.length, 10);
  assert.equal(written.at(-1), "\r\x1b[J900");
});

test("lines that are not drawn are not asked for", () => {
  const { live } = stage();
  live.draw(() => []);
  live.draw(() => assert.fail("asked for"));
});

test("several lines are drawn in the place of as many as stood there", () => {
  const { live, written, clock } = stage();
  live.draw(() => [{ text: "a" }, { text: "b" }, { text: "c" }]);
  clock.ms = 100;
  live.draw(() => [{ text: "d" }]);
  live.clear();
  live.clear();
  assert.deepEqual(written, ["a\nb\nc", "\r\x1b[2A\x1b[Jd", "\r\x1b[J"]);
});

test("what does not fit the terminal is cut, as it could not be taken back", () => {
  const { live, written } = stage({ columns: 5, rows: 3 });
  live.draw(() => ["123456789", "b", "c", "d"].map((text) => ({ text })));
  assert.deepEqual(written, ["1234\nb"]);
});

test("a line has its colour where the terminal has colours, and is cut before it gets it", () => {
  for (const colours of [true, false]) {
    const { live, written } = stage({ columns: 5, colours });
    live.draw(() => [{ text: "123456", tone: "bad" }]);
    assert.deepEqual(written, [colours ? "\x1b[31m1234\x1b[0m" : "1234"]);
  }
});
