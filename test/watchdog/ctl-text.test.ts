// What the command line prints, where the process test does not look: columns, harmless text, odd incidents, findings.

import assert from "node:assert/strict";
import { test } from "node:test";
import { plain, table } from "../../services/command-line/text-table.ts";
import { findingsOf, findingsText, warning } from "../../watchdog/ctl/doctor/finding.ts";
import { incidentsText, incidentText } from "../../watchdog/ctl/incident-text.ts";
import { statusText } from "../../watchdog/ctl/status-text.ts";
import { DETECTED_MS, incident } from "../tools/watchdog/api.ts";

test("columns are as wide as their widest cell, numbers stand at the right, and no line ends in blanks", () => {
  const columns = [{ title: "NAME" }, { title: "MS", align: "right" }, { title: "WHY" }] as const;
  const rows = [
    ["a", "5", ""],
    ["longer", "12345", "because"],
    ["ß€😀", "", "x"],
  ];
  assert.deepEqual(table(columns, rows).split("\n"), [
    "NAME       MS  WHY",
    "a           5",
    "longer  12345  because",
    "ß€😀            x",
  ]);
});

const harmless: readonly [string, string][] = [
  ["as it is: ß, €, 😀", "as it is: ß, €, 😀"],
  ["\u001b[2J\u001b]0;title\u0007", "\\u{1b}[2J\\u{1b}]0;title\\u{7}"],
  ["two\r\nlines", "two\\u{d}\\u{a}lines"],
  ["a\tb", "a  b"],
  ["\u009b31m", "\\u{9b}31m"],
  ["\u202etxet", "\\u{202e}txet"],
];

for (const [given, printed] of harmless) {
  test(`${JSON.stringify(given)} is printed so that it steers no terminal`, () => assert.equal(plain(given), printed));
}

test("causes, log lines and names are made harmless in what is printed of an incident", () => {
  const evil = "\u001b]52;c;x\u0007";
  const made = incident(1, { slot: evil, cause: evil, failure: evil, changes: [evil], log: [evil], replaced: evil });
  assert.ok(!`${incidentText(made)}${incidentsText({ incidents: [made] })}`.includes("\u001b"));
});

test("an incident under way has no total and a timeline as far as it got", () => {
  const underWay = incident(1, {
    outcome: "under-way",
    times: { detectedMs: DETECTED_MS, decidedMs: DETECTED_MS + 4 },
  });
  assert.match(incidentsText({ incidents: [underWay] }), /server-4 {2}under way +- {2}it was/);
  const lines = incidentText(underWay).split("\n");
  assert.equal(lines[0], "incident 1: server-4 under way");
  assert.deepEqual(
    lines.filter((line) => /^(detected|decided|created|ready|failed)/.test(line)),
    ["detected  18:30:05.123   0", "decided   18:30:05.127   4       +4"],
  );
});

test("an incident that failed says why and when", () => {
  const times = { detectedMs: DETECTED_MS, decidedMs: DETECTED_MS, failedMs: DETECTED_MS + 30_000 };
  const failed = incident(1, { outcome: "failed", failure: "it did not serve", times });
  const text = incidentText(failed);
  assert.match(text, /^incident 1: server-4 failed in 30000 ms$/m);
  assert.match(text, /^failure {3}it did not serve$/m);
  assert.match(text, /^failed +18:30:35\.123 +30000 +\+30000$/m);
});

test("an incident of a slot that nothing filled has no exit, and says that there is no log", () => {
  const { exit: _, replaced: __, ...rest } = incident(1, { log: [], changes: [] });
  const text = incidentText(rest);
  assert.doesNotMatch(text, /^(exit|replaced|changed)/m);
  assert.match(text, /^of the one before no log is kept$/m);
});

test("an exit of which nothing is known is unknown", () => {
  assert.match(incidentText(incident(1, { exit: { oom: false } })), /^exit {6}unknown$/m);
});

test("findings are one line each, with what to do under each that is not well, and counted", () => {
  const findings = [
    ...findingsOf("engine", "ENGINE=docker", []),
    ...findingsOf("one image", "", [warning("two", "do this")]),
  ];
  assert.deepEqual(findingsText(findings).split("\n"), [
    "ok       engine     ENGINE=docker",
    "warning  one image  two",
    "                    > do this",
    "",
    "1 ok, 1 warning, 0 faults",
  ]);
});

test("a watchdog that has only just come back knows of no members yet, and does not say that none serves", () => {
  const registry = { version: 42, writtenAt: "2026-11-24T18:30:05.123Z" };
  const [summary] = statusText({ registry, slots: [], failing: null }).split("\n");
  assert.equal(summary, "no members are known yet, registry version 42");
});
