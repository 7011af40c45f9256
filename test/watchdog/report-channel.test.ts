// What a member's stdout says, however much of it there is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { reportTermsOf } from "../../watchdog/engines/docker/streams/runs.ts";
import type { ReportTerms } from "../../watchdog/engines/report-terms.ts";
import type { MemberReport } from "../../watchdog/rules/member-reports.ts";
import { REPORTS_PER_SECOND_MAX, ReportChannel } from "../../watchdog/rules/report-channel.ts";
import { inspected, SHORT_ID } from "../tools/docker/inspected.ts";

const NONCE = "0123456789abcdef";
const ports = { traffic: new Set([9_001, 9_004]), admin: new Set([9_101, 9_104]) };
/** Of a member of which nothing is known that it could echo. */
const LOOSE: ReportTerms = { nonce: undefined, mayOmit: true, ports };
const SIGNED: ReportTerms = { nonce: NONCE, mayOmit: false, ports };
const BY_NAME: ReportTerms = { nonce: NONCE, mayOmit: true, ports };

function channel(terms = LOOSE) {
  const reports: MemberReport[] = [];
  return { reports, channel: new ReportChannel({ terms, onReport: (report) => reports.push(report) }) };
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
  assert.deepEqual(heard.unheard, { bytes: 0, reports: 50_000 - REPORTS_PER_SECOND_MAX });
  heard.push(line(LISTENING), 1_500);
  assert.equal(reports.at(-1)?.kind, "listening");
});

test("lines that are no reports take nothing from those that are", () => {
  const { reports, channel: heard } = channel();
  for (let count = 0; count < 50_000; count += 1) heard.push(Buffer.from('{"event":"GET /", "ms": 3}\n'), 0);
  heard.push(line(LISTENING), 0);
  assert.deepEqual(kinds(reports), ["listening"]);
  assert.equal(heard.unheard.reports, 0);
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

test("the first word of a run about where it listens is the last", () => {
  for (const terms of [LOOSE, BY_NAME, SIGNED]) {
    const { reports, channel: heard } = channel(terms);
    heard.push(line({ ...LISTENING, nonce: NONCE }), 0);
    heard.push(line({ ...LISTENING, port: 9_001, nonce: NONCE }), 0);
    heard.push(line({ ...LISTENING, port: 9_001 }), 0);
    assert.deepEqual(
      reports.map((report) => report.kind === "listening" && report.ports.port),
      [9_004],
    );
  }
});

const time = "2026-11-26T12:00:00.000Z";
const forged = [
  { ...LISTENING },
  { ...LISTENING, nonce: "another" },
  { event: "draining", time },
  { event: "member-failing", member: "server-1", time },
  { event: "not-ready" },
  { event: "draining", time, text: `it has the nonce ${NONCE} elsewhere` },
];

test("nothing counts without the nonce that the member was started with, and takes nothing from what has it", () => {
  const { reports, channel: heard } = channel(SIGNED);
  for (const fields of forged) for (let times = 0; times < 90; times += 1) heard.push(line(fields), 0);
  assert.deepEqual(reports, []);
  assert.match(heard.unheard.refused ?? "", /does not hold the REPORT_NONCE/);
  heard.push(line({ ...LISTENING, nonce: NONCE }), 1_000);
  heard.push(line({ event: "draining", time, nonce: NONCE }), 1_000);
  assert.deepEqual(kinds(reports), ["listening", "draining"]);
  assert.equal(heard.unheard.refused, undefined);
});

test("a program that knows of no nonce says once where it listens, and nothing else", () => {
  const { reports, channel: heard } = channel(BY_NAME);
  heard.push(line({ event: "draining", time }), 0);
  heard.push(line({ ...LISTENING, nonce: "another" }), 0);
  heard.push(line(LISTENING), 0);
  for (const fields of forged) heard.push(line(fields), 0);
  assert.deepEqual(kinds(reports), ["listening"]);
  assert.equal(heard.signs, false);
});

test("a program that has shown that it knows the nonce is held to it", () => {
  const { reports, channel: heard } = channel(BY_NAME);
  heard.push(line({ event: "ready", nonce: NONCE }), 0);
  heard.push(line(LISTENING), 0);
  assert.deepEqual(kinds(reports), ["readiness"]);
  assert.equal(heard.signs, true);
});

test("a port outside of the role's ranges is not believed, and named with what to set", () => {
  const odd = [
    [{ port: 8_404 }, /port 8404.*PORT /],
    [{ adminPort: 22 }, /port 22.*ADMIN_PORT /],
  ] as const;
  for (const [change, why] of odd) {
    const { reports, channel: heard } = channel(SIGNED);
    heard.push(line({ ...LISTENING, ...change, nonce: NONCE }), 0);
    assert.deepEqual(reports, []);
    assert.match(heard.unheard.refused ?? "", why);
  }
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
  assert.ok(heard.unheard.bytes > 11_000);
});

const host = { UTSMode: "host" };
const echoes: readonly [what: string, Parameters<typeof inspected>[0], nonce: string | undefined][] = [
  ["Compose started echoes its host name", {}, SHORT_ID],
  ["Compose started with the host's names echoes what we do not know", { hostConfig: host }, undefined],
  ["we started echoes what it was given", { config: { Env: [`REPORT_NONCE=${NONCE}`] }, hostConfig: host }, NONCE],
];

for (const [what, changes, nonce] of echoes) {
  test(`one that ${what}`, () => {
    const listed = { slot: { id: "server-4", role: "server" }, inspected: inspected(changes) };
    assert.equal(reportTermsOf(listed as unknown as Parameters<typeof reportTermsOf>[0]).nonce, nonce);
  });
}
