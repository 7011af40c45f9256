// What a member's stdout says, however much of it there is.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberReport } from "../../watchdog/rules/member-reports.ts";
import { REPORTS_PER_SECOND_MAX, ReportChannel } from "../../watchdog/rules/report-channel.ts";

function channel() {
  const reports: MemberReport[] = [];
  return { reports, channel: new ReportChannel({ onReport: (report) => reports.push(report) }) };
}

const line = (fields: object) => Buffer.from(`${JSON.stringify(fields)}\n`);
const LISTENING = { role: "server", port: 9_004, adminPort: 9_104, event: "listening" };
const kinds = (reports: readonly MemberReport[]) => reports.map(({ kind }) => kind);

test("a report is heard among whatever else a member writes", () => {
  const { reports, channel: heard } = channel();
  const pieces = ["plain text\n", '{"event":"request-retried"}\n', "{ half\n", "\n", " \n"].map((text) =>
    Buffer.from(text),
  );
  for (const piece of [...pieces, line(LISTENING), ...pieces]) heard.push(piece, 0);
  assert.deepEqual(reports, [{ kind: "listening", ports: { port: 9_004, adminPort: 9_104 } }]);
});

test("a report is heard as other writers of JSON put it", () => {
  const { reports, channel: heard } = channel();
  heard.push(Buffer.from('{ "event" : "listening", "port": 9001, "adminPort": 9101 }\r\n'), 0);
  assert.deepEqual(kinds(reports), ["listening"]);
});

test("reports past those of their second are dropped and counted, and the next second has its own", () => {
  const { reports, channel: heard } = channel();
  for (let count = 0; count < 50_000; count += 1) heard.push(line({ event: "ready" }), 500);
  assert.equal(reports.length, REPORTS_PER_SECOND_MAX);
  assert.deepEqual(heard.dropped, { bytes: 0, reports: 50_000 - REPORTS_PER_SECOND_MAX });
  heard.push(line(LISTENING), 1_500);
  assert.equal(reports.at(-1)?.kind, "listening");
});

test("lines that are no reports take nothing from those that are", () => {
  const { reports, channel: heard } = channel();
  for (let count = 0; count < 50_000; count += 1) heard.push(Buffer.from('{"event":"GET /", "ms": 3}\n'), 0);
  heard.push(line(LISTENING), 0);
  assert.deepEqual(kinds(reports), ["listening"]);
  assert.equal(heard.dropped.reports, 0);
});

test("a second of 50,000 lines costs a fraction of it", () => {
  const { reports, channel: heard } = channel();
  const text = Array.from({ length: 600 }, (_, at) => `{"level":"info","event":"request","path":"/some/path/${at}"}\n`);
  const piece = Buffer.from(text.join(""));
  const began = process.cpuUsage();
  for (let lines = 0; lines < 50_000; lines += 600) heard.push(piece, 0);
  const { user, system } = process.cpuUsage(began);
  assert.deepEqual(reports, []);
  assert.ok(user + system < 400_000, `${user + system} us`);
});

test("a report whose line goes on for ever is none", () => {
  const { reports, channel: heard } = channel();
  const report = JSON.stringify(LISTENING);
  heard.push(Buffer.from(`${report.slice(0, -1)}${" ".repeat(8_192 - report.length)}}  and more\n`), 0);
  assert.deepEqual(reports, []);
});

test("a report that is the tail of an endless line is none", () => {
  const { reports, channel: heard } = channel();
  heard.push(Buffer.from(`{${" ".repeat(20_000)}`), 0);
  heard.push(line(LISTENING).subarray(1), 0);
  assert.deepEqual(reports, []);
  assert.ok(heard.dropped.bytes > 11_000);
});
