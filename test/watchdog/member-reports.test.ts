// What a member's stdout tells the watchdog: the lines it listens for, and that it takes no other line for one.

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { pino } from "pino";
import { parseReport } from "../../watchdog/rules/member-reports.ts";

const line = (fields: Record<string, unknown>) => JSON.stringify(fields);

test("a listening line tells both ports", () => {
  const report = parseReport(line({ event: "listening", role: "server", id: "server-4", port: 9004, adminPort: 9104 }));
  assert.deepEqual(report, { kind: "listening", ports: { port: 9004, adminPort: 9104 } });
});

test("a member without traffic tells its admin port alone", () => {
  const report = parseReport(line({ event: "listening", role: "client", adminPort: 9101 }));
  assert.deepEqual(report, { kind: "listening", ports: { adminPort: 9101 } });
});

test("a line as pino writes it is understood", () => {
  const out = new PassThrough();
  pino({ messageKey: "event" }, out).info({ port: 9004, adminPort: 9104 }, "listening");
  assert.deepEqual(parseReport(String(out.read()).trim()), {
    kind: "listening",
    ports: { port: 9004, adminPort: 9104 },
  });
});

test("a suspect line names the member that could not be reached", () => {
  assert.deepEqual(
    parseReport(line({ event: "member-failing", member: "server-4", time: "2026-11-24T12:00:00.123Z" })),
    {
      kind: "suspect",
      member: "server-4",
      atMs: Date.parse("2026-11-24T12:00:00.123Z"),
    },
  );
});

test("a draining line says that the member was told to stop", () => {
  const time = "2026-11-22T12:00:00.250Z";
  const report = parseReport(line({ event: "draining", time, deadlineMs: 8_000 }));
  assert.deepEqual(report, { kind: "draining", atMs: Date.parse(time) });
});

test("ready and not-ready speak of readiness", () => {
  for (const event of ["ready", "not-ready"]) assert.deepEqual(parseReport(line({ event })), { kind: "readiness" });
});

const others: readonly [string, string][] = [
  ["an empty line", ""],
  ["plain text", "listening on port 9004"],
  ["half a line", '{"event":"listening","port":90'],
  ["a line with something before it", ` ${line({ event: "ready" })}`],
  ["another event", line({ event: "stopped", cut: 0 })],
  ["no event at all", "{}"],
  ["an event that is no text", line({ event: 7 })],
  ["a listening line without an admin port", line({ event: "listening", port: 9004 })],
  ["a port that is text", line({ event: "listening", port: "9004", adminPort: 9104 })],
  ["a port that none can have", line({ event: "listening", port: 65_536, adminPort: 9104 })],
  ["port zero", line({ event: "listening", port: 9004, adminPort: 0 })],
  ["a suspicion of nobody", line({ event: "member-failing" })],
];

for (const [what, text] of others) {
  test(`${what} is no report`, () => {
    assert.equal(parseReport(text), undefined);
  });
}

test("whatever a member prints is a report or none, never an error", () => {
  const any = fc.oneof(
    fc.string(),
    fc.json(),
    fc.string().map((text) => `{${text}`),
  );
  const event = fc.constantFrom("listening", "member-failing", "draining", "ready", "not-ready", "stopped");
  const almost = fc.record({ event, port: fc.anything(), adminPort: fc.anything(), member: fc.anything() });
  const printed = fc.oneof(
    any,
    almost.map((fields) =>
      JSON.stringify(fields, (_key, value) => (typeof value === "bigint" ? String(value) : value)),
    ),
  );
  const known = new Set(["listening", "suspect", "draining", "readiness", undefined]);
  fc.assert(
    fc.property(printed, (text) => assert.ok(known.has(parseReport(text)?.kind))),
    { seed: 20_261_122, numRuns: 1_000 },
  );
});
