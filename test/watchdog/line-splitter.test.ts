// Lines from pieces: the same lines however the bytes are cut, and none that is longer than it may be.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LINE_BYTES_MAX, LineSplitter } from "../../watchdog/rules/line-splitter.ts";

function split(pieces: readonly Buffer[]) {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line.toString("latin1")));
  for (const piece of pieces) splitter.push(piece);
  splitter.end();
  return { lines, cutBytes: splitter.cutBytes };
}

test("lines are the same however they are cut into pieces", () => {
  const text = fc.array(fc.constantFrom("a", "bc", "\n", "\r\n", "{}", "x".repeat(5_000)), { maxLength: 40 });
  const cuts = fc.array(fc.nat(), { maxLength: 20 });
  fc.assert(
    fc.property(text, cuts, (parts, positions) => {
      const bytes = Buffer.from(parts.join(""));
      const at = positions.map((position) => position % (bytes.length + 1)).sort((one, other) => one - other);
      const pieces = [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));
      assert.deepEqual(split(pieces), split([bytes]));
    }),
    { seed: 20_261_126, numRuns: 500 },
  );
});

test("a line ends with a line feed, or a carriage return before it, or the end of the output", () => {
  assert.deepEqual(split([Buffer.from("one\r\n\ntwo\nthree")]).lines, ["one", "", "two", "three"]);
});

test("of a line that is too long the first 8 KB are kept, and the rest is counted", () => {
  const { lines, cutBytes } = split([Buffer.from(`${"x".repeat(LINE_BYTES_MAX + 3)}\nnext\n`)]);
  assert.deepEqual(
    lines.map(({ length }) => length),
    [LINE_BYTES_MAX, 4],
  );
  assert.equal(cutBytes, 3);
});

test("a line without an end holds no more than 8 KB, however much of it comes", () => {
  const splitter = new LineSplitter(() => assert.fail("it has not ended"));
  const piece = Buffer.alloc(65_536, "x");
  const before = process.memoryUsage();
  for (let count = 0; count < 16_384; count += 1) splitter.push(piece);
  const { heapUsed, external } = process.memoryUsage();
  assert.equal(splitter.cutBytes, 16_384 * 65_536 - LINE_BYTES_MAX);
  const grown = heapUsed + external - before.heapUsed - before.external;
  assert.ok(grown < 4_000_000, `${grown} bytes more after a gigabyte`);
});

test("what is behind an endless line is heard again", () => {
  const { lines } = split([Buffer.alloc(100_000, "x"), Buffer.from("\nhere\n")]);
  assert.equal(lines.at(-1), "here");
});
