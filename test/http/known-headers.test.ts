import assert from "node:assert/strict";
import { test } from "node:test";
import { headerId, headerNames, knownHeader } from "../../services/http/message/known-headers.ts";

function idOf(name: string): number {
  const bytes = Buffer.from(`\n${name}:`, "latin1");
  return knownHeader(bytes, 1, 1 + name.length);
}

test("every known name is found, in any case", () => {
  for (const [id, name] of headerNames.entries()) {
    if (id === 0) continue;
    for (const written of [name, name.toUpperCase(), name.replace(/\b./g, (letter) => letter.toUpperCase())]) {
      assert.equal(idOf(written), headerId[name], written);
    }
  }
});

test("no other name is taken for a known one", () => {
  for (const name of [
    "x",
    "a",
    "hos",
    "hoost",
    "hott",
    "jost",
    "Hosu",
    "accept",
    "user-agent",
    "x_forwarded_for",
    "Via2",
  ]) {
    assert.equal(idOf(name), 0, name);
  }
  for (const name of headerNames.slice(1)) {
    assert.equal(idOf(`${name}x`), 0);
    assert.equal(idOf(name.slice(1)), headerId[name.slice(1) as "via"] ?? 0);
    assert.equal(idOf(name.replaceAll("-", "_")), name.includes("-") ? 0 : headerId[name]);
  }
});
