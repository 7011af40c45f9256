// The watchdog's command line as a process of its own, against the real API on loopback: what it asks, what it prints for
// people and for scripts, and what its exit code says.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ApiOptions } from "../../watchdog/api/api.ts";
import type { ApiClient } from "../../watchdog/api/client.ts";
import { untilItHasLooked } from "../../watchdog/ctl/follow.ts";
import { within } from "../tools/eventually.ts";
import { origin } from "../tools/http/origin.ts";
import { freePort, HOST } from "../tools/ports.ts";
import { type Ended, run } from "../tools/process/run.ts";
import { incident, incidentsView, recordedControls, startApi } from "../tools/watchdog/api.ts";
import { exited, serving, slotState } from "../tools/watchdog/slot-states.ts";
import { member, state } from "../tools/watchdog/state.ts";

type Environment = Readonly<Record<string, string>>;

function ctl(t: TestContext, words: readonly string[], environment: Environment = {}): Promise<Ended> {
  return within(60_000, "the end of watchdogctl", run(t, "watchdog/ctl/watchdogctl", environment, words).ended);
}

/** Runs it with each line of words against one API, side by side; WATCHDOG_PORT says where that is. */
async function against(t: TestContext, options: Partial<ApiOptions>, ...lines: readonly string[]): Promise<Ended[]> {
  const WATCHDOG_PORT = String(await startApi(t, options));
  return Promise.all(lines.map((line) => ctl(t, line.split(" "), { WATCHDOG_PORT })));
}

const kept = incidentsView(
  incident(41, { slot: "proxy-1", cause: "3 probes in a row went unanswered" }),
  incident(42, { exit: { code: 137, signal: "SIGKILL", oom: true } }),
);

test("status is one row a slot, and says at a glance what is held or quarantined", async (t) => {
  const slots = [
    serving("server-1"),
    serving("server-2", { held: { sinceMs: 1 } }),
    slotState("server-3", {
      found: exited("server-3"),
      restart: { kind: "quarantined", sinceMs: 0, notBeforeMs: 60_000 },
    }),
    serving("client"),
  ];
  const members = [member("server-1", { group: "1" }), member("server-2", { group: "1", generation: 12 })];
  const [ended] = await against(t, { state: () => state(members, slots) }, "status");
  assert.deepEqual([ended?.code, ended?.stderr], [0, ""]);
  assert.deepEqual(ended?.stdout.split("\n"), [
    "2 of 3 members serve, registry version 42",
    "",
    "SLOT      GROUP  TRAFFIC              ADDRESS        LIFE                 GENERATION  NEXT STEP",
    "server-1  1      serving              10.0.0.1:9001  running                       1",
    "server-2  1      serving              10.0.0.1:9001  running, held                12  none until it is released",
    "server-3  1      out of the registry  -              exited, quarantined           -",
    "client    -      -                    -              running                       -",
    "",
  ]);
});

test("--json prints what the API answers", async (t) => {
  const lines = ["status --json", "incidents --json", "incidents 42 --json", "hold server-1 --json"];
  const [status, list, one, held] = (await against(t, { incidents: kept }, ...lines)).map(({ code, stdout }) => {
    assert.equal(code, 0);
    return JSON.parse(stdout);
  });
  assert.equal(status.slots[0].slot, "server-4");
  assert.deepEqual(
    list.incidents.map(({ number }: { number: number }) => number),
    [42, 41],
  );
  assert.deepEqual(one, await kept.get(42));
  assert.deepEqual(held, { slot: "server-1", order: "hold" });
});

test("incidents is a table, newest first; --slot and --limit choose", async (t) => {
  const lines = ["incidents", "incidents --slot proxy-1", "incidents --limit 1", "incidents --slot server-1"];
  const options = { incidents: kept, state: () => state([], [serving("server-1")]) };
  const printed = (await against(t, options, ...lines)).map(({ stdout }) => stdout.trimEnd().split("\n"));
  const head = "NUMBER  WHEN (UTC)           SLOT      OUTCOME  TOTAL MS  CAUSE";
  const newest = "    42  2026-11-24 18:30:05  server-4  healed        512  it was killed by SIGKILL";
  const older = "    41  2026-11-24 18:30:05  proxy-1   healed        512  3 probes in a row went unanswered";
  assert.deepEqual(printed[0], [head, newest, older]);
  assert.deepEqual(printed[1]?.slice(1), [older.replace("proxy-1 ", "proxy-1")]);
  assert.deepEqual(printed[2], [head, newest]);
  assert.deepEqual(printed[3], ["no incidents"]);
});

test("of a slot that nobody has heard of it says so, and which there are", async (t) => {
  const options = { incidents: kept, state: () => state([], [serving("server-1"), serving("server-2")]) };
  const [ended] = await against(t, options, "incidents --slot server-9");
  assert.equal(ended?.code, 0);
  assert.equal(ended?.stdout, "no incidents, and no slot server-9: there are server-1, server-2\n");
});

test("incidents 42 is all of one: a timeline, the exit, the changes and the last lines", async (t) => {
  const [ended] = await against(t, { incidents: kept }, "incidents 42");
  assert.deepEqual([ended?.code, ended?.stderr], [0, ""]);
  assert.deepEqual(ended?.stdout.split("\n"), [
    "incident 42: server-4 healed in 512 ms",
    "",
    "cause     it was killed by SIGKILL",
    "exit      code 137, SIGKILL, out of memory (OOM)",
    "replaced  server-4#1",
    "by        server-4#2",
    "changed   port: 9004 > 9005",
    "",
    "STAGE       2026-11-24     MS  STEP MS",
    "detected    18:30:05.123    0",
    "decided     18:30:05.126    3       +3",
    "created     18:30:05.166   43      +40",
    "started     18:30:05.303  180     +137",
    "ready       18:30:05.628  505     +325",
    "in traffic  18:30:05.635  512       +7",
    "",
    "the last 2 lines of the one before:",
    '  {"event":"listening"}',
    "  its last words",
    "",
  ]);
});

for (const order of ["hold", "release", "heal"]) {
  test(`${order} is passed on to the slot it names, and says what follows`, async (t) => {
    const { controls, orders } = recordedControls();
    const [ended] = await against(t, { controls }, `${order} server-3`);
    assert.deepEqual([ended?.code, ended?.stderr], [0, ""]);
    assert.match(ended?.stdout ?? "", /^server-3 is [^\n]+\n$/);
    assert.deepEqual(orders, [`${order} server-3`]);
  });
}

for (const order of ["pause", "resume"]) {
  test(`${order} is passed on to the service it names, and says what follows`, async (t) => {
    const { controls, orders } = recordedControls();
    const [ended] = await against(t, { controls }, `${order} app`);
    assert.deepEqual([ended?.code, ended?.stderr], [0, ""]);
    assert.match(ended?.stdout ?? "", /^app is [^\n]+\n$/);
    assert.deepEqual(orders, [`${order} app`]);
  });
}

test("scale follows to its end: 0 when all serve, 3 when it was undone, and JSON lines for scripts", async (t) => {
  const over = { service: "app", from: 3, to: 4, paused: false, tookMs: 900, slots: [{ slot: "app-4", done: true }] };
  for (const [phase, reason, code] of [
    ["done", null, 0],
    ["undone", "app-4 is gone", 3],
  ] as const) {
    let looks = 0;
    const rows = () => {
      looks += 1;
      return [looks === 1 ? { ...over, phase: "scaling" as const, reason: null } : { ...over, phase, reason }];
    };
    const scales = { order: () => ({ ok: true }) as const, rows };
    const [ended] = await against(t, { scales }, "scale app=4 --json");
    assert.equal(ended?.code, code);
    const lines = ended?.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).phase);
    assert.deepEqual(lines, ["scaling", phase]);
  }
});

test("a scale that is refused is its reason on stderr and 1", async (t) => {
  const scales = {
    order: () => ({ ok: false, status: 409, reason: "app is paused: resume it first" }) as const,
    rows: () => [],
  };
  const [ended] = await against(t, { scales }, "scale app=4");
  assert.deepEqual([ended?.code, ended?.stdout, ended?.stderr], [1, "", "app is paused: resume it first\n"]);
});

test("weight is passed on to the slot it names, and taken back by default or -", async (t) => {
  const { controls, orders } = recordedControls();
  const said = await against(
    t,
    { controls },
    "weight app-3 0",
    "weight app-3 7",
    "weight app-3 default",
    "weight app-3 -",
  );
  assert.deepEqual(
    said.map(({ code, stdout }) => [code, stdout]),
    [
      [0, 'app-3 gets no requests while others of its pool serve, until "weight app-3 default"\n'],
      [0, 'app-3 gets a share of 7 beside the others\', until "weight app-3 default"\n'],
      [0, "app-3 has the weight of its label again\n"],
      [0, "app-3 has the weight of its label again\n"],
    ],
  );
  const given = ["0", "7", "undefined", "undefined"].map((weight) => `weigh ${weight} app-3`);
  assert.deepEqual([...orders].sort(), given.sort());
});

test("an order that is refused is its reason on stderr and 1", async (t) => {
  const { controls } = recordedControls({ ok: false, status: 409, reason: "it is held: release server-3 first" });
  const [ended] = await against(t, { controls }, "heal server-3");
  assert.deepEqual([ended?.code, ended?.stdout, ended?.stderr], [1, "", "it is held: release server-3 first\n"]);
});

test("an incident that is not there is one line on stderr and 1, for scripts too", async (t) => {
  for (const { code, stdout, stderr } of await against(t, {}, "incidents 7", "incidents 7 --json")) {
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^there is no incident 7: [^\n]+\n$/);
  }
});

test("a watchdog that is not there is one line on stderr that says how to start it, and 1", async (t) => {
  const port = await freePort();
  const line = new RegExp(
    `^cannot reach the watchdog at http://${HOST}:${port} \\(ECONNREFUSED\\): start it [^\\n]+\\n$`,
  );
  // Orders wait for one that was started a moment ago.
  const asked = [["status"], ["scale", "app=2"], ["roll", "app"]];
  const all = await Promise.all(asked.map((words) => ctl(t, [...words, "--url", `http://${HOST}:${port}`])));
  for (const { code, stdout, stderr } of all) {
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, line);
  }
});

test("before it is given an order, a watchdog that has just come is waited for until it has looked", async () => {
  const read = (slots: number) => ({ kind: "read", document: { slots: Array.from({ length: slots }) }, body: {} });
  const answers = [{ kind: "unreachable", reason: "ECONNREFUSED" }, read(0), read(1), read(2)];
  const state = (async () => answers.shift()) as unknown as ApiClient["state"];
  await untilItHasLooked({ state });
  assert.equal(answers.length, 1);
});

for (const body of ["<html>stats</html>", "null", "[]", '{"slots":[{"slot":"server-1"}],"registry":{"version":1}}']) {
  test(`something else that answers ${body} is told from a watchdog`, async (t) => {
    const { port } = await origin(t, (_request, response) => void response.end(body));
    const { code, stderr } = await ctl(t, ["status", "--url", `http://${HOST}:${port}`]);
    assert.equal(code, 1);
    assert.match(stderr, /^what answers at \S+ \(with 200\) is no watchdog of this version: [^\n]+--url\n$/);
  });
}

test("API_TOKEN goes with what is asked", async (t) => {
  const { port, asked } = await origin(t, (_request, response) => void response.writeHead(403).end('{"error":"no"}'));
  const environment = { WATCHDOG_PORT: String(port), API_TOKEN: "0123456789abcdef" };
  const { code, stderr } = await ctl(t, ["hold", "server 3"], environment);
  assert.deepEqual([code, stderr], [1, "no\n"]);
  assert.deepEqual([asked[0]?.method, asked[0]?.url], ["POST", "/api/slots/server%203/hold"]);
  assert.ok(asked[0]?.rawHeaders.includes("Bearer 0123456789abcdef"));
});

test("PORT, which the watchdog itself prefers, is where it is asked", async (t) => {
  const port = await startApi(t);
  const { code } = await ctl(t, ["status"], { PORT: String(port), WATCHDOG_PORT: "1", HOST: "0.0.0.0" });
  assert.equal(code, 0);
});

const wrong: readonly (readonly [words: string, line: RegExp])[] = [
  ["", /^say what to do$/],
  ["statuses", /^statuses: there is no such command; did you mean status\?$/],
  ["frobnicate", /^frobnicate: there is no such command$/],
  ["status server-1", /^Unexpected argument 'server-1'$/],
  ["incidents 0", /^incidents 0: it must be a whole number from 1 to 999999999$/],
  ["incidents many", /^incidents many: it must be a whole number from 1 to 999999999$/],
  ["incidents 1 2", /^Unexpected argument '2'$/],
  ["incidents 1 --slot server-1", /^--slot and --limit are for lists alone, and this is one incident$/],
  ["incidents --limit 0", /^--limit 0: it must be a whole number from 1 to 999999999$/],
  ["hold", /^hold: it takes the name of a slot, such as server-3$/],
  ["hold server-1 server-2", /^Unexpected argument 'server-2'$/],
  ["heal --limit 3 server-1", /^--slot and --limit are for incidents alone$/],
  ["pause", /^pause: it takes the name of a service, such as app$/],
  ["scale app", /^scale: it takes a service and how many there are to be, such as scale app=8$/],
  ["scale app=0", /^scale app=0: it must be a whole number from 1 to 64$/],
  ["scale app=65", /^scale app=65: it must be a whole number from 1 to 64$/],
  ["scale app=many", /^scale app=many: it must be a whole number from 1 to 64$/],
  ["weight app-3", /^weight: it takes a slot and 0 to 256 or "default", such as weight app-3 0$/],
  ["weight app-3 257", /^weight app-3 257: it must be a whole number from 0 to 256, or default$/],
  ["weight app-3 1.5", /^weight app-3 1\.5: it must be a whole number from 0 to 256, or default$/],
  ["weight app-3 1 2", /^Unexpected argument '2'$/],
  ["doctor now", /^Unexpected argument 'now'$/],
  ["status --url nowhere", /^--url nowhere: it must be an http:\/\/ or https:\/\/ address$/],
  ["status --url localhost:8404", /^--url localhost:8404: it must be an http:\/\/ or https:\/\/ address$/],
  ["status --url ftp://127.0.0.1", /^--url ftp:\/\/127\.0\.0\.1: it must be an http:\/\/ or https:\/\/ address$/],
  ["status --verbose", /^Unknown option '--verbose'$/],
];

test("wrong words are answered with what is wrong, the usage and 2, and nobody is asked", async (t) => {
  const { port, asked } = await origin(t, (_request, response) => void response.end());
  const WATCHDOG_PORT = String(port);
  const runs = wrong.map(
    ([words, line]) => [words, line, ctl(t, words.split(" ").filter(Boolean), { WATCHDOG_PORT })] as const,
  );
  for (const [words, line, ended] of runs) {
    const { code, stdout, stderr } = await ended;
    assert.deepEqual([code, stdout], [2, ""], words);
    const [said, ...usage] = stderr.split("\n");
    assert.match(said as string, line);
    assert.match(usage.join("\n"), /^usage: node watchdogctl\.js COMMAND .*\n {2}to look .*\n {2}to order .*\n$/);
    for (const line of usage) assert.ok(line.length <= 120, line);
  }
  assert.equal(asked.length, 0);
});

test("--help is the usage, and no failure", async (t) => {
  const { code, stdout } = await ctl(t, ["--help"]);
  assert.equal(code, 0);
  assert.match(stdout, /^usage: /);
});

test("a faulty setting is named and ends it with 78", async (t) => {
  const { code, stderr } = await ctl(t, ["status"], { WATCHDOG_PORT: "many" });
  assert.equal(code, 78);
  assert.match(stderr, /^WATCHDOG_PORT="many": it must be [^\n]+\n$/);
});
