// The log as people read it: what each line of a watchdog's terminal says, and what is left out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PeopleLines } from "../../services/command-line/people-lines.ts";

const TIME = "2026-11-24T18:30:05.123Z";

function logged(event: string, facts: object = {}): string {
  return `${JSON.stringify({ level: "info", time: TIME, role: "watchdog", id: "watchdog", ...facts, event })}\n`;
}

const people = (host = "127.0.0.1") => new PeopleLines({ id: "watchdog", host });

const lines: readonly (readonly [event: string, facts: object, said: string])[] = [
  ["listening", { port: 8404 }, "starting, status on http://localhost:8404"],
  ["listening", { id: "server-4", role: "server", port: 9004 }, ""],
  ["ready", { balancer: 8080 }, "serving on http://localhost:8080"],
  ["ready", { id: "proxy-1", role: "proxy" }, ""],
  ["heal-begun", { slot: "server-4", reason: "nothing fills it" }, ""],
  [
    "heal-begun",
    { slot: "server-4", reason: "it was killed by SIGKILL", replaces: "server-4#1" },
    "server-4: it was killed by SIGKILL; a new one is on its way",
  ],
  ["heal-failed", { slot: "server-4", reason: "no memory" }, "server-4: no new one could be started: no memory"],
  ["stop-intent", { instance: "app-1", was: "none", now: "stopped" }, "app-1 was asked to stop, and is left alone"],
  ["stop-intent", { instance: "app-1", was: "stopped", now: "none" }, "app-1 is to run again"],
  ["scale-begun", { service: "app", from: 3, to: 8 }, "app: from 3 to 8 replicas"],
  ["roll-begun", { service: "app" }, "app: a roll begins"],
  ["roll-turned", { service: "app", phase: "rolled-back", reason: "app-4 fails" }, "app: rolled-back: app-4 fails"],
  ["output", { slot: "server-1", stream: "stdout", line: "hello" }, "server-1 | hello"],
  ["stopped", {}, "stopped"],
  ["stopped", { id: "server-4" }, ""],
  ["watchdog-respawned", { reason: "SIGKILL" }, "the watchdog is started again: SIGKILL; traffic goes on"],
  [
    "member-failing",
    { id: "proxy-2", member: "server-4", reason: "refused" },
    "proxy-2: member failing (server-4: refused)",
  ],
  ["rounds-failing", { reason: "the disk is full" }, "watchdog: rounds failing (the disk is full)"],
  ["registry-adopted", { id: "proxy-2", version: 3 }, ""],
];

for (const [event, facts, said] of lines) {
  test(`${event} ${JSON.stringify(facts)} is ${said === "" ? "left out" : JSON.stringify(said)}`, () => {
    assert.equal(people().shown(logged(event, facts)), said === "" ? "" : `18:30:05  ${said}\n`);
  });
}

test("one that died is back when the registry says that it serves, once, and says how long it took", () => {
  const told = people();
  const back = {
    time: "2026-11-24T18:30:06.623Z",
    changes: ["server-4: starting > serving", "server-5: down > serving"],
  };
  told.shown(logged("heal-begun", { slot: "server-4", reason: "it was killed", replaces: "x" }));
  assert.equal(told.shown(logged("registry-published", { changes: ["server-4: serving > down"] })), "");
  assert.equal(told.shown(logged("registry-published", back)), "18:30:06  server-4 is back, after 1.5 s\n");
  assert.equal(told.shown(logged("registry-published", back)), "");
});

test("the status page's address is said again when it serves", () => {
  const told = people("192.0.2.1");
  told.shown(logged("listening", { port: 8404 }));
  assert.equal(
    told.shown(logged("ready", { balancer: 8080 })),
    "18:30:05  serving on http://192.0.2.1:8080, status on http://192.0.2.1:8404\n",
  );
});

test("several lines at once are several lines, and what is none of the log's is written as it is, harmless", () => {
  const both = `${logged("stopped")}a\x1b[2Jb\n{"event":"none of ours"}\n`;
  assert.equal(people().shown(both), '18:30:05  stopped\na\\u{1b}[2Jb\n{"event":"none of ours"}\n');
  assert.equal(
    people().shown(logged("output", { slot: "s", line: "\x1b]0;x\x07" })),
    "18:30:05  s | \\u{1b}]0;x\\u{7}\n",
  );
});

test("a nonce and a pid are not told to people", () => {
  const said = people().shown(logged("listening", { port: 8404, pid: 4711, nonce: "secret-nonce" }));
  assert.ok(!said.includes("nonce") && !said.includes("4711"));
});
