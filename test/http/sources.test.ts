// What counts as one client, and how many connections it may have.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Sources, sourceOf } from "../../services/http/server/sources.ts";

const facts: readonly (readonly [address: string, source: string])[] = [
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::9", "2001:db8:1:2"],
  ["2001:db8::9", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
];

for (const [address, source] of facts) {
  test(`${address} is ${source}`, () => assert.equal(sourceOf(address), source));
}

test("a source may have so many, and one more for each that it gives back", () => {
  const sources = new Sources(2);
  assert.deepEqual(
    [sources.take("a"), sources.take("a"), sources.take("a"), sources.take("b")],
    [true, true, false, true],
  );
  sources.giveBack("a");
  assert.deepEqual([sources.take("a"), sources.take("a")], [true, false]);
});
