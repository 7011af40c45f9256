// The JSON schema of the labels beside the reader of the labels, from whose table it is made: what it refuses the reader refuses too.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as z from "zod";
import { labelTable } from "../../watchdog/desired/label-table.ts";
import { labelSchema } from "../tools/docs/label-schema.ts";

const schema = z.fromJSONSchema(labelSchema() as never);
const takes = (labels: unknown) => schema.safeParse({ services: { app: { image: "app", labels } } }).success;
const names = Object.keys(labelTable) as (keyof typeof labelTable)[];

test("it takes the example of every label", () => {
  for (const name of names) assert.ok(takes({ [`evenkeel.${name}`]: labelTable[name].example }), name);
  assert.ok(takes(Object.fromEntries(names.map((name) => [`evenkeel.${name}`, labelTable[name].example]))));
});

/** As YAML has them. */
const taken: readonly unknown[] = [
  { "evenkeel.port": 3000, "evenkeel.weight": 0, "evenkeel.group": 2 },
  { "evenkeel.port": "3000", "evenkeel.heal": true, "evenkeel.strip": "Yes" },
  { "evenkeel.body-max": "10MB", "evenkeel.host": "A.org, *.b.org" },
  { "traefik.enable": true, "evenkeeled.by": "somebody" },
  ["evenkeel.port=3000"],
  null,
];
const refused: readonly [what: string, labels: Readonly<Record<string, unknown>>][] = [
  ["a typo", { "evenkeel.prot": "3000" }],
  ["an order that is none", { "evenkeel.update.order": "both-first" }],
  ["a name for a port", { "evenkeel.port": "http" }],
  ["a port too high", { "evenkeel.port": 65_536 }],
  ["a time without a unit", { "evenkeel.start": "90" }],
  ["a role that there is not", { "evenkeel.role": "sever" }],
  ["a policy that there is not", { "evenkeel.policy": "rr" }],
  ["a path without its slash", { "evenkeel.health": "up" }],
  ["neither yes nor no", { "evenkeel.heal": "maybe" }],
  ["a URL for a host", { "evenkeel.host": "https://a.org" }],
];

for (const labels of taken) test(`it takes ${JSON.stringify(labels)}`, () => assert.ok(takes(labels)));
for (const [what, labels] of refused) test(`it refuses ${what}`, () => assert.ok(!takes(labels)));

test("it refuses nothing that the reader takes", () => {
  const letters = fc.stringMatching(/^[a-zA-Z0-9_.*,/ -]{0,12}$/);
  const texts = fc.oneof(
    letters,
    fc.stringMatching(/^[0-9]{1,6}(ms|s|m|h|k|KB)?$/),
    fc.constantFrom("TRUE", "oFF", "No"),
  );
  fc.assert(
    fc.property(fc.constantFrom(...names), texts, (name, text) => {
      if (labelTable[name].schema.safeParse(text).success)
        assert.ok(takes({ [`evenkeel.${name}`]: text }), `${name} ${text}`);
    }),
    { numRuns: 3_000 },
  );
});
